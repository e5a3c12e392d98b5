"""The tasks of the freeze, teardown and sentinel DAGs."""

from endpoint_deploy.dag_builders.on_call.task_doc import TaskDoc

UPKEEP = {
    "freeze": TaskDoc(
        "Freezes the deployment, or thaws it: writes who, why and until when. Changes nothing of the "
        "endpoint.",
        "the form had no reason or a time that has passed, or the store in S3 could not be written. The "
        "deployment is as frozen as it was.",
        "start a new run with what the error asks for.",
    ),
    "teardown": TaskDoc(
        "Deletes the endpoint, then the alarms, configurations and models that were made for it, once its "
        "name was typed in. The ledger and the pinned archives stay.",
        "the name was not typed in, the deployment is frozen or out of its change window, or the endpoint "
        "was not made by this pipeline: nothing was deleted then. Or a call failed on the way: the log says "
        "what is left.",
        "start a new run with the endpoint's name, or once it may go on; where a call failed, clear this "
        "task: it goes on where it stopped. The way back is a new release.",
    ),
    "check_live": TaskDoc(
        "Compares what is live with the ledger's last word, and looks whether its instances could be "
        "started again: archive, image, role, model. Sends the smoke tests. Changes nothing.",
        "what it lists is wrong, for as long as it is; the topics were told once, when it was first seen. "
        "The endpoint may well be serving still.",
        "find out who changed what. To bring the released state back, start the rollback DAG with the "
        "number of the live release; to keep the change, put it into the spec and release. The next check "
        "closes what is mended.",
    ),
    "housekeeping": TaskDoc(
        "Deletes configurations, models, packages and archives that the spec's retention no longer keeps.",
        "a call was refused, or another run was changing the endpoint. Nothing that is needed was deleted.",
        "see to the worker's rights (`include/iam/retention-policy.json`) where the log names one; else "
        "nothing: the next run goes on where it stopped.",
    ),
}

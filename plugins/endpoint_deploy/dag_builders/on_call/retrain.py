"""The tasks of the retrain DAG."""

from endpoint_deploy.dag_builders.on_call.task_doc import TaskDoc

RETRAIN = {
    "merge_feedback": TaskDoc(
        "Joins captured requests with the ground truth delivered for them into new files below the training "
        "data. Skipped without `retrain.feedback`.",
        "too little of the truth found its request, or the joined rows are not as their suite says. Nothing "
        "was written.",
        "see the task's *Data Docs*, and the way the truth is delivered; then clear this task.",
    ),
    "select_data": TaskDoc(
        "Lists the training data, takes the window and keeps the list under its digest. The run ends here "
        "as *nothing new* where the last registered package comes from the same data, code and "
        "hyperparameters.",
        "there are no data, or more than `retrain.data.max_bytes`. Nothing was paid for.",
        "look below the prefix that the log names; take a smaller *Window* in the form, or raise the limit "
        "in the spec.",
    ),
    "check_data": TaskDoc(
        "Judges the rows, and how they differ from the last accepted training set, before a training job is "
        "paid for.",
        "the data are not fit to be trained on: the message says which expectation of which column, the "
        "task's *Data Docs* show all.",
        "have the data repaired, or where the world has changed, start a run with *Accept drift*.",
    ),
    "train": TaskDoc(
        "Trains by a training or tuning job that is named by its content: a retry adopts it and pays "
        "nothing twice. Waits without holding a worker. Killed, it stops the job that this run began.",
        "the script failed, no instance was to be had, or it took too long.",
        "read *Job's log*, or where the message says it is: mend the script or the data. Without capacity, "
        "clear this task later.",
    ),
    "validate_candidate": TaskDoc(
        "What `validate_artifact` does for a release: checksum, integrity, safety, manifest; then pins the "
        "model.",
        "the archive that the training made is not fit to be released. Nothing was registered; the log "
        "lists every finding.",
        "mend what the training script saves, and start a new run.",
    ),
    "evaluate": TaskDoc(
        "Has candidate and live champion answer the same held-out rows, in a processing job named by its "
        "content.",
        "the candidate does not answer as an endpoint would need it to, or the job could not run.",
        "the message says where the job's log is. Mend the model's code or the held-out data and start a "
        "new run; without capacity, clear this task later.",
    ),
    "gate_metrics": TaskDoc(
        "Measures both on the held-out rows and judges: bounds of their own, and not worse than the "
        "champion by more than the margin, with the confidence interval of the difference.",
        "the champion stays, and nothing was registered: the message has both models' metrics, the task's "
        "*Data Docs* show all.",
        "nothing is broken. A better candidate takes other data or hyperparameters; more held-out rows make "
        "the interval narrower.",
    ),
    "register": TaskDoc(
        "Registers the candidate in the model package group, with its metrics and where it comes from; one "
        "package for one candidate, however often it is tried. An approved package starts the deploy DAG; "
        "one that waits for approval does so once somebody has approved it in the registry.",
        "the registry refused the package: the log has its words. The candidate stays pinned.",
        "see to the worker's rights (`include/iam/retrain-policy.json`) or the group, then clear this task: "
        "nothing is trained again.",
    ),
    "record_retrain": TaskDoc(
        "Writes what became of the run to the endpoint's retrainings and tells the topics that want to "
        "know, whatever happened.",
        "the store in S3 could not be read or written. A package that was registered stays registered.",
        "see to the bucket or the worker's rights, then clear this task.",
    ),
}

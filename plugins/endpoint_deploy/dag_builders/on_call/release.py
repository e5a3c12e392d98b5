"""The tasks of the deploy and rollback DAGs."""

from endpoint_deploy.dag_builders.on_call.task_doc import TaskDoc

RELEASE = {
    "resolve_release": TaskDoc(
        "Decides what to release: the form's artifact or model package, the package of the event that "
        "started the run, the registry's newest approved one, with promotion what the other environment has "
        "released, else the spec's.",
        "what was asked for may not be released, such as a package that is not approved. Nothing was "
        "changed.",
        "the log says what it is and who has to do what: approve the package, release in the other "
        "environment, or start a run that names something else.",
    ),
    "validate_artifact": TaskDoc(
        "Reads the archive once: checksum, integrity, safety, manifest; then pins it under its digest.",
        "the archive is not fit to be released. Nothing was changed; the log lists every finding.",
        "have the archive built anew. Only for archives whose source you trust, set `model.unknown_pickles` "
        "to `accept`.",
    ),
    "plan": TaskDoc(
        "Takes the endpoint's lock, describes what is live and plans. The log shows the diff.",
        "another run is changing the endpoint, an alarm rings before the release has begun, or what was "
        "asked for cannot be done to what is live. Nothing was changed.",
        "wait for the run that the error names, or see to the alarm, then clear this task. Clear from here, "
        "too, where a later task says that the plan is stale.",
    ),
    "approve": TaskDoc(
        "Asks a person, who finds plan, warnings and metrics under *Required Actions*. Without a decision "
        "in time the release is rejected.",
        "it was rejected, nobody has decided in time, or somebody changed the endpoint meanwhile. Nothing "
        "was changed.",
        "talk to whoever rejected it: the error says who and with which note. Cleared, it asks again; where "
        "it says that the plan is stale, start a new run.",
    ),
    "hold": TaskDoc(
        "Waits, without a worker and without the endpoint's lock, while the deployment is frozen or out of "
        "its change window; the log, the XCom `held` and `status` say why and until when.",
        "it was held for longer than `changes.hold_timeout_seconds`, somebody changed the endpoint "
        "meanwhile, or the model package is no longer approved. Nothing was changed.",
        "start a new run once it may go on. The freeze DAG ends a freeze.",
    ),
    "create_model": TaskDoc(
        "Creates the planned models, or adopts identical ones.",
        "SageMaker refused one, or another one has its name. What is live was not touched.",
        "where it *exists and differs*, delete or rename what was made by hand; else see to the role, image "
        "or limit that the log names. Then clear this task.",
    ),
    "create_endpoint_config": TaskDoc(
        "Creates the planned endpoint configurations, or adopts identical ones.",
        "SageMaker refused one, or another one has its name. What is live was not touched.",
        "where it *exists and differs*, delete or rename what was made by hand; else mend the spec where "
        "the log says so, and start a new run.",
    ),
    "create_alarms": TaskDoc(
        "Creates the alarms that guard the update, on the new fleet alone. `record_release` removes them.",
        "CloudWatch refused one, or somebody else has one of that name. What is live was not touched.",
        "give the worker the rights that the log names, or rename the other alarm; then clear this task. "
        "Clear from here, too, where `apply_endpoint` says that one of them is gone.",
    ),
    "apply_endpoint": TaskDoc(
        "Creates or updates the endpoint: the first task that a client could notice.",
        "SageMaker refused the change, or what is live is not what was planned for. `roll_back` sees to "
        "what was begun.",
        "where the plan is stale, clear from `plan`; else see to the limit, role or capacity that the log "
        "names and start a new run.",
    ),
    "wait_for_endpoint": TaskDoc(
        "Waits, without holding a worker, until the endpoint has settled on the planned configuration.",
        "SageMaker could not start it, an alarm of `release.guard` rang, or it took longer than "
        "`endpoint.wait.timeout_seconds`. `roll_back` brings back what was live.",
        "read the containers' log (*CloudWatch logs* above): a container that does not start says why. "
        "Where there was no capacity, start a new run later or with another instance type.",
    ),
    "register_scaling": TaskDoc(
        "Registers the autoscaling of the variants that now stand, and suspends scale-in until the run has "
        "ended, so that the old release keeps its capacity for a way back. Skipped where nothing scales.",
        "Application Auto Scaling refused a target, a policy or a scheduled action: the log has its words. "
        "`roll_back` brings back what was live.",
        "often the worker lacks `include/iam/autoscaling-policy.json`. Attach it, or mend `autoscaling` in "
        "the spec, and start a new run.",
    ),
    "observe_shadow": TaskDoc(
        "Observes the candidate as a shadow of the champion: it gets copies of the requests, and answers no "
        "client.",
        "it must not take over: an alarm rang, or too few requests have reached it. No client was answered "
        "by it; `roll_back` removes it.",
        "look at its errors and latencies in the log. Too few requests: observe for longer, or ask for "
        "fewer by `release.least_requests`.",
    ),
    "smoke_test": TaskDoc(
        "Sends every payload to every variant that the release is about, and judges what comes back.",
        "the model does not answer as it must: the log says what was sent, found and expected. `roll_back` "
        "brings back what was live.",
        "look at *Data Docs* and at the containers' log; mend the model, or the expectations where they are "
        "wrong, and start a new run.",
    ),
    "shift_traffic": TaskDoc(
        "Moves the traffic to the candidate by weights, in the steps of the spec. After each it waits, "
        "without holding a worker, and looks at the alarms again and again. Skipped where the change itself "
        "moved it.",
        "something spoke against the candidate: the log says what, at which step. `roll_back` gives the "
        "traffic back.",
        "look at the release's page: each metric with its numbers. To stop a release by hand, mark this "
        "task failed: it is taken back. Cleared, it starts again at the first step.",
    ),
    "watch": TaskDoc(
        "Watches the release while it has all the traffic and the way back is still short: a staged one's "
        "champion stands by at weight 0. It waits without holding a worker. Skipped without "
        "`release.watch.seconds`.",
        "something spoke against the release meanwhile. `roll_back` gives the traffic back.",
        "look at the release's page: each metric with its numbers. Marked failed by hand, the release is "
        "taken back; marked a success, it is not watched any longer.",
    ),
    "retire_champion": TaskDoc(
        "Removes the old variants, and proves once more what then serves.",
        "the update did not end well, or the new instances do not answer as they must. `roll_back` brings "
        "back what was live.",
        "read the error and the containers' log; start a new run once the cause is gone.",
    ),
    "complete": TaskDoc(
        "Does nothing itself: it succeeds where every task of the release before it has succeeded or had "
        "nothing to do, so that a run that was rolled back does not end as a success.",
        "nothing of its own. *Upstream failed*: a task before it has failed. Skipped: a person ended the "
        "run.",
        "look at `outcome`.",
    ),
    "roll_back": TaskDoc(
        "Brings back what was live before, and proves it, where a task of the release failed or a person "
        "ended the run. Skipped where the release is complete.",
        "the endpoint could not be brought back, or does not pass its smoke tests now. It may be serving "
        "the failed release, or nothing.",
        "at once: look at the endpoint. The log says what is live and what was expected. Where the cause "
        "has passed, start the rollback DAG; else bring the endpoint by hand to the configuration that "
        "`plan` names under *Way back*.",
    ),
    "record_release": TaskDoc(
        "Writes what happened to the ledger and gives the endpoint's lock back, whatever happened.",
        "the store in S3 could not be read or written. The endpoint is as the tasks before it have left it; "
        "the ledger does not know yet, and the lock may still be held.",
        "see to the bucket or the worker's rights, then clear this task: a second try writes the same "
        "record, not another.",
    ),
    "outcome": TaskDoc(
        "The run's result in one sentence.",
        "the run did not come to what it was started for: a release failed, even after a good rollback, or "
        "a gate stopped data or a model. It says which, and why.",
        "go to the task that the error names: its documentation says what to do. Clearing this one alone "
        "changes nothing.",
    ),
}

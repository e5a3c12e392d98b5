"""What each task does and what its failure means, for the person on call: Airflow shows it on the task."""

ON_CALL = {
    "resolve_release": """
Decides which artifact and image to release: the form's, else the spec's.
""",
    "validate_artifact": """
Reads the archive once: checksum, integrity, safety, manifest; then pins it under its digest.

A failure means that the artifact is not fit to be released. Nothing was changed; the log lists every finding.
""",
    "plan": """
Takes the endpoint's lock, describes what is live and plans. The log shows the diff.

Clear from here where a later task says that the plan is stale.
""",
    "create_model": """
Creates the planned models, or adopts identical ones.
""",
    "create_endpoint_config": """
Creates the planned endpoint configurations, or adopts identical ones.
""",
    "apply_endpoint": """
Creates or updates the endpoint: the first task that a client could notice.
""",
    "wait_for_endpoint": """
Waits, without holding a worker, until the endpoint has settled on the planned configuration.

A failure means that SageMaker could not start it: see the endpoint's log group in CloudWatch.
""",
    "smoke_test": """
Sends every payload to every variant that the release is about, and judges what comes back.

A failure means that the model does not answer as it must: the log says what was sent, found and expected.
""",
    "shift_traffic": """
Moves the traffic to the candidate by weights. Skipped where the change itself moved it.
""",
    "retire_champion": """
Removes the old variants, and proves once more what then serves.
""",
    "roll_back": """
Runs where a task of the release failed: brings back what was live before, and proves it.

If it fails itself, look at the endpoint: the log says what is live, what was expected, and what to do.
""",
    "record_release": """
Writes what happened to the ledger and gives the endpoint's lock back, whatever happened.
""",
    "outcome": """
The run's result. Fails where the release failed, even after a good rollback.
""",
}

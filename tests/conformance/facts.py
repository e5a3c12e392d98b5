"""What this suite checks, by the ids its tests carry: `@pytest.mark.fact("error-01")`."""

ERRORS = {
    "error-01": "CreateEndpoint: the name is taken",
    "error-02": "CreateEndpointConfig: the name is taken",
    "error-03": "CreateModel: the name is taken",
    "error-04": "Describe, update or delete of a missing endpoint",
    "error-05": "A missing endpoint configuration",
    "error-06": "A missing model",
    "error-07": "Update, weights or delete while a change runs",
    "error-08": "A field whose form is wrong",
    "error-09": "CreateModel: the object is absent",
    "error-10": "CreateModel: the object is in another region",
    "error-11": "A quota",
    "error-12": "Features that do not go together",
    "error-13": "The container fails its ping",
    "error-14": "ARNs carry names in lower case",
    "error-15": "InvokeEndpoint of a missing endpoint",
    "error-16": "The container answers with an error",
    "error-17": "The container does not answer within 60 s",
    "error-18": "A body that is too long",
    "error-19": "Throttled: the runtime and the control plane",
    "error-20": "Not ready, unavailable, failure of a dependency",
    "error-21": "Weights for a variant named twice, or unknown",
    "error-22": "Lists: pages, order, filters",
    "error-23": "Training jobs: taken, missing, finished",
    "error-24": "A model package group's name is taken",
}

TRANSITIONS = {
    "creating-inservice": "Creating -> InService",
    "creating-failed": "Creating -> Failed",
    "failed-deleted": "Failed -> Deleting -> gone",
    "inservice-deleted": "InService -> Deleting -> gone",
    "updating-inservice": "InService -> Updating -> InService, on the new configuration",
    "updating-rollingback-inservice": "InService -> Updating -> RollingBack -> InService, on the old one",
    "weights-updating-inservice": "Weights and counts: InService -> Updating -> InService",
    "update-resets": "An update resets weights and counts, unless they are retained",
    "update-drops-capture": "An update drops data capture that the new configuration has not",
    "guardrail-canary": "Updating by a canary serves both, and ends on the new",
    "guardrail-linear": "Updating by linear steps serves both, and ends on the new",
    "guardrail-rolling": "Updating by rolling batches serves both, and ends on the new",
    "guardrail-alarm": "An alarm: Updating -> RollingBack -> InService, on the old one",
    **{
        f"{kind}-{end}": f"A {kind} job: InProgress -> {path}"
        for kind in ("training", "processing", "transform")
        for end, path in (
            ("completed", "Completed"),
            ("failed", "Failed"),
            ("stopped", "Stopping -> Stopped"),
        )
    },
    "inservice-outofservice": "InService -> OutOfService",
    "rollingback-updaterollbackfailed": "RollingBack -> UpdateRollbackFailed",
    "inservice-systemupdating": "InService -> SystemUpdating -> InService",
}

FACTS = {**ERRORS, **TRANSITIONS}

# What no caller of the service can bring about at will, and why. A fact may be here and have tests too:
# those that then run against the local SageMaker alone, by what it offers beside the service's API.
NOT_PROVOKABLE = {
    "error-20": "the service answers so when it is itself in trouble",
    "inservice-outofservice": "the service's own doing: no call leads there",
    "rollingback-updaterollbackfailed": "needs a rollback that fails, which no call can cause",
    "inservice-systemupdating": "the service's own maintenance: no call leads there",
}

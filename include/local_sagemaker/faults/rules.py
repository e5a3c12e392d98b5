"""The faults there are, and to what each can happen: one model for each kind.

Patterns are shell patterns (`*`, `?`, `[abc]`) and mind the case. Durations are real seconds, but for
those of provisioning, which are the service's and run `--time-scale` times as fast.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from local_sagemaker.faults.latency import Latency, Seconds

Pattern = Annotated[str, Field(min_length=1)]
ErrorStatus = Annotated[int, Field(ge=400, le=599)]


class Rule(BaseModel):
    """How often: the first `after` matches pass, then each is hit with `probability`, `count` times at
    most, until `for_seconds` after the rule was made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = None
    after: Annotated[int, Field(ge=0)] = 0
    count: Annotated[int, Field(ge=1)] | None = None
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    for_seconds: Annotated[float, Field(gt=0)] | None = None


class CallRule(Rule):
    """Happens to calls of an API: of any service, here or passed on.

    `service` is boto3's name (`sagemaker`, `sagemaker-runtime`, `s3`, `cloudwatch`, ...). `resource` is
    compared with the values of the call's members that name something (`EndpointName`, `ResourceArn`, a
    bucket, `bucket/key`, ...): one that matches is enough.
    """

    service: Pattern = "*"
    operation: Pattern = "*"
    resource: Pattern = "*"
    user_agent: Pattern = "*"


class Throttle(CallRule):
    """Refused in the service's own way: `ThrottlingException`, S3's `SlowDown`, ..."""

    fault: Literal["throttle"]


class Fail(CallRule):
    """Answered with an error, in the form of the call's protocol, and not carried out."""

    fault: Literal["error"]
    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9.]+$")] | None = None
    message: str | None = None
    status: ErrorStatus | None = None


class Timeout(CallRule):
    """Not carried out and never answered: cut after `hold_seconds`, or when the client has had enough."""

    fault: Literal["timeout"]
    hold_seconds: Seconds | None = None


class Reset(CallRule):
    """The connection is reset before the call takes effect."""

    fault: Literal["reset"]


class LostResponse(CallRule):
    """Carried out, and the connection reset before the answer."""

    fault: Literal["lost_response"]


class Delay(CallRule):
    """Carried out late, or in time and answered late (`effect_first`)."""

    fault: Literal["delay"]
    delay: Latency
    effect_first: bool = False


class ProvisioningRule(Rule):
    """Happens to an instance on its way up: of an endpoint's variant, or of a job."""

    kind: Literal["*", "endpoint", "training-job", "processing-job", "transform-job"] = "*"
    name: Pattern = "*"
    variant: Pattern = "*"
    config: Pattern = "*"
    instance_type: Pattern = "*"


class SlowProvisioning(ProvisioningRule):
    """Takes `seconds` of the service's time longer."""

    fault: Literal["slow_provisioning"]
    seconds: Seconds


class StuckProvisioning(ProvisioningRule):
    """Never comes up: goes on only when the rule is removed."""

    fault: Literal["stuck_provisioning"]


class InsufficientCapacity(ProvisioningRule):
    """Accepted, then failed for want of capacity: the reason is the endpoint's or job's FailureReason."""

    fault: Literal["insufficient_capacity"]


class ReplicaRule(Rule):
    """Happens to the processes behind an endpoint, at a request to one of them.

    `config` is the endpoint configuration, so that a new fleet can be hit and the old one not. `index`
    counts a variant's instances from 0 as they are started; what replaces one gets the next number.
    `container` is a pipeline's ContainerHostname, or `primary`.
    """

    endpoint: Pattern = "*"
    variant: Pattern = "*"
    config: Pattern = "*"
    container: Pattern = "*"
    index: Annotated[int, Field(ge=0)] | None = None


class ReplicaDies(ReplicaRule):
    """Killed by SIGKILL with the request in it, or (`now`) at once."""

    fault: Literal["replica_dies"]
    now: bool = False


class ReplicaLeaks(ReplicaRule):
    """Keeps `megabytes` more at each request; killed, as a container out of memory is, above
    `limit_megabytes` kept."""

    fault: Literal["replica_leaks"]
    megabytes: Annotated[float, Field(gt=0)]
    limit_megabytes: Annotated[float, Field(gt=0)] | None = None


class ReplicaSlow(ReplicaRule):
    """Takes that much longer to answer, and is busy all the while."""

    fault: Literal["replica_slow"]
    delay: Latency


class ReplicaErrors(ReplicaRule):
    """The container answers with an error of its own."""

    fault: Literal["replica_errors"]
    status: ErrorStatus = 500
    body: str = "injected fault"


class ReplicaHangs(ReplicaRule):
    """Never answers its ping."""

    fault: Literal["replica_hangs"]


class SpotInterruption(Rule):
    """A managed spot training job loses its instance `after_seconds` into a run."""

    fault: Literal["spot_interruption"]
    training_job: Pattern = "*"
    after_seconds: Seconds = 0.0


AnyRule = Annotated[
    Throttle
    | Fail
    | Timeout
    | Reset
    | LostResponse
    | Delay
    | SlowProvisioning
    | StuckProvisioning
    | InsufficientCapacity
    | ReplicaDies
    | ReplicaLeaks
    | ReplicaSlow
    | ReplicaErrors
    | ReplicaHangs
    | SpotInterruption,
    Field(discriminator="fault"),
]


class FaultFile(BaseModel):
    """What `--faults` reads and POST /_local/faults takes."""

    model_config = ConfigDict(extra="forbid")

    faults: list[AnyRule]

    @field_validator("faults")
    @classmethod
    def _one_of_each_id(cls, rules: list[AnyRule]) -> list[AnyRule]:
        ids = [rule.id for rule in rules if rule.id is not None]
        twice = sorted({each for each in ids if ids.count(each) > 1})
        if twice:
            raise ValueError(f"the same id more than once: {', '.join(twice)}")
        return rules

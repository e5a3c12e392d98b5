"""The plan: data with fixed slots, so that the DAG's shape never depends on what is live.

An empty slot is a task that has nothing to do. Nothing is planned again in the middle of a failure:
`roll_back_to` is fixed here, while the old release still serves.
"""

from typing import Any, Literal

from endpoint_deploy.core.scaling import ScalingPlan
from endpoint_deploy.core.strict import Strict

Action = Literal[
    "nothing", "create", "stage", "resume", "shadow", "direct", "reweigh", "recreate", "restore", "rescale"
]


class VariantTarget(Strict):
    """What a variant must have when a change has settled. `count` is None for a serverless variant."""

    name: str
    count: int | None
    weight: float


class PlannedModel(Strict):
    """A model by name; its body is derived again where it is created (it may hold secrets)."""

    name: str
    exists: bool


class PlannedConfig(Strict):
    """An endpoint configuration: CreateEndpointConfig's body, without tags."""

    name: str
    exists: bool
    body: dict[str, Any]
    tags: dict[str, str]


class PlannedAlarm(Strict):
    """An alarm that guards the update and goes with it: PutMetricAlarm's body, without tags."""

    name: str
    body: dict[str, Any]
    tags: dict[str, str]


class Live(Strict):
    """What the plan saw behind the endpoint's name; None: no endpoint."""

    status: str | None
    config: str | None


class EndpointChange(Strict):
    """One CreateEndpoint, UpdateEndpoint, or DeleteEndpoint and CreateEndpoint.

    `retain` lists the variant properties excluded from RetainAllVariantProperties; None: not retained.
    `deployment` is UpdateEndpoint's DeploymentConfig; None: all at once, and no alarm is watched.
    """

    operation: Literal["create", "update", "recreate"]
    config: str
    variants: tuple[VariantTarget, ...]
    retain: tuple[str, ...] | None = None
    deployment: dict[str, Any] | None = None


class ShiftStep(Strict):
    """Desired weights by variant, and the percentage of the traffic that they give the candidate."""

    percent: int
    weights: dict[str, float]


class Shift(Strict):
    """Desired weights by variant, candidate and champion together; `steps` come before them, in order."""

    weights: dict[str, float]
    steps: tuple[ShiftStep, ...] = ()

    @property
    def walk(self) -> tuple[ShiftStep, ...]:
        """All steps; the last gives the candidate everything."""
        return (*self.steps, ShiftStep(percent=100, weights=self.weights))


class Watch(Strict):
    """How long the release is watched once it has all the traffic, while the way back is still short."""

    seconds: int


class Observation(Strict):
    """A shadow to be observed: its variant, that of the champion, for how long, and how often it is asked."""

    shadow: str
    champion: str
    seconds: int
    least_requests: int


class PlannedTest(Strict):
    """An A/B test: the candidate's percentage of the traffic, what names a winner, and how long it may last.

    champion_percent: its rate, as far as it is known; samples: planned of each side; trials: of both together
    that are worth as many; seconds: how long they take at the present traffic, None where that is unknown.
    """

    percent: int
    metric: str
    least_difference: float
    champion_percent: float | None
    samples: int
    trials: int
    seconds: int | None = None
    least_seconds: int
    most_seconds: int
    on_inconclusive: str


class RollBackTo(Strict):
    """Where a failure leads back to. Without one, a failed first release leaves nothing behind."""

    config: str
    variants: tuple[VariantTarget, ...]


class Difference(Strict):
    """One line of the diff; None on a side: not there."""

    path: str
    before: str | None
    after: str | None


class Plan(Strict):
    """What a release will do, from what it saw."""

    endpoint: str
    action: Action
    summary: str
    expects: Live
    artifact_sha256: str | None = None
    models: tuple[PlannedModel, ...] = ()
    config: PlannedConfig | None = None
    joint: PlannedConfig | None = None
    alarms: tuple[PlannedAlarm, ...] = ()
    change: EndpointChange | None = None
    observe: Observation | None = None
    proves: tuple[str, ...] = ()
    shift: Shift | None = None
    test: PlannedTest | None = None
    watch: Watch | None = None
    retire: EndpointChange | None = None
    roll_back_to: RollBackTo | None = None
    scaling: ScalingPlan | None = None
    live_after: RollBackTo | None = None
    differences: tuple[Difference, ...] = ()
    warnings: tuple[str, ...] = ()
    costs: tuple[str, ...] = ()
    plan_only: bool = False

    @property
    def executes(self) -> bool:
        """Whether anything will be changed."""
        return not self.plan_only and self.action != "nothing"

    @property
    def staged_on(self) -> str | None:
        """The configuration on which traffic is shifted: what the change leads to, or what is live."""
        return self.change.config if self.change else self.expects.config

    @property
    def own_configs(self) -> frozenset[str]:
        """The configurations that this release may put behind the endpoint."""
        return frozenset(c.name for c in (self.config, self.joint) if c)

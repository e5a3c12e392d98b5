"""The plan: data with fixed slots, so that the DAG's shape never depends on what is live.

An empty slot is a task that has nothing to do. Nothing is planned again in the middle of a failure:
`roll_back_to` is fixed here, while the old release still serves.
"""

from typing import Any, Literal

from endpoint_deploy.core.spec import Strict

Action = Literal["nothing", "create", "stage", "resume", "direct", "reweigh", "recreate", "restore"]


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


class Live(Strict):
    """What the plan saw behind the endpoint's name; None: no endpoint."""

    status: str | None
    config: str | None


class EndpointChange(Strict):
    """One CreateEndpoint, UpdateEndpoint, or DeleteEndpoint and CreateEndpoint.

    `retain` lists the variant properties excluded from RetainAllVariantProperties; None: not retained.
    """

    operation: Literal["create", "update", "recreate"]
    config: str
    variants: tuple[VariantTarget, ...]
    retain: tuple[str, ...] | None = None


class Shift(Strict):
    """Desired weights by variant, candidate and champion together."""

    weights: dict[str, float]


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
    change: EndpointChange | None = None
    proves: tuple[str, ...] = ()
    shift: Shift | None = None
    retire: EndpointChange | None = None
    roll_back_to: RollBackTo | None = None
    live_after: RollBackTo | None = None
    differences: tuple[Difference, ...] = ()
    warnings: tuple[str, ...] = ()
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

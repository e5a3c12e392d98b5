"""A small hosting service as a pure state machine: what a way back does to an endpoint, step by step.

It refuses what SageMaker refuses: a change of what is in progress or broken, variants and configurations
that are not there, a second endpoint of the name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from endpoint_deploy.core.observed import ObservedConfig, ObservedEndpoint, ObservedVariant
from endpoint_deploy.core.plan import EndpointChange, Plan
from endpoint_deploy.core.rollback import Adjust, Create, Delete, Done, Step, Stuck, Update, Wait, next_step
from tests.core.builders import endpoint_on

_UPDATABLE = {"InService", "UpdateRollbackFailed"}
_SERVING = {"InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed"}


class Refused(Exception):
    """The service would answer ValidationException."""


@dataclass
class Service:
    """One endpoint, the configurations that exist, and those whose containers never start."""

    configs: dict[str, ObservedConfig]
    endpoint: ObservedEndpoint | None
    broken: frozenset[str] = frozenset()
    seen: list[ObservedEndpoint | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.seen.append(self.endpoint)

    def become(self, endpoint: ObservedEndpoint | None) -> None:
        self.endpoint = endpoint
        self.seen.append(endpoint)

    def _existing(self, name: str) -> ObservedConfig:
        if name not in self.configs:
            raise Refused(f"Could not find endpoint configuration {name!r}.")
        return self.configs[name]

    def _live(self, *statuses: str) -> ObservedEndpoint:
        if self.endpoint is None or self.endpoint.status not in statuses:
            raise Refused(f"Cannot change {self.endpoint}")
        return self.endpoint

    def create(self, config: str) -> None:
        if self.endpoint is not None:
            raise Refused("Cannot create already existing endpoint.")
        new = endpoint_on(self._existing(config))
        self.become(new.model_copy(update={"status": "Creating"}))
        self.become(new.model_copy(update={"status": "Failed" if config in self.broken else "InService"}))

    def delete(self) -> None:
        self._live("InService", "Failed", "OutOfService", "UpdateRollbackFailed")
        self.become(None)

    def update(self, config: str, retain: tuple[str, ...] | None = None) -> None:
        old = self._live(*_UPDATABLE)
        new = endpoint_on(self._existing(config))
        if retain is not None:
            new = _retained(new, old, exclude=retain)
        self.become(old.model_copy(update={"status": "Updating"}))
        self.become(old if config in self.broken else new)

    def adjust(self, weights: Mapping[str, float], counts: Mapping[str, int]) -> None:
        old = self._live("InService")
        if not weights.keys() | counts.keys() <= old.weights.keys():
            raise Refused("a variant is not in the configuration")
        if len(counts) > 1:
            raise Refused("the capacity of one variant at a time")
        changed = tuple(
            _variant(v, counts.get(v.name, v.desired_count), weights.get(v.name, v.desired_weight))
            for v in old.variants
        )
        self.become(old.model_copy(update={"status": "Updating"}))
        self.become(old.model_copy(update={"variants": changed}))

    def apply(self, change: EndpointChange) -> None:
        """A slot of a plan, as its operator carries it out."""
        if change.operation == "recreate":
            self.delete()
        if change.operation == "update":
            self.update(change.config, change.retain)
        else:
            self.create(change.config)

    def take(self, step: Step) -> None:
        match step:
            case Wait():
                assert self.endpoint
                self.become(self.endpoint.model_copy(update={"status": "InService"}))
            case Adjust():
                self.adjust(step.weights, step.counts)
            case Update():
                self.update(step.config, step.retain)
            case Create():
                self.create(step.config)
            case Delete():
                self.delete()
            case _:
                raise AssertionError(f"{step} is the end of the way")


def walk_back(plan: Plan, service: Service, *, most: int = 12) -> tuple[list[Step], Done | Stuck]:
    """Take steps until there is none; the steps and the end."""
    taken: list[Step] = []
    for _ in range(most):
        step = next_step(plan, service.endpoint, taken)
        if isinstance(step, Done | Stuck):
            return taken, step
        service.take(step)
        taken.append(step)
    raise AssertionError(f"no end after {most} steps: {taken}")


def serves(endpoint: ObservedEndpoint | None) -> bool:
    """Whether a client's request would find a variant with traffic and instances."""
    return (
        endpoint is not None
        and endpoint.status in _SERVING
        and any(v.desired_weight > 0 and v.desired_count != 0 for v in endpoint.variants)
    )


def never_stops_serving(seen: Iterable[ObservedEndpoint | None]) -> bool:
    """Whether the endpoint, once it serves, serves in every state after."""
    states = [serves(endpoint) for endpoint in seen]
    return states == sorted(states)


def _variant(variant: ObservedVariant, count: int | None, weight: float) -> ObservedVariant:
    return ObservedVariant(
        name=variant.name,
        desired_count=count,
        current_count=count,
        desired_weight=weight,
        current_weight=weight,
    )


def _retained(new: ObservedEndpoint, old: ObservedEndpoint, *, exclude: tuple[str, ...]) -> ObservedEndpoint:
    before = {v.name: v for v in old.variants}
    variants = []
    for variant in new.variants:
        kept = before.get(variant.name, variant)
        count = variant if "DesiredInstanceCount" in exclude else kept
        weight = variant if "DesiredWeight" in exclude else kept
        variants.append(_variant(variant, count.desired_count, weight.desired_weight))
    return new.model_copy(update={"variants": tuple(variants)})

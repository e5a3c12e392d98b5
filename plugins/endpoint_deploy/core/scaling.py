"""How a variant is scaled: a scalable target with all that belongs to it, as it can be registered again."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from endpoint_deploy.core.strict import Strict

PolicyKind = Literal["TargetTrackingScaling", "StepScaling"]
POLICY = "<policy>"  # in an alarm's actions: the ARN of its policy, new each time it is put

# What the service takes where nothing is said (PutScalingPolicy's reference, for endpoint variants).
_DEFAULTS: dict[PolicyKind, dict[str, Any]] = {
    "TargetTrackingScaling": {"ScaleInCooldown": 300, "ScaleOutCooldown": 300, "DisableScaleIn": False},
    "StepScaling": {"Cooldown": 300, "MetricAggregationType": "Average"},
}


class Policy(Strict):
    """A scaling policy: PutScalingPolicy's configuration.

    alarms: of a step policy, PutMetricAlarm's bodies; what names the policy in their actions is `POLICY`.
    """

    name: str
    kind: PolicyKind
    config: dict[str, Any]
    alarms: tuple[dict[str, Any], ...] = ()

    def same(self, other: "Policy") -> bool:
        """Whether putting it would change nothing: what is not said is the service's default."""
        full = [(p.name, p.kind, _plain(full_config(p)), sorted(map(_text, p.alarms))) for p in (self, other)]
        return full[0] == full[1]


def full_config(policy: Policy) -> dict[str, Any]:
    """A policy's configuration with the service's defaults."""
    return {**_DEFAULTS[policy.kind], **policy.config}


class ScheduledAction(Strict):
    """A scheduled action; times are ISO 8601."""

    name: str
    schedule: str
    timezone: str | None = None
    start: str | None = None
    end: str | None = None
    action: dict[str, int]

    def same(self, other: "ScheduledAction") -> bool:
        """Whether putting it would change nothing; times of day are UTC's unless said otherwise."""
        mine, its = ({**a.model_dump(), "timezone": a.timezone or "UTC"} for a in (self, other))
        return mine == its


class Scaling(Strict):
    """A scalable target. `suspended` by the names of SuspendedState.

    held: a release has suspended its scale-in, and has not given it back; the rest is as it was before.
    """

    minimum: int
    maximum: int
    suspended: dict[str, bool] = Field(default={})
    policies: tuple[Policy, ...] = ()
    scheduled: tuple[ScheduledAction, ...] = ()
    tags: dict[str, str] = Field(default={})
    held: bool = False

    def within(self, count: int) -> int:
        """The count that the target's bounds allow."""
        return min(max(count, self.minimum), self.maximum)

    def has_bounds(self, live: "Scaling") -> bool:
        """Whether a live target's bounds are these, or such as one of its scheduled actions has set."""
        least = {self.minimum} | {
            a.action["MinCapacity"] for a in self.scheduled if "MinCapacity" in a.action
        }
        most = {self.maximum} | {a.action["MaxCapacity"] for a in self.scheduled if "MaxCapacity" in a.action}
        return live.minimum in least and live.maximum in most

    def same(self, live: "Scaling") -> bool:
        """Whether a live target is this one, tags aside."""
        return (
            self.has_bounds(live)
            and _set(self.suspended) == _set(live.suspended)
            and _pairwise(self.policies, live.policies)
            and _pairwise(self.scheduled, live.scheduled)
        )


class ScalingPlan(Strict):
    """The scaling of an endpoint's variants, by their names.

    before: as it was live, what a rollback restores; after: what the release ends with. `floors` are the
    counts below which a variant does not come while the release lasts.
    """

    before: dict[str, Scaling] = Field(default={})
    after: dict[str, Scaling] = Field(default={})
    floors: dict[str, int] = Field(default={})

    @property
    def dropped(self) -> tuple[str, ...]:
        """Variants to be deregistered before they go."""
        return tuple(name for name in self.before if name not in self.after)


def renamed(scaling: Scaling, before: str, after: str) -> Scaling:
    """The same for a variant of another name: dimensions and alarms that named the old one name the new."""
    policies = tuple(
        Policy.model_validate(
            {**p.model_dump(), "config": _renamed(p.config, before, after),
             "alarms": [_alarm_of(a, before, after) for a in p.alarms]}
        )
        for p in scaling.policies
    )  # fmt: skip
    return scaling.model_copy(update={"policies": policies, "held": False})


def _alarm_of(alarm: dict[str, Any], before: str, after: str) -> dict[str, Any]:
    name = str(alarm["AlarmName"])
    own = name.replace(before, after) if before in name else f"{name}-{after}"
    return {**_renamed(alarm, before, after), "AlarmName": own}


def _renamed(value: Any, before: str, after: str) -> Any:
    if isinstance(value, Mapping):
        if value.get("Name") == "VariantName" and value.get("Value") == before:
            return {**value, "Value": after}
        return {key: _renamed(each, before, after) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_renamed(each, before, after) for each in value]
    return value


def _set(suspended: Mapping[str, bool]) -> set[str]:
    return {name for name, on in suspended.items() if on}


def _pairwise(mine: tuple[Any, ...], live: tuple[Any, ...]) -> bool:
    by_name = {each.name: each for each in live}
    return by_name.keys() == {m.name for m in mine} and all(m.same(by_name[m.name]) for m in mine)


def _plain(value: Any) -> Any:
    """Comparable: numbers as floats, sequences as tuples, nothing that is not said."""
    if isinstance(value, Mapping):
        return tuple(sorted((k, _plain(v)) for k, v in value.items() if v is not None and v != []))
    if isinstance(value, list | tuple):
        return tuple(_plain(each) for each in value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _text(value: Mapping[str, Any]) -> str:
    return str(_plain(value))

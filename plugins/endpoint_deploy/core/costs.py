"""Roughly what a release costs in instances: instance-hours, and money where the spec names prices."""

from collections import Counter

from endpoint_deploy.core.ab_spec import AbTestRelease
from endpoint_deploy.core.guardrail_spec import AllAtOnce, Rolling
from endpoint_deploy.core.plan import EndpointChange
from endpoint_deploy.core.release_spec import DirectRelease
from endpoint_deploy.core.requests import Desired
from endpoint_deploy.core.spec import DeploymentSpec

_HOUR = 3600
_DAY_HOURS = 24


def costs(
    spec: DeploymentSpec, want: Desired, change: EndpointChange | None, retire: EndpointChange | None
) -> tuple[str, ...]:
    """What a change needs beside what runs, for how long at least, and what runs a day afterwards.

    change: to the configuration that the release ends on, or to the joint one; retire: from that one on.
    """
    types = {v.name: spec.endpoint.variants[i].instance_type for i, v in enumerate(want.variants)}
    fleet: Counter[str] = Counter()
    if change is not None:
        for target in (retire or change).variants:
            instance_type = types.get(target.name)
            if instance_type and target.count:
                fleet[instance_type] += target.count
    if change is None or not fleet:
        return ()
    said = [_during(spec, change, retire, fleet)] if change.operation == "update" else []
    said.append(f"afterwards {_fleet(fleet)}, a day: {_hours(spec, fleet, _DAY_HOURS)}")
    return tuple(line for line in said if line)


def _during(
    spec: DeploymentSpec, change: EndpointChange, retire: EndpointChange | None, fleet: Counter[str]
) -> str:
    release = spec.release
    routing = release.routing if isinstance(release, DirectRelease) else AllAtOnce()
    beside = "until the old ones have stopped"
    if retire is not None and release.strategy == "shadow":
        return _beside(spec, fleet, "the shadow is observed", release.observe_seconds)
    if retire is not None and isinstance(release, AbTestRelease):
        least, most = (
            _hours(spec, fleet, each / _HOUR) for each in (release.least_seconds, release.most_seconds)
        )
        return f"beside what runs {_fleet(fleet)} more while the A/B test lasts: from {least} to {most}"
    if retire is not None and release.strategy == "staged":
        seconds = len(release.steps) * release.step.least_seconds + release.watch.seconds
        if seconds:
            return _beside(spec, fleet, "steps and watch last", seconds)
    if change.deployment is None:
        return f"during the update {_fleet(fleet)} more, {beside}"
    seconds = max(routing.bake_seconds(v.count) for v in change.variants if v.count)
    extra = fleet
    if isinstance(routing, Rolling):
        extra = Counter({kind: routing.maximum_batch_size.instances(n) for kind, n in fleet.items()})
    if not seconds:
        return f"during the update {_fleet(extra)} more, {beside}"
    return (
        f"during the update {_fleet(extra)} more, for at least {_rounded(seconds / 60)} minutes of waiting: "
        f"{_hours(spec, extra, seconds / _HOUR)}"
    )


def _beside(spec: DeploymentSpec, fleet: Counter[str], while_: str, seconds: float) -> str:
    hours = _hours(spec, fleet, seconds / _HOUR)
    return (
        f"beside what runs {_fleet(fleet)} more while {while_}, for at least {_rounded(seconds / 60)} "
        f"minutes: {hours}"
    )


def _hours(spec: DeploymentSpec, fleet: Counter[str], hours: float) -> str:
    total = sum(fleet.values()) * hours
    said = f"{_rounded(total)} instance-hours"
    if all(kind in spec.prices for kind in fleet):
        money = sum(spec.prices[kind] * count for kind, count in fleet.items()) * hours
        said += f", {money:.2f} at the spec's prices"
    return said


def _rounded(hours: float) -> str:
    return f"{hours:.2f}".rstrip("0").rstrip(".")


def _fleet(fleet: Counter[str]) -> str:
    return " and ".join(f"{count} {kind}" for kind, count in sorted(fleet.items()))

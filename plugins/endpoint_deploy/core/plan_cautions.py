"""What a plan tells a person before the release: where it quietly does less, and what it resets."""

from collections.abc import Iterable, Mapping

from endpoint_deploy.core import tags
from endpoint_deploy.core.guardrail_spec import AllAtOnce
from endpoint_deploy.core.guardrails import excluded
from endpoint_deploy.core.observed import Observed, same_weight
from endpoint_deploy.core.plan import EndpointChange, Plan, RollBackTo
from endpoint_deploy.core.release_spec import SIDE_BY_SIDE, DirectRelease
from endpoint_deploy.core.requests import Body, Desired
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.errors import ReleaseFailed

_UNDECIDED = "INSUFFICIENT_DATA"


def cautions(
    spec: DeploymentSpec,
    want: Desired,
    seen: Observed,
    *,
    back: RollBackTo | None,
    change: EndpointChange | None,
    final: Body,
) -> tuple[str, ...]:
    """Everything to be said of a plan. change: its first change; final: the configuration it ends on."""
    said = list(_standing(spec, seen, back))
    if change is not None:
        said += _unguarded(spec, want, seen, change)
        said += _too_short(spec, change)
        said += _lost(seen, final)
        if change.operation == "update" and spec.release.strategy == "direct":
            said += _reset_weights(want, seen)
    return tuple(said)


def with_alarms(plan: Plan, spec: DeploymentSpec, states: Mapping[str, str]) -> Plan:
    """The plan with what is to be said of the spec's own alarms. states: by name, of those that exist.

    Raises ReleaseFailed where one rings already, since it would blame the candidate, and where SageMaker
    is to watch one that does not exist, since UpdateEndpoint would fail. A plan that nobody is to carry out
    says so instead.
    """
    if plan.action == "nothing" or not spec.alarms:
        return plan
    stops = list(_stopping(plan, spec, states))
    if stops and plan.executes:
        what, then = stops[0]
        raise ReleaseFailed(f"{what}. Nothing was changed: {then}, then clear from `plan`")
    said = [f"a release would be refused now: {what}" for what, _ in stops]
    return plan.model_copy(update={"warnings": (*plan.warnings, *said, *alarm_cautions(spec, states))})


def _stopping(plan: Plan, spec: DeploymentSpec, states: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Why the alarms as they are stop a release, and what to do about it."""
    if ringing := [name for name in spec.alarms if states.get(name) == "ALARM"]:
        yield f"{', '.join(ringing)} is in ALARM before the release; expected OK", "see to the alarm"
    missing = [name for name in spec.alarms if name not in states]
    if missing and plan.change and plan.change.deployment:
        why = "does not exist, and SageMaker refuses an update that it is to guard"
        yield f"alarm {', '.join(missing)} {why}", "create it, or take it out of `alarms`"


def alarm_cautions(spec: DeploymentSpec, states: Mapping[str, str]) -> tuple[str, ...]:
    """What there is to say of alarms that cannot ring as they are."""
    said = [f"alarm {name} does not exist and guards nothing" for name in spec.alarms if name not in states]
    said += [
        f"alarm {name} has no data ({_UNDECIDED}) and guards nothing until it has"
        for name in spec.alarms
        if states.get(name) == _UNDECIDED
    ]
    return tuple(said)


def _standing(spec: DeploymentSpec, seen: Observed, back: RollBackTo | None) -> Iterable[str]:
    endpoint, config = seen.endpoint, seen.config
    if endpoint and config is not None and not tags.ours(config.tags, spec.endpoint_name):
        yield f"the live configuration {endpoint.config} was not made by this pipeline"
    if endpoint and back is None:
        yield "there is no way back: no other configuration is known to be good"
    release = spec.release
    steps = isinstance(release, SIDE_BY_SIDE) and release.percents
    if spec.analysis is None:
        return
    if not steps and not release.watch.seconds:
        yield "the analysis judges nothing: the release has neither steps nor a watch"
    if spec.analysis.replay is None and release.watch.seconds:
        yield (
            "the analysis judges nothing during the watch: the champion has no traffic then, and with "
            "analysis.replay null nobody asks it; only alarms are watched"
        )


def _unguarded(spec: DeploymentSpec, want: Desired, seen: Observed, change: EndpointChange) -> Iterable[str]:
    """Guardrails that were asked for and are not in force: the service would say nothing of it."""
    release = spec.release
    if not isinstance(release, DirectRelease) or change.deployment is not None:
        return  # a staged or shadow release asks for none
    asked = [f"{release.routing.type} routing"] if release.routing != AllAtOnce() else []
    asked += ["guard"] if release.guard else []
    asked += ["alarms"] if spec.alarms else []
    why = excluded(want, seen, spec)
    if asked and why:
        yield (
            f"without SageMaker's guardrails ({', '.join(asked)}): {why}; all traffic moves at once, and no "
            "alarm is watched meanwhile"
        )


def _too_short(spec: DeploymentSpec, change: EndpointChange) -> Iterable[str]:
    """Alarms without a wait, waits without an alarm, and alarms that look back further than the wait."""
    release = spec.release
    if not isinstance(release, DirectRelease) or change.deployment is None:
        return
    counts = [v.count for v in change.variants if v.count is not None]
    baking = max((release.routing.bake_seconds(count) for count in counts), default=0)
    guarded = "AutoRollbackConfiguration" in change.deployment
    if guarded and not baking:
        yield "the alarms guard nothing: SageMaker watches them during waits, and routing has none"
    if baking and not guarded:
        yield f"the waits of {baking} seconds guard nothing: no alarm is watched during them"
    if release.guard and 0 < baking < release.guard.span_seconds:
        yield (
            f"guard looks back {release.guard.span_seconds} seconds, and the waits are {baking} together: "
            "it may ring too late"
        )
    for key, size, _, _ in release.routing.bounded():
        forward = not key.startswith("rollback_")
        if (
            forward
            and size.type == "capacity_percent"
            and any(size.instances(count) >= count for count in counts)
        ):
            yield f"{key} of {size.words} is the whole fleet of one instance: all traffic moves at once"


def _lost(seen: Observed, final: Body) -> Iterable[str]:
    """What the live configuration has and the new one has not."""
    config = seen.config
    if config is None:
        return
    if config.features:
        yield f"the update drops {' and '.join(config.features)}, which the live configuration has"
    if (config.data_capture or {}).get("EnableCapture") and "DataCaptureConfig" not in final:
        yield "the update ends data capture, which the live configuration has and the spec has not"


def _reset_weights(want: Desired, seen: Observed) -> Iterable[str]:
    """Weights that somebody has set since: an update brings back the declared ones."""
    live = seen.endpoint.weights if seen.endpoint else {}
    declared = {
        v["VariantName"]: v.get("InitialVariantWeight", 1.0)
        for v in (seen.config.variants if seen.config else ())
    }
    for variant in want.variants:
        now = live.get(variant.name)
        moved = now is not None and not same_weight(now, declared.get(variant.name, now))
        if now is not None and moved and not same_weight(now, variant.weight):
            yield f"the update resets {variant.name}'s weight of {now:g} to the spec's {variant.weight:g}"

"""What a plan says of an A/B test beforehand: the split, how many samples it takes, and how long that is."""

from endpoint_deploy.core.ab_samples import samples_planned, trials_planned
from endpoint_deploy.core.ab_spec import AbTestRelease
from endpoint_deploy.core.plan import Plan, PlannedTest
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.core.strict import Strict

_WITHOUT = {
    "create": "there is no champion yet",
    "recreate": "no champion serves",
    "direct": "the candidate cannot stand beside the champion",
    "resume": "it is the champion itself that is released",
}
_DAY = 86_400
_POINTS = 100.0


class ChampionRate(Strict):
    """What CloudWatch has of the champion's metric within so many seconds until now."""

    trials: int
    successes: int
    seconds: float


def with_test(plan: Plan, spec: DeploymentSpec) -> Plan:
    """The plan with its A/B test, or with the warning that there is none."""
    release = spec.release
    if not isinstance(release, AbTestRelease) or not (plan.change or plan.retire):
        return plan
    if plan.shift is None or not plan.shift.steps:
        why = _WITHOUT.get(plan.action, "the champion has no traffic")
        return _warned(plan, f"there is no A/B test: {why}; the smoke tests alone are before all the traffic")
    expected = release.metric.expected_percent
    return plan.model_copy(update={"test": _test(release, expected / _POINTS if expected else None)})


def champions_of(plan: Plan) -> tuple[str, ...]:
    """The champion's variants, whose metric is worth a look while planning; none where there is no test."""
    if plan.test is None or plan.roll_back_to is None:
        return ()
    return tuple(v.name for v in plan.roll_back_to.variants if v.weight > 0 and v.name not in plan.proves)


def with_rate(plan: Plan, spec: DeploymentSpec, found: ChampionRate | str) -> Plan:
    """The plan with what CloudWatch has of the champion; found: that, or why it could not be read."""
    release = spec.release
    if not isinstance(release, AbTestRelease) or plan.test is None:
        return plan
    label = release.metric.label
    if isinstance(found, str):
        return _warned(plan, f"the A/B test's metric could not be read: {found}")
    if not found.trials:
        return _warned(
            plan,
            f"{label} has no data of the champion within the last day: a test without any is inconclusive",
        )
    test = _test(release, found.successes / found.trials)
    seconds = test.trials / (found.trials / found.seconds)
    plan = plan.model_copy(update={"test": test.model_copy(update={"seconds": round(seconds)})})
    if seconds > release.most_seconds:
        return _warned(
            plan,
            f"the A/B test takes about {seconds / _DAY:.3g} days at {found.trials} trials a day, and "
            f"most_seconds are {release.most_seconds / _DAY:.3g} days: it will probably be inconclusive",
        )
    return plan


def _test(release: AbTestRelease, rate: float | None) -> PlannedTest:
    samples = samples_planned(release.metric, rate)
    return PlannedTest(
        percent=release.split_percent,
        metric=release.metric.label,
        least_difference=release.metric.least_difference,
        champion_percent=None if rate is None else _POINTS * rate,
        samples=samples,
        trials=trials_planned(samples, release.split_percent),
        least_seconds=release.least_seconds,
        most_seconds=release.most_seconds,
        on_inconclusive=release.on_inconclusive,
    )


def _warned(plan: Plan, warning: str) -> Plan:
    return plan.model_copy(update={"warnings": (*plan.warnings, warning)})

import pytest

from endpoint_deploy.core.observed import ObservedEndpoint, ObservedVariant
from endpoint_deploy.core.plan import VariantTarget
from endpoint_deploy.core.settle import settle, shortfalls

WANTED = (VariantTarget(name="a", count=2, weight=0.3), VariantTarget(name="b", count=1, weight=0.0))


def _variant(name: str, *, count: int | None, weight: float, current: int | None = None) -> ObservedVariant:
    return ObservedVariant(
        name=name,
        desired_count=count,
        current_count=count if current is None else current,
        desired_weight=weight,
        current_weight=weight,
    )


A, B = _variant("a", count=2, weight=0.30000001192092896), _variant("b", count=1, weight=0.0)


def _endpoint(
    *variants: ObservedVariant, status: str = "InService", config: str = "new", reason: str | None = None
) -> ObservedEndpoint:
    return ObservedEndpoint(
        name="churn-prod",
        status=status,
        config=config,
        pending_config=None,
        variants=variants or (A, B),
        failure_reason=reason,
    )


def test_in_service_as_planned_is_settled_to_the_precision_of_the_service() -> None:
    assert settle(_endpoint(), config="new", variants=WANTED).phase == "settled"


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"])
def test_a_change_in_progress_is_not_settled(status: str) -> None:
    judged = settle(_endpoint(status=status), config="new", variants=WANTED)
    assert judged.phase == "in_progress"
    assert status in judged.reason


@pytest.mark.parametrize("status", ["Failed", "OutOfService", "UpdateRollbackFailed", "SomethingNew"])
@pytest.mark.parametrize(("reason", "shown"), [("no ping", "no ping"), (None, "gave no reason")])
def test_any_other_status_has_failed(status: str, reason: str | None, shown: str) -> None:
    judged = settle(_endpoint(status=status, reason=reason), config="new", variants=WANTED)
    assert judged.phase == "failed"
    assert status in judged.reason
    assert shown in judged.reason


def test_an_endpoint_that_is_gone_has_failed() -> None:
    assert settle(None, config="new", variants=WANTED).phase == "failed"


@pytest.mark.parametrize(("reason", "shown"), [("no ping", "no ping"), (None, "gave no reason")])
def test_a_silent_rollback_is_elsewhere_with_or_without_a_reason(reason: str | None, shown: str) -> None:
    judged = settle(_endpoint(config="old", reason=reason), config="new", variants=WANTED)
    assert judged.phase == "elsewhere"
    assert "InService on old, expected new" in judged.reason
    assert shown in judged.reason


@pytest.mark.parametrize(
    ("variants", "said"),
    [
        ((_variant("a", count=2, current=1, weight=0.3), B), "variant a has 1 of 2 instances"),
        ((_variant("a", count=2, current=0, weight=0.3), B), "variant a has 0 of 2 instances"),
        ((_variant("a", count=2, weight=0.31), B), "variant a has weight 0.31 (desired 0.31), expected 0.3"),
        ((A, _variant("b", count=1, weight=0.001)), "variant b has weight 0.001"),
        ((A,), "variant b is missing"),
        ((A, B, _variant("c", count=1, weight=0.0)), "variant c is live, and not planned"),
    ],
)
def test_what_is_short_of_the_plan_is_still_in_progress(
    variants: tuple[ObservedVariant, ...], said: str
) -> None:
    judged = settle(_endpoint(*variants), config="new", variants=WANTED)
    assert judged.phase == "in_progress"
    assert said in judged.reason


def test_a_weight_still_on_its_way_is_in_progress() -> None:
    moving = A.model_copy(update={"current_weight": 0.0})
    assert settle(_endpoint(moving, B), config="new", variants=WANTED).phase == "in_progress"


def test_more_instances_than_planned_are_settled() -> None:
    more = _variant("a", count=5, current=5, weight=0.3)
    assert settle(_endpoint(more, B), config="new", variants=WANTED).phase == "settled"


def test_instances_that_autoscaling_took_away_are_not_waited_for() -> None:
    fewer = _variant("a", count=1, current=1, weight=0.3)
    assert settle(_endpoint(fewer, B), config="new", variants=WANTED).phase == "settled"


def test_a_serverless_variant_has_no_instances_to_be_short_of() -> None:
    serverless = _endpoint(_variant("a", count=None, weight=1.0))
    assert shortfalls(serverless, (VariantTarget(name="a", count=None, weight=1.0),)) == []


def test_an_unknown_desired_count_does_not_lower_the_planned_one() -> None:
    blank = A.model_copy(update={"desired_count": None, "current_count": None})
    assert shortfalls(_endpoint(blank, B), WANTED) == ["variant a has None of 2 instances"]

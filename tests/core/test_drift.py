"""How what is live differs from what was released, judged on what was described."""

import pytest

from endpoint_deploy.core import drift, part_drift
from endpoint_deploy.core.findings import Baseline
from endpoint_deploy.core.observed import ObservedEndpoint, ObservedVariant
from endpoint_deploy.core.plan import Difference, Live, Plan, RollBackTo, VariantTarget
from endpoint_deploy.core.record import RunRef
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.standing import LedgerWord

AT = "2026-01-01T00:00:00+00:00"
URI = "s3://b/model.tar.gz"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/churn:1"


def word(config: str = "c1", count: int = 2, weight: float = 1.0) -> LedgerWord:
    live = RollBackTo(config=config, variants=(VariantTarget(name="v", count=count, weight=weight),))
    release = Release(
        kind="deploy", outcome="released", deployment="churn__prod", endpoint="churn-prod", live=live,
        config_after=config, started_at=AT, finished_at=AT, seconds=1.0,
        run=RunRef(dag_id="d", run_id="r", run_type="manual"),
    )  # fmt: skip
    return LedgerWord(last=release, word=release, live=release)


def seen(
    config: str = "c1", count: int = 2, weight: float = 1.0, status: str = "InService"
) -> ObservedEndpoint:
    variant = ObservedVariant(
        name="v", desired_count=count, current_count=count, desired_weight=weight, current_weight=weight
    )
    return ObservedEndpoint(
        name="churn-prod", status=status, config=config, pending_config=None, variants=(variant,)
    )


@pytest.mark.parametrize(
    ("live", "kinds"),
    [
        (seen(), []),
        (None, ["endpoint"]),
        (seen("c2"), ["configuration"]),
        (seen(weight=0.5), ["weights"]),
        (seen(status="Failed"), ["status"]),
        (seen("c2", status="OutOfService"), ["status", "configuration"]),
    ],
)
def test_the_endpoint_is_held_to_the_ledger_s_last_word(
    live: ObservedEndpoint | None, kinds: list[str]
) -> None:
    assert [each.kind for each in drift.endpoint_drift(live, word())] == kinds


def test_where_nothing_is_to_be_live_nothing_is_missing() -> None:
    assert list(drift.endpoint_drift(None, LedgerWord())) == []


def test_counts_within_what_is_scaled_to_are_no_drift() -> None:
    live = seen(count=3)
    assert drift.other_counts(live, word()) == {"v": (3, 2)}
    assert drift.other_counts(seen("c2", count=3), word()) == {}  # of another configuration
    assert [each.subject for each in drift.count_drift(live, word(), {})] == ["v"]
    assert list(drift.count_drift(live, word(), {"v": (1, 3)})) == []
    (beyond,) = drift.count_drift(live, word(), {"v": (1, 2)})
    assert "expected 1 to 2 by its autoscaling" in beyond.message


def test_counts_and_weights_are_those_of_what_was_gone_back_to() -> None:
    released = word()
    assert released.last
    taken_back = released.last.model_copy(update={"outcome": "rolled_back", "live": None, "sequence": 2})
    after = LedgerWord(last=taken_back, word=taken_back, live=released.last)
    assert drift.other_counts(seen(count=3), after) == {"v": (3, 2)}
    assert [each.kind for each in drift.endpoint_drift(seen(weight=0.5), after)] == ["weights"]
    elsewhere = after.model_copy(update={"word": taken_back.model_copy(update={"config_after": "c0"})})
    assert elsewhere.proved is None


def test_the_spec_s_plan_is_told_with_its_first_differences() -> None:
    nothing = Plan(
        endpoint="e", action="nothing", summary="serves it", expects=Live(status="InService", config="c1")
    )
    assert list(drift.spec_drift(nothing)) == []
    other_names = nothing.model_copy(update={"action": "stage"})
    assert list(drift.spec_drift(other_names)) == []
    lines = tuple(Difference(path=f"p{number}", before="a", after="b") for number in range(7))
    (told,) = drift.spec_drift(nothing.model_copy(update={"action": "stage", "differences": lines}))
    assert "p0: a -> b; p1" in told.message
    assert "p4: a -> b and 2 more" in told.message


def test_alarms_that_ring_and_alarms_that_are_gone_are_two_things() -> None:
    found = list(drift.alarm_drift(["a", "b", "c"], {"a": "ALARM", "b": "OK"}))
    assert [each.subject for each in found] == ["a", "c gone"]


def test_an_archive_is_held_to_its_checksum_and_to_its_first_etag() -> None:
    known = Baseline(config="c1", artifacts={URI: "e1"})
    assert list(part_drift.artifact_drift(URI, "s1", ("e1", "s1"), known)) == []
    assert list(part_drift.artifact_drift(URI, "s1", ("e1", "s1"), Baseline())) == []
    for expected, found in (("s1", ("e2", "s1")), ("s1", ("e1", None)), (None, ("e2", None))):
        (changed,) = part_drift.artifact_drift(URI, expected, found, known)
        assert changed.subject == URI
    (gone,) = part_drift.artifact_drift(URI, "s1", None, known)
    assert gone.subject == f"{URI} gone"


def test_an_image_is_held_to_its_first_digest() -> None:
    known = Baseline(config="c1", images={IMAGE: "sha256:1"})
    assert list(part_drift.image_drift(IMAGE, "sha256:1", known)) == []
    assert list(part_drift.image_drift(IMAGE, "sha256:2", Baseline())) == []
    (pushed,) = part_drift.image_drift(IMAGE, "sha256:2", known)
    (gone,) = part_drift.image_drift(IMAGE, None, known)
    assert pushed.identity != gone.identity
    # One that ECR never knew may be a registry's that only SageMaker can see.
    assert list(part_drift.image_drift(IMAGE, None, Baseline())) == []

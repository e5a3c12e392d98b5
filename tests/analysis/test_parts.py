"""The parts of an analysis that need no endpoint: which requests, which sides, how answers are compared."""

import math
from typing import Any

import pytest

from endpoint_deploy.analysis.answers import compared, predictions_of
from endpoint_deploy.analysis.look import Sides, sides_of
from endpoint_deploy.analysis.measure import Measured
from endpoint_deploy.analysis.replay import Pair, Replayed
from endpoint_deploy.analysis.requests import chosen, request_of
from endpoint_deploy.core.analysis_spec import AnalysisSpec
from endpoint_deploy.core.judging import Disagreement, JudgePlan
from endpoint_deploy.core.observed import Observed
from endpoint_deploy.core.planner import make_plan
from endpoint_deploy.judge.judge import judge
from endpoint_deploy.judge.measurements import Answer, PairedAnswers, Unavailable
from tests.core.builders import candidate, spec, staged

POOL = [request_of(f"[{number}]".encode(), "application/json") for number in range(4)]


def test_requests_that_were_never_sent_come_first_and_then_all_of_them_in_turns() -> None:
    sent = frozenset(each.id for each in POOL[:2])
    assert chosen(POOL, sent, 3) == [POOL[2], POOL[3], POOL[0]]
    assert chosen(POOL, sent, 6) == [POOL[2], POOL[3], POOL[0], POOL[1], POOL[2], POOL[3]]


def test_the_same_body_in_another_content_type_is_another_request() -> None:
    one = request_of(b"1,2", "text/csv")
    assert (
        len({one.id, request_of(b"1,2", "text/plain").id, request_of(b"1,2", "text/csv", "text/csv").id}) == 3
    )
    assert request_of(b"1,2", "text/csv").id == one.id


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("application/json", b"[1, 2.5]", [1.0, 2.5]),
        ("application/json", b'{"predictions": [{"b": 1, "a": "x"}]}', [("x", 1.0)]),
        ("text/csv; charset=utf-8", b"0.25,0.75\n0.5,0.5\n", [(0.25, 0.75), (0.5, 0.5)]),
        ("application/json", b"[NaN]", ["nan"]),
        ("application/json", b"[true, null]", ["true", "null"]),
        ("application/json", b'[{"a": {"z": 1}}]', ['{"z": 1}']),
    ],
)
def test_answers_are_compared_by_their_parts(content_type: str, body: bytes, expected: list[Answer]) -> None:
    assert [compared(each) for each in predictions_of(content_type, body)] == expected


def test_of_an_answer_in_another_form_is_told_whether_it_is_the_same() -> None:
    one, same, other = (
        predictions_of("application/x-npy", body) for body in (b"\x93NUMPY1", b"\x93NUMPY1", b"\x93NUMPY2")
    )
    assert one == same
    assert one != other


@pytest.mark.parametrize(
    ("mine", "theirs", "differ"),
    [
        (1.0, 1.0, False),
        (0.71, 0.70, False),
        (0.9, 0.5, True),
        (3.0, 4.0, True),  # both whole: labels, however near
        (300.0, 301.0, True),
        (300.5, 301.0, False),
        ("cat", "dog", True),
        ("1", 1.0, True),
        ((0.2, 0.8), (0.21, 0.79), False),
        ((0.2, 0.8), (0.8, 0.2), True),
        ((0.2, 0.8), (0.2, 0.8, 0.0), True),
        ((0.2, 0.8), 0.2, True),
        (math.inf, 1.5, True),
    ],
)
def test_numbers_that_may_be_labels(mine: Answer, theirs: Answer, differ: bool) -> None:
    metric = Disagreement(name="d", of="either", relative=0.1, absolute=0.02, least=2, samples=2)
    (found,) = judge(
        JudgePlan(metrics=(metric,)), {"d": PairedAnswers(candidate=[mine] * 2, champion=[theirs] * 2)}
    ).metrics
    assert found.numbers is not None
    assert found.numbers.effect == float(differ)


def test_the_sides_of_a_staged_plan() -> None:
    _, plan = staged(spec())
    assert plan.roll_back_to is not None
    assert sides_of(plan) == Sides(
        candidate=dict.fromkeys(plan.proves, 1.0),
        champion={each.name: each.weight for each in plan.roll_back_to.variants},
    )


def test_a_first_release_has_nobody_to_be_compared_with() -> None:
    assert sides_of(make_plan(spec(), candidate(), Observed())) is None


def replayed(**more: Any) -> Replayed:
    return Replayed(pairs=(Pair(request="a", candidate=1.0, champion=1.0),), **more)


def test_a_side_that_answers_with_another_number_of_predictions_disagrees() -> None:
    analysis = AnalysisSpec.model_validate({"metrics": [{"kind": "disagreement"}]})
    one, two = ({"prediction": 1.0},), ({"prediction": 1.0}, {"prediction": 2.0})
    found = Measured([replayed(candidate={"a": one}, champion={"a": two})]).of(analysis)["disagreement"]
    assert isinstance(found, PairedAnswers)
    assert [a == b for a, b in zip(found.candidate, found.champion, strict=True)] == [False, False]


def test_drift_is_told_of_predictions_with_one_part() -> None:
    analysis = AnalysisSpec.model_validate({"metrics": [{"kind": "prediction_drift"}]})
    parts = {"a": ({"prediction_0": 0.5, "prediction_1": 0.5},)}
    found = Measured([replayed(candidate=parts, champion=parts)]).of(analysis)["prediction_drift"]
    assert isinstance(found, Unavailable)
    assert "have 2 parts (prediction_0, prediction_1)" in found.reason


def test_pairs_that_were_throttled_say_nothing() -> None:
    analysis = AnalysisSpec.model_validate({"metrics": [{"kind": "error_rate", "source": "replay"}]})
    nothing = Replayed(left_out=3, failures={"candidate": {"ThrottlingException": 3}})
    found = Measured([nothing]).of(analysis)["error_rate"]
    assert found == Unavailable(
        "no replayed request says anything: 3 times ThrottlingException of the candidate"
    )

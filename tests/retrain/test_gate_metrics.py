"""The metric gate: what is good passes, each kind of defect is stopped with its reason in plain words."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.deploy.rig import AS_IN_PRODUCTION
from tests.retrain.evaluation_rig import EvaluationRig, evaluation_rig
from tests.retrain.evaluations import rows

pytestmark = AS_IN_PRODUCTION
ROWS = 400
Row = dict[str, Any]


@pytest.fixture(scope="module")
def gated(
    tmp_path_factory: pytest.TempPathFactory, local_sagemaker: Any, airflow_db: str
) -> Iterator[EvaluationRig]:
    with evaluation_rig(tmp_path_factory.mktemp("gated"), local_sagemaker) as rig:
        yield rig


def predictions(candidate: float = 0.52, champion: float = 0.5) -> list[Row]:
    """What models say that see the border there."""
    return [
        {
            "row": number,
            "truth": truth,
            "candidate": int(x >= candidate),
            "champion": int(x >= champion),
            "candidate_score": x,
            "champion_score": x,
        }
        for number, (x, truth) in enumerate(rows(ROWS))
    ]


def test_a_candidate_that_is_no_worse_than_allowed_passes_with_its_docs(gated: EvaluationRig) -> None:
    run = gated.gate(predictions(candidate=0.505), rows=ROWS)

    passed = run.xcoms["gate_metrics"]["return_value"]
    assert (passed["rows"], passed["confidence"]) == (ROWS, 0.95)
    assert run.metrics["accuracy"]["candidate"] == pytest.approx(0.995)
    assert run.metrics["roc_auc"]["candidate"] == 1.0
    assert [suite["success"] for suite in passed["suites"]] == [True, True]
    assert "Metrics of" in gated.page(passed["data_docs"][1])
    linked = run.xcoms["gate_metrics"]["data_docs_url"]
    assert linked.endswith("/metrics/summary.html")


def test_a_first_model_is_held_to_the_bounds_alone(gated: EvaluationRig) -> None:
    alone = [{**row, "champion": "", "champion_score": ""} for row in predictions(candidate=0.7)]

    run = gated.gate(alone, compared=False, rows=ROWS)

    assert run.metrics["accuracy"]["gain"] is None


def one(number: int, /, **change: Any) -> Callable[[list[Row]], list[Row]]:
    """A defect in one row."""
    return lambda found: [{**each, **(change if each["row"] == number else {})} for each in found]


def every(change: Callable[[Row], Row]) -> Callable[[list[Row]], list[Row]]:
    """A defect in every row."""
    return lambda found: [{**each, **change(each)} for each in found]


def shifted(found: list[Row]) -> list[Row]:
    last = found[-1:] + found[:-1]
    moved = ("candidate", "candidate_score")
    return [
        {**row, **{part: before[part] for part in moved}} for row, before in zip(found, last, strict=True)
    ]


DEFECTS: dict[str, tuple[Callable[[list[Row]], list[Row]], str]] = {
    "a row is missing": (lambda found: found[:-1], "found 399; expected row count to equal value 400"),
    "a row twice": (lambda found: [*found, found[0]], "found 401; expected row count to equal value 400"),
    "a row in the place of another": (one(3, row=2), "column row: 2 of 400 values (0.5 %) do not"),
    "a null": (one(5, candidate=""), "column candidate: 1 of 400 values (0.25 %) do not"),
    "NaN": (one(5, candidate="nan"), "column candidate_class: 1 of 400 values (0.25 %) do not: 'nan'"),
    "an unknown class": (one(5, candidate="maybe"), "'maybe'; expected values to be in set '0', '1'"),
    "a number in the place of a class": (
        every(lambda row: {"candidate": row["candidate_score"]}),
        "column candidate_class: 399 of 400 values",
    ),
    "always the same": (
        every(lambda row: {"candidate": 1}),
        "column candidate: found 1; expected unique value",
    ),
    "a score above 1": (
        one(5, candidate_score=1.5),
        "column candidate_score: 1 of 400 values (0.25 %) do not: 1.5",
    ),
    "a score that is none": (one(5, candidate_score="nan"), "column candidate_score: 1 of 400 values"),
    "shifted by a row": (shifted, "accuracy: candidate 0."),
    "labels the other way round": (
        every(lambda row: {"candidate": 1 - row["candidate"]}),
        "accuracy: candidate 0.02",
    ),
    "scores of the other class": (
        every(lambda row: {"candidate_score": 1 - row["candidate_score"]}),
        "roc_auc: candidate 0, expected at least 0.9",
    ),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_in_the_candidates_predictions_is_stopped(gated: EvaluationRig, defect: str) -> None:
    spoil, reason = DEFECTS[defect]

    run = gated.gate(spoil(predictions()), rows=ROWS)

    failure = run.failure("gate_metrics")
    assert reason in failure["message"]
    assert failure["refusal"]
    assert "summary.html" in run.xcoms["gate_metrics"]["data_docs_url"]


def test_a_worse_candidate_is_stopped_with_both_numbers_and_the_interval(gated: EvaluationRig) -> None:
    run = gated.gate(predictions(candidate=0.6), rows=ROWS)

    failure = run.failure("gate_metrics")
    assert re.match(
        r"the candidate is refused: accuracy: candidate 0\.9, champion 1; worse by 0\.1 "
        r"\(95 % confidence: between 0\.07\d* and 0\.1[23]\d*\), allowed 0\.02 \(Data Docs: s3://",
        failure["message"],
    )
    measured = run.xcoms["gate_metrics"]["measured"]["metrics"]
    assert measured[0]["gain"] == pytest.approx(-0.1)
    assert "accuracy_gain_low" in gated.page(failure["message"].rpartition("Data Docs: ")[2].rstrip(")"))


def test_too_few_rows_are_said_with_how_many_would_do(gated: EvaluationRig) -> None:
    few = [{**row, "row": number} for number, row in enumerate(predictions(candidate=0.5)[:40])]

    message = gated.gate(few, rows=40).failure("gate_metrics")["message"]

    assert "accuracy: candidate 1, champion 1; equal (95 % confidence: between 0.0" in message
    assert "allowed 0.02 worse: 40 held-out rows are too few to be sure, about " in message


@pytest.mark.parametrize("value", ["inf", "1e999", "twelve"])
def test_of_numbers_what_is_not_finite_is_stopped(gated: EvaluationRig, value: str) -> None:
    gated.spec(metrics=[{"name": "mae", "at_most": 0.1, "margin": 0.01}])
    try:
        run = gated.gate(one(7, candidate=value)(predictions()), rows=ROWS)
    finally:
        gated.spec()

    assert "column candidate: 1 of 400 values" in run.failure("gate_metrics")["message"]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (
            one(5, champion=""),
            "the champion's predictions cannot be compared with: column champion: 1 of 400",
        ),
        (one(5, champion_score="nan"), "cannot be compared with: column champion_score: 1 of 400"),
        (one(5, truth=""), "the held-out rows cannot be measured with: column truth: 1 of 400"),
    ],
)
def test_what_is_no_fault_of_the_candidates_is_no_refusal(
    gated: EvaluationRig, spoil: Callable[[list[Row]], list[Row]], reason: str
) -> None:
    failure = gated.gate(spoil(predictions()), rows=ROWS).failure("gate_metrics")

    assert reason in failure["message"]
    assert not failure["refusal"]


def test_the_teams_own_suite_judges_the_table_of_metrics(gated: EvaluationRig) -> None:
    expectation = {
        "type": "expect_column_pair_values_a_to_be_greater_than_b",
        "kwargs": {"column_A": "accuracy", "column_B": "accuracy_champion"},
    }
    suite = {"name": "strictly-better", "expectations": [expectation]}
    (gated.rig.specs / "better.json").write_text(json.dumps(suite))
    gated.spec(suite="better.json")
    try:
        run = gated.gate(predictions(candidate=0.505), rows=ROWS)
    finally:
        gated.spec()

    message = run.failure("gate_metrics")["message"]
    assert "accuracy, accuracy_champion" in message
    assert "metrics-better/summary.html" in message

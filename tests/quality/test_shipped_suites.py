"""The shipped suites: met by what they are for, and by nothing worse."""

import json
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from endpoint_deploy.quality import Response, load_suite, manifest_frame, predictions_frame, run_suite
from endpoint_deploy.quality.comparison import comparison_frame, parameters
from endpoint_deploy.quality.profile import profile_data
from local_stack.demo.retraining import poisoned
from local_stack.training_data import rows

SUITES = Path(__file__).parents[2] / "include" / "expectations"
MANIFEST = SUITES / "model-artifact-manifest.json"
CLASSIFIER = SUITES / "breast-cancer-predictions.json"
REGRESSOR = SUITES / "diabetes-predictions.json"
READER = SUITES / "digits-predictions.json"
ROWS = SUITES / "digits-training-data.json"
COMPARISON = SUITES / "training-data-comparison.json"


def member(name: str, **changes: object) -> dict:
    return {"name": name, "size": 100, "type": "file", "mode": 0o644, **changes}


MEMBERS = [
    member("code", type="dir", size=0, mode=0o755),
    member("code/inference.py"),
    member("model.joblib"),
]


def answers(body: bytes, expected: list) -> object:
    return predictions_frame([Response("primary", "batch", "application/json", body, expected)])


def failing(frame: object, suite: Path) -> list[tuple[str, str | None]]:
    return [(failed.expectation, failed.column) for failed in run_suite(frame, suite).failed]


@pytest.mark.parametrize("path", sorted(SUITES.iterdir()), ids=lambda path: path.stem)
def test_each_file_is_a_suite_of_its_name(path):
    assert load_suite(path).name == path.stem


def test_an_ordinary_manifest():
    assert failing(manifest_frame(MEMBERS), MANIFEST) == []


@pytest.mark.parametrize(
    ("odd", "expectation", "column"),
    [
        (member("l", type="symlink"), "expect_column_values_to_be_in_set", "type"),
        (member("tool", mode=0o4755), "expect_column_values_to_be_between", "mode"),
        (member("a/" * 13 + "b"), "expect_column_values_to_be_between", "depth"),
        (member("code/Server.KEY"), "expect_column_values_to_not_be_in_set", "suffix"),
        (member("code/.env"), "expect_column_values_to_not_match_regex", "name"),
        (member(".aws/credentials"), "expect_column_values_to_not_match_regex", "name"),
        (member("weights.bin", size=2**35 + 1), "expect_column_values_to_be_between", "size"),
        (member("model.joblib"), "expect_column_values_to_be_unique", "name"),
    ],
)
def test_an_odd_member(odd, expectation, column):
    assert failing(manifest_frame([*MEMBERS, odd]), MANIFEST) == [(expectation, column)]


def test_a_manifest_of_nothing():
    assert ("expect_table_row_count_to_be_between", None) in failing(manifest_frame([]), MANIFEST)
    assert failing(manifest_frame([member("a", size=0)]), MANIFEST) == [
        ("expect_column_sum_to_be_between", "size")
    ]


def test_a_classifiers_answers():
    good = b'[{"label": 1, "probability": 0.98}, {"label": 0, "probability": 0.5}]'
    assert failing(answers(good, [1, 0]), CLASSIFIER) == []
    assert failing(answers(b'[{"label": 1, "probability": 0.98}]', [1]), CLASSIFIER) == []
    assert failing(answers(good, [0, 0]), CLASSIFIER) == [
        ("expect_column_pair_values_to_be_equal", "label, expected")
    ]
    assert failing(answers(b'[{"label": 2, "probability": 1.5}]', [2]), CLASSIFIER) == [
        ("expect_column_values_to_be_in_set", "label"),
        ("expect_column_values_to_be_between", "probability"),
    ]
    assert ("expect_column_values_to_not_be_null", "probability") in failing(
        answers(b'[{"label": 1, "probability": null}, {"label": 1, "probability": 1.0}]', [1, 1]), CLASSIFIER
    )
    assert len(failing(answers(b"[1.0]", [1]), CLASSIFIER)) == 5


def test_a_regressors_answers():
    assert failing(answers(b"[210.5, 88.25]", [219.0, 70.0]), REGRESSOR) == []
    assert failing(answers(b"[210.5]", [219.0]), REGRESSOR) == []
    assert failing(answers(b"[-3.5, 88.25]", [19.0, 70.0]), REGRESSOR) == [
        ("expect_column_values_to_be_between", "prediction")
    ]
    assert failing(answers(b"[300.5, 288.25]", [100.0, 70.0]), REGRESSOR) == [
        ("expect_column_mean_to_be_between", "absolute_error")
    ]
    assert ("expect_column_values_to_not_be_null", "prediction") in failing(
        answers(b"[NaN, 288.25]", [100.0, 270.0]), REGRESSOR
    )


def test_the_digits_answers():
    good = b'[{"label": 7, "probability": 0.98}, {"label": 0, "probability": 0.5}]'
    assert failing(answers(good, [7, 0]), READER) == []
    assert failing(answers(good, [7, 3]), READER) == [
        ("expect_column_pair_values_to_be_equal", "label, expected")
    ]
    assert failing(answers(b'[{"label": 10, "probability": 0.05}]', [10]), READER) == [
        ("expect_column_values_to_be_in_set", "label"),
        ("expect_column_values_to_be_between", "probability"),
    ]


def test_the_training_suite_looks_at_every_pixel():
    asked = json.loads(ROWS.read_text())["expectations"]
    pixels = {f"pixel_{row}_{column}" for row in range(8) for column in range(8)}
    for expectation in (
        "expect_column_values_to_not_be_null",
        "expect_column_values_to_be_of_type",
        "expect_column_values_to_be_between",
    ):
        columns = {each["kwargs"]["column"] for each in asked if each["type"] == expectation}
        assert columns - {"target"} == pixels


@pytest.mark.parametrize("count", [150, 1000])
def test_digits_as_they_come_are_fit_to_be_trained_on(count):
    assert failing(rows(slice(0, count)), ROWS) == []


def spoilt(**changes):
    """150 rows of digits, the first of them with other values."""
    frame = rows(slice(0, 150)).reset_index(drop=True)
    for name, value in changes.items():
        frame[name] = frame[name].astype(object).where(frame.index > 0, value).infer_objects()
    return frame


def test_what_differs_is_said_and_no_more():
    (columns,) = run_suite(spoilt().assign(answer=1), ROWS).failed
    assert columns.found == "found 66 columns, of which number 66 is 'answer' and should be None"
    digits, shares = run_suite(spoilt().assign(target=[0, 1, 3, 11, 12] * 30), ROWS).failed
    assert digits.found == "found values that are not expected 11, 12, and no 2, 4, 5, 6, 7, 8, 9"
    assert len(shares.sentence()) < 300
    (twice,) = run_suite(spoilt().iloc[[*range(150), 0]], ROWS).failed
    assert "65 in all" in twice.sentence()


@pytest.mark.parametrize(
    ("frame", "expectation", "column"),
    [
        (lambda: rows(slice(0, 60)), "expect_table_row_count_to_be_between", None),
        (lambda: spoilt().drop(columns="pixel_0_0"), "expect_table_columns_to_match_ordered_list", None),
        (lambda: spoilt().assign(answer=1), "expect_table_columns_to_match_ordered_list", None),
        (lambda: spoilt(pixel_3_3=None), "expect_column_values_to_not_be_null", "pixel_3_3"),
        (lambda: spoilt(pixel_3_3="dark"), "expect_column_values_to_be_of_type", "pixel_3_3"),
        (lambda: spoilt(pixel_3_3=17), "expect_column_values_to_be_between", "pixel_3_3"),
        (lambda: spoilt(target=10), "expect_column_distinct_values_to_equal_set", "target"),
        (
            lambda: spoilt().iloc[[*range(150), 0]],
            "expect_compound_columns_to_be_unique",
            None,
        ),
        (lambda: spoilt().assign(target=3), "expect_column_kl_divergence_to_be_less_than", "target"),
    ],
)
def test_digits_that_nothing_should_be_trained_on(frame, expectation, column):
    assert (expectation, column) in failing(frame(), ROWS)


def compared(new, accepted):
    """What the shipped comparison finds of new rows beside the last accepted ones."""
    before, now = (profile_data(each, digest="", target="target", classes=True) for each in (accepted, new))
    given = parameters(now, before)
    frame = comparison_frame(new, now, before)
    return [f.column for f in run_suite(frame, COMPARISON, parameters=given, named_by="column").failed]


def test_digits_that_grow_week_by_week_raise_no_alarm_and_poisoned_ones_do():
    shuffled = rows(slice(0, 1347)).sample(frac=1, random_state=7).reset_index(drop=True)
    weeks = [shuffled[:count] for count in (100, 150, 400, 1347)]
    for accepted, new in pairwise(weeks):
        assert compared(new, accepted) == []
    assert compared(shuffled[150:300], shuffled[:150]) == []  # another window as well
    assert "psi" in compared(pd.concat([weeks[2], poisoned(shuffled[400:500])]), weeks[2])

"""The shipped suites: met by what they are for, and by nothing worse."""

from pathlib import Path

import pytest

from endpoint_deploy.quality import Response, load_suite, manifest_frame, predictions_frame, run_suite

SUITES = Path(__file__).parents[2] / "include" / "expectations"
MANIFEST = SUITES / "model-artifact-manifest.json"
CLASSIFIER = SUITES / "breast-cancer-predictions.json"
REGRESSOR = SUITES / "diabetes-predictions.json"


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

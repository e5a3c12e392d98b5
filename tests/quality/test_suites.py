"""Suites run over real frames, and what is said of those that fail."""

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from endpoint_deploy.quality import SuiteInvalid, load_suite, run_suite

FRAME = pd.DataFrame({"label": [0, 1, 1, None], "expected": [0, 1, 0, 1], "score": [0.1, 0.9, 1.2, 0.5]})

CONNECTED: list[object] = []
sys.addaudithook(lambda event, arguments: CONNECTED.append(arguments) if event == "socket.connect" else None)


def suite(folder: Path, *expectations: dict, name: str = "a-suite") -> Path:
    path = folder / "suite.json"
    path.write_text(json.dumps({"name": name, "expectations": list(expectations)}))
    return path


def expect(what: str, **kwargs: object) -> dict:
    return {"type": f"expect_{what}", "kwargs": kwargs}


def test_a_suite_that_is_met(tmp_path):
    path = suite(
        tmp_path,
        expect("column_to_exist", column="score"),
        expect("column_values_to_be_unique", column="score"),
    )
    result = run_suite(FRAME, path)
    assert result.success
    assert (result.suite, result.evaluated, result.failed) == ("a-suite", 2, ())


@pytest.mark.parametrize(
    ("expectation", "found", "expected"),
    [
        (
            expect("column_values_to_be_between", column="score", min_value=0, max_value=1),
            "column score: 1 of 4 values (25 %) do not: 1.2",
            "values to be between 0 and 1",
        ),
        (
            expect("column_values_to_be_between", column="score", max_value=1),
            "column score: 1 of 4 values (25 %) do not: 1.2",
            "values to be at most 1",
        ),
        (
            expect("column_values_to_be_in_set", column="expected", value_set=[1]),
            "column expected: 2 of 4 values (50 %) do not: 0, 0",
            "values to be in set 1",
        ),
        (
            expect("column_pair_values_to_be_equal", column_A="label", column_B="expected", mostly=0.9),
            "column label, expected: 2 of 4 values (50 %) do not: (1, 0), (nan, 1)",
            "values to be equal for at least 0.9 of the rows",
        ),
        (
            expect("column_mean_to_be_between", column="expected", min_value=0.75),
            "column expected: found 0.5",
            "mean to be at least 0.75",
        ),
        (
            expect("table_row_count_to_be_between", min_value=5),
            "found 4",
            "row count to be at least 5",
        ),
        (expect("column_to_exist", column="answer"), "column answer: it does not hold", "to exist"),
    ],
)
def test_what_is_said_of_a_failure(tmp_path, expectation, found, expected):
    result = run_suite(FRAME, suite(tmp_path, expectation))
    assert not result.success
    sentence = f"{found}; expected {expected} ({expectation['type']})"
    assert [failed.sentence() for failed in result.failed] == [sentence]
    assert json.loads(json.dumps(result.to_dict()))["failed"][0]["sentence"] == sentence


def test_a_missing_column_is_a_failure_in_words(tmp_path):
    result = run_suite(FRAME, suite(tmp_path, expect("column_values_to_not_be_null", column="answer")))
    assert not result.success
    assert 'The column "answer" in BatchData does not exist' in result.failed[0].found
    assert "Traceback" not in result.failed[0].sentence()


def test_a_suite_in_yaml(tmp_path):
    path = tmp_path / "suite.yaml"
    path.write_text("name: y\nexpectations:\n  - type: expect_column_to_exist\n    kwargs: {column: score}\n")
    assert run_suite(FRAME, path).success


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("{", "cannot be read"),
        ("[]", "found a list"),
        ('{"expectations": []}', "name: found None"),
        ('{"name": "s", "expectations": []}', "a suite that checks nothing always passes"),
        ('{"name": "s", "expectation": []}', "found the key 'expectation'"),
        ('{"name": "s", "expectations": [{"kwargs": {}}]}', "expectation 1: found"),
        (
            '{"name": "s", "expectations": [{"type": "expect_nothing"}]}',
            r"expectation 1 \(expect_nothing\): .*not found",
        ),
        (
            '{"name": "s", "expectations": [{"type": "expect_column_to_exist", "kwargs": {"colum": "a"}}]}',
            "column field required",
        ),
        (
            '{"name": "s", "expectations": [{"type": "expect_column_to_exist", "kwarg": {"column": "a"}}]}',
            "found the key 'kwarg'",
        ),
    ],
)
def test_a_file_that_is_no_suite(tmp_path, content, what):
    path = tmp_path / "suite.json"
    path.write_text(content)
    with pytest.raises(SuiteInvalid, match=what) as raised:
        load_suite(path)
    assert str(path) in str(raised.value)
    with pytest.raises(SuiteInvalid):
        load_suite(tmp_path / "missing.json")


def test_docs(tmp_path):
    docs = tmp_path / "docs"
    path = suite(
        tmp_path,
        expect("column_values_to_be_in_set", column="name", value_set=["<b>good</b>"]),
        name="manifest & more",
    )
    frame = pd.DataFrame({"name": ["<script>alert(1)</script>", "<b>good</b>"]})
    run_suite(frame, path, docs_dir=docs, title="churn: <1>")
    assert "Data Docs created by Great Expectations" in (docs / "index.html").read_text()
    assert list(docs.glob("validations/**/*.html"))
    summary = (docs / "summary.html").read_text()
    assert "<h1>churn: &lt;1&gt;</h1>" in summary
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in summary
    assert "<script" not in summary
    assert "http" not in summary
    assert "1 not met of 1 expectations over 2 rows" in summary


def test_nothing_is_reported_to_anyone(tmp_path, capfd, caplog):
    CONNECTED.clear()
    run_suite(FRAME, suite(tmp_path, expect("column_to_exist", column="score")), docs_dir=tmp_path / "docs")
    assert CONNECTED == []
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""  # nor is there a progress bar
    assert caplog.messages == []  # whatever the process has set up to be done with its log

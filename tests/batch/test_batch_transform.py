"""Batch transforms end to end: what is delivered, what is set aside, and what a second run does."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.batch.rig import BatchRig, json_sums, sums, table
from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, Run

pytestmark = AS_IN_PRODUCTION

GOOD = {"a.csv": table(*range(1, 40)), "part/b.csv": table(*range(100, 107))}


def check_delivered(rig: BatchRig, run: Run, files: dict[str, bytes], bias: int = 1) -> None:
    found = rig.delivered(run)
    assert set(found) == set(files)
    for key, body in files.items():
        assert json_sums(found[key]) == sums(body, bias), key


def aside(run: Run) -> dict[str, dict[str, Any]]:
    """What a run has set aside, by file."""
    return {file["key"]: file for file in run.result["set_aside"]}


def test_every_row_gets_its_prediction_once_and_a_second_run_has_nothing_to_do(rig: BatchRig) -> None:
    rig.put({**GOOD, "_SUCCESS": b"", "part/": b""})
    first = rig.transform(reason="monthly")
    assert (first.state, first.outcome) == ("success", "delivered"), first
    check_delivered(rig, first, GOOD)
    delivery = rig.delivery(first)
    assert (delivery["whole"], delivery["release"], delivery["set_aside"]) == (True, 1, [])
    assert delivery["model"] == rig.jobs_model()
    assert [(file["key"], file["rows"]) for file in delivery["files"]] == [("a.csv", 39), ("part/b.csv", 7)]
    record = rig.records()[-1]
    assert (record["outcome"], record["rows"], record["files"]) == ("delivered", 46, 2)
    assert (record["asked_because"], record["delivered"]) == ("monthly", first.result["delivered"])

    jobs, records = len(rig.jobs()), len(rig.records())
    second = rig.transform()
    assert (second.state, second.outcome) == ("success", "nothing_to_do"), second
    assert second.tasks["transform"] == second.tasks["deliver"] == "skipped"
    assert (len(rig.jobs()), len(rig.records())) == (jobs, records)

    rig.put({"a.csv": table(7)})
    changed = rig.transform()
    assert changed.outcome == "delivered", changed
    check_delivered(rig, changed, {**GOOD, "a.csv": table(7)})
    assert changed.result["delivered"] != first.result["delivered"]
    check_delivered(rig, first, GOOD)  # what a reader of the old version sees is as it was

    forced = rig.transform(force=True)
    assert forced.outcome == "delivered", forced
    assert forced.result["delivered"] == changed.result["delivered"]
    check_delivered(rig, forced, {**GOOD, "a.csv": table(7)})
    assert len(rig.jobs()) == jobs + 2


def test_a_file_that_is_not_fit_and_one_that_the_model_refuses_hold_up_no_other(rig: BatchRig) -> None:
    rig.batch(instances=2, max_concurrent=2)
    rig.put({**GOOD, "c.csv": b"1,2\n3\n", "d.csv": table(5, 666, 7)})
    run = rig.transform()
    assert (run.state, run.outcome) == ("failed", "partial"), run
    assert [run.tasks[task] for task in ("transform", "check_output", "deliver")] == ["success"] * 3
    check_delivered(rig, run, GOOD)
    assert rig.delivery(run)["whole"] is False
    assert {key: file["task"] for key, file in aside(run).items()} == {
        "c.csv": "check_input",
        "d.csv": "transform",
    }
    reason = run.result["reason"]
    assert "2 files with 46 rows are delivered" in reason
    assert "c.csv, line 2: found 1 fields, expected 2, as line 1 (check_input)" in reason
    assert "d.csv: found Bad HTTP status received from algorithm: 500" in reason
    assert "there is no customer 666, says ***" in reason
    record = json.dumps(rig.records()[-1])
    assert "no customer 666" in record
    assert "canary-5f1d0c77" not in record + json.dumps(run.result) + json.dumps(rig.delivery(run))

    # What was delivered is not paid for again; what was refused is tried.
    again = rig.transform()
    assert (again.state, again.outcome) == ("failed", "partial"), again
    manifest = rig.sagemaker.describe_transform_job(TransformJobName=rig.jobs()[0]["TransformJobName"])
    source = manifest["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
    assert json.loads(rig.read(source))[1:] == ["d.csv"]
    check_delivered(rig, again, GOOD)


def test_where_no_file_is_left_the_run_fails_and_delivers_nothing(rig: BatchRig) -> None:
    rig.put({"a.csv": b"", "b.csv": b"\xff\xfe1,2\n"})
    run = rig.transform()
    assert (run.state, run.outcome) == ("failed", "failed"), run
    assert (run.tasks["check_input"], run.tasks["transform"]) == ("failed", "upstream_failed")
    assert "a.csv: found an empty file, expected at least one row" in run.result["reason"]
    assert set(aside(run)) == {"a.csv", "b.csv"}
    assert run.result["delivered"] is None
    assert rig.keys(f"{rig.name}/{rig.folder}/out") == []
    rig.fresh()
    rig.put({"a.csv": table(666)})
    run = rig.transform()
    assert (run.state, run.outcome) == ("failed", "failed"), run
    assert "no customer 666" in run.result["reason"]
    assert rig.keys(f"{rig.name}/{rig.folder}/out") == []


def test_suites_judge_rows_and_predictions_file_by_file_with_data_docs(rig: BatchRig) -> None:
    rig.batch(columns=["age", "income"], input_suite="rows.json", output_suite="sums.json")
    rig.put({**GOOD, "old.csv": b"2000,1\n", "odd.csv": table(669)})
    run = rig.transform()
    assert (run.state, run.outcome) == ("failed", "partial"), run
    check_delivered(rig, run, GOOD)
    found = aside(run)
    assert found["old.csv"]["task"] == "check_input"
    assert "column age: 1 of 1 values (100 %) do not: 2000" in found["old.csv"]["found"]
    assert found["odd.csv"]["task"] == "check_output"
    assert "column sum: 1 of 1 values (100 %) do not: -1e+06" in found["odd.csv"]["found"]
    docs = rig.records()[-1]["data_docs"]
    assert set(docs) == {"check_input", "check_output"}
    # That of the refused file comes first.
    for task, key in (("check_input", "old.csv"), ("check_output", "odd.csv")):
        assert docs[task][0] == found[key]["data_docs"]
        assert key in rig.read(docs[task][0]).decode()
        assert len(docs[task]) == 2


def test_what_the_form_names_is_predicted_under_the_same_rules(rig: BatchRig) -> None:
    here = f"s3://{BUCKET}/{rig.name}/{rig.folder}"
    rig.put({"x.csv": table(1, 2)}, below="march")
    run = rig.transform(input=f"{here}/march/")
    assert run.outcome == "delivered", run
    check_delivered(rig, run, {"x.csv": table(1, 2)})
    inside = rig.transform(input=here)
    assert (inside.state, inside.outcome) == ("failed", "failed"), inside
    assert "expected a prefix outside of input" in inside.result["reason"]
    empty = rig.transform(input=f"{here}/april")
    assert empty.outcome == "failed", empty
    assert f"{here}/april/: found no file" in empty.result["reason"]


def _csv(body: bytes) -> list[float]:
    return [float(line) for line in body.split()]


def _lists(body: bytes) -> list[float]:
    return [value for line in body.splitlines() for value in json.loads(line)]


@pytest.mark.parametrize(
    ("section", "read"),
    [
        ({"accept": "text/csv"}, _csv),
        ({"accept": "application/json"}, _lists),
        ({"accept": "application/json", "strategy": "SingleRecord"}, _lists),
        ({"accept": "application/jsonlines", "strategy": "SingleRecord", "max_concurrent": 4}, json_sums),
    ],
)
def test_predictions_come_in_any_of_the_forms(
    rig: BatchRig, section: dict[str, Any], read: Callable[[bytes], list[float]]
) -> None:
    rig.batch(**section)
    rig.put({"a.csv": table(*range(12))})
    run = rig.transform()
    assert run.outcome == "delivered", run
    assert read(rig.delivered(run)["a.csv"]) == sums(table(*range(12)))


def test_rows_in_json_lines(rig: BatchRig) -> None:
    rig.batch(content_type="application/jsonlines", input_suite="rows.json")
    rows = [{"age": age, "income": 10 * age} for age in range(1, 9)]
    lines = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    rig.put({"a.jsonl": lines, "b.jsonl": b'{"age": 1, "income": 2}\n{"age": NaN, "income": 1}\n'})
    run = rig.transform()
    assert run.outcome == "partial", run
    assert json_sums(rig.delivered(run)["a.jsonl"]) == [row["age"] + row["income"] + 1 for row in rows]
    assert (aside(run)["b.jsonl"]["line"], aside(run)["b.jsonl"]["task"]) == (2, "check_input")


DEFECTS_OF_PREDICTIONS = {
    "one too few": (667, "found 2 predictions, expected 3, one for each row"),
    "one too many": (670, "found 4 predictions, expected 3, one for each row"),
    "none": (671, "found 0 predictions, expected 3, one for each row"),
    "no JSON": (668, "found predictions that are not application/jsonlines"),
    "out of range": (669, "column sum: 1 of 3 values"),
    "null": (672, "column sum: 1 of 3 values"),
}


def test_defects_of_predictions_are_told_apart(rig: BatchRig) -> None:
    rig.batch(output_suite="sums.json")
    files = {f"{first}.csv": table(1, first, 2) for first, _ in DEFECTS_OF_PREDICTIONS.values()}
    rig.put({**GOOD, **files})
    run = rig.transform()
    assert run.outcome == "partial", run
    check_delivered(rig, run, GOOD)
    found = aside(run)
    assert set(found) == set(files)
    for first, said in DEFECTS_OF_PREDICTIONS.values():
        file = found[f"{first}.csv"]
        assert file["task"] == "check_output"
        assert said in f"found {file['found']}, expected {file['expected']}", file


def test_what_a_worker_would_have_to_hold_in_memory_has_a_limit(rig: BatchRig) -> None:
    files = {"a.csv": table(1), "b.csv": table(*range(1, 200))}
    limit = len(files["b.csv"]) // 2
    rig.batch(max_bytes=limit)
    rig.put(files)
    streamed = rig.transform()
    assert streamed.outcome == "delivered", streamed
    for section, task in (
        ({"output_suite": "sums.json"}, "check_output"),
        ({"accept": "application/json"}, "check_output"),
        ({"input_suite": "rows.json", "columns": ["age", "income"]}, "check_input"),
    ):
        rig.fresh(max_bytes=limit, **section)
        rig.put(files)
        run = rig.transform()
        assert run.outcome == "partial", run
        assert set(rig.delivered(run)) == {"a.csv"}
        refused = aside(run)["b.csv"]
        assert refused["task"] == task
        assert f"at most max_bytes, {limit}, of a file that is read into memory" in refused["expected"]


def test_a_forced_run_takes_back_nothing_that_was_delivered(rig: BatchRig) -> None:
    rig.put({**GOOD, "odd.csv": table(669)})
    first = rig.transform()
    assert first.outcome == "delivered", first
    before = {file["key"]: file for file in rig.delivery(first)["files"]}
    # The same model under another release's number.
    assert rig.deploy("rows", bias=2).outcome == "released"
    back = rig.run("rollback")
    assert back.outcome == "released", back
    number = back.result["release"]

    rig.batch(output_suite="sums.json")
    forced = rig.transform(force=True)
    assert (forced.state, forced.outcome) == ("failed", "partial"), forced
    delivery = rig.delivery(forced)
    assert forced.result["delivered"] == first.result["delivered"]
    assert (delivery["whole"], delivery["release"]) == (True, number)
    assert [file["key"] for file in delivery["set_aside"]] == ["odd.csv"]
    now = {file["key"]: file for file in delivery["files"]}
    assert now["odd.csv"] == before["odd.csv"]
    assert {key: file["release"] for key, file in now.items()} == {
        "a.csv": number,
        "odd.csv": 1,
        "part/b.csv": number,
    }
    assert rig.delivered(forced)["odd.csv"] == rig.read(before["odd.csv"]["output"])
    assert "1 were set aside: odd.csv" in forced.result["reason"]
    assert "what an earlier run delivered still counts: odd.csv (release 1)" in forced.result["reason"]
    assert rig.transform().outcome == "nothing_to_do"

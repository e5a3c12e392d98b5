"""The data gate through its DAG tasks: good data pass, and each defect is stopped in words that name it."""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, REGION, Rig
from tests.retrain.data_rig import PACKAGE, TARGET, DataRig, Gated, cell_samples, csv, in_two

pytestmark = AS_IN_PRODUCTION

SAMPLES = cell_samples()
ACCEPTED, NEW = SAMPLES.iloc[:285].reset_index(drop=True), SAMPLES.iloc[285:].reset_index(drop=True)


@pytest.fixture(scope="module")
def gate(
    tmp_path_factory: pytest.TempPathFactory, local_sagemaker: Any, airflow_db: str
) -> Iterator[DataRig]:
    """A deployment that has accepted one training set and made a package of it."""
    s3 = local_sagemaker.client("s3")
    if BUCKET not in {b["Name"] for b in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    with pytest.MonkeyPatch.context() as patched:
        specs = tmp_path_factory.mktemp("specs")
        patched.setenv("ENDPOINT_DEPLOY_SPECS", str(specs))
        made = DataRig(Rig(specs=specs, clients=local_sagemaker.client), patched)
        made.put(in_two(ACCEPTED))
        first = made.run()
        assert first.state == "success", first.message
        made.record(first)
        yield made


def judged(gate: DataRig, files: dict[str, bytes], **form: Any) -> Gated:
    gate.put(files)
    return gate.run(**form)


def changed(column: str, change: Callable[[pd.Series], Any], rows: int | None = None) -> pd.DataFrame:
    """The new data with a column changed, in the first so many rows or all of them."""
    frame = NEW.copy()
    mixed = frame[column].astype(object)
    at = slice(0, rows)
    mixed.iloc[at] = change(frame[column].iloc[at])
    frame[column] = mixed if rows is not None else change(frame[column])
    return frame


def test_good_data_are_accepted(gate):
    run = judged(gate, in_two(NEW))
    assert (run.state, run.message) == ("success", "")
    assert run.checked["rows"] == len(NEW)
    assert run.checked["compared_with"] == gate.retrains.last_accepted().data.digest
    assert [suite["suite"] for suite in run.checked["suites"]] == ["rows", "training-data-comparison"]
    assert "All met" in gate.text(run.checked["data_docs"][1])
    assert run.docs.endswith("/data/comparison/summary.html")
    profile = json.loads(gate.text(run.checked["profile"]))
    assert [column["name"] for column in profile["columns"]] == list(NEW.columns)
    listed = [f"{gate.rig.name}/data/2026-01.csv", f"{gate.rig.name}/data/2026-02.csv.gz"]
    assert json.loads(gate.text(run.selected["manifest"])) == [{"prefix": f"s3://{BUCKET}/"}, *listed]


DEFECTS: dict[str, tuple[pd.DataFrame, str]] = {
    "missing column": (NEW.drop(columns="mean texture"), "column presence: .* 'missing' at mean texture"),
    "new column": (NEW.assign(diagnosis=1), "column presence: .* 'new' at diagnosis"),
    "type change": (
        changed("mean texture", lambda x: x.astype(str) + " µm"),
        r"kind, reference_kind: .*\('categorical', 'numeric'\) at mean texture",
    ),
    "nulls": (changed("mean smoothness", lambda x: None, 80), "column null_increase: .* at mean smoothness"),
    "range": (
        changed("mean radius", lambda x: -999, 1),
        "column mean radius: 1 of 284 values .*: -999; expected values to be between 1 and 100",
    ),
    "duplicates": (
        pd.concat([NEW, NEW]),
        "column duplicate_increase: found 0.5; expected max .* at most 0.1",
    ),
    "label leakage": (
        NEW.assign(**{"mean smoothness": NEW[TARGET] + np.linspace(0, 0.5, len(NEW))}),
        "column association_increase: .* at mean smoothness.*Label leakage",
    ),
    "class collapse": (
        pd.concat([NEW[NEW[TARGET] == 1], NEW[NEW[TARGET] == 0].head(6)]),
        "column least_class_ratio: .* at target.*A class has all but collapsed",
    ),
    "unseen class": (changed(TARGET, lambda x: 2, 3), "column unseen_fraction: .* at target"),
    "drift": (changed("mean texture", lambda x: x * 1.5), "column psi: .* at mean texture.*Drift"),
    "constant": (changed("mean texture", lambda x: 18.0), "column distinct: .*: 1 at mean texture"),
    "unseen category": (changed("size", lambda x: "huge", 40), "column unseen_fraction: .* at size"),
    "beyond the range": (
        changed("worst area", lambda x: x * 100, 60),
        "column unseen_fraction: .* at worst area",
    ),
    "labels shuffled": (
        NEW.assign(target=NEW[TARGET].sample(frac=1, random_state=1).to_numpy()),
        "column association_increase: .* at .*worst area.*tells it no longer",
    ),
    "too many rows lost": (NEW.head(100), "column rows_ratio: found 0.350877; expected min .* at least 0.5"),
    "no target": (NEW.drop(columns=TARGET), "found no column 'target', expected it as retrain.data.target"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_stopped(gate, defect):
    frame, words = DEFECTS[defect]
    run = judged(gate, in_two(frame))
    assert run.tasks["check_data"] == "failed"
    assert re.search(words, run.message), run.message
    if defect != "no target":
        (shown,) = set(re.findall(r"Data Docs: (s3://\S+/summary.html)", run.message))
        assert "not met" in gate.text(shown)
        assert run.docs.endswith(shown.split("/", 3)[3])


def broken(name: str, change: Callable[[bytes], bytes]) -> dict[str, bytes]:
    files = in_two(NEW)
    return {**files, name: change(files[name])}


def without_line_end(body: bytes) -> bytes:
    return body[:-9]


FILES: dict[str, tuple[dict[str, bytes], str]] = {
    "empty file": (broken("2026-01.csv", lambda _: b""), "2026-01.csv: found an empty file"),
    "header alone": (
        broken("2026-01.csv", lambda body: body.partition(b"\n")[0] + b"\n"),
        "2026-01.csv: found no rows; expected at least one",
    ),
    "truncated file": (broken("2026-01.csv", without_line_end), "2026-01.csv, line 143: found"),
    "short row": (
        broken("2026-01.csv", lambda body: body.replace(b"\nsmall,", b"\n", 1)),
        r"2026-01.csv, line \d+: found 6 fields: .* expected 7, as the header has",
    ),
    "header mismatch": (
        broken("2026-02.csv.gz", lambda _: gzip.compress(csv(NEW.rename(columns={"size": "extent"})))),
        "2026-02.csv.gz: found no column 'size' and the column 'extent' besides; expected the columns of",
    ),
    "gzip cut off": (
        broken("2026-02.csv.gz", lambda body: body[:-400]),
        "2026-02.csv.gz: found a broken gzip archive",
    ),
    "wrong encoding": (
        broken("2026-01.csv", lambda body: body.replace(b"small", "groß".encode("latin-1"), 1)),
        r"2026-01.csv, line \d+: found the byte 0xdf, which is no UTF-8",
    ),
}


@pytest.mark.parametrize("defect", FILES)
def test_a_broken_file_is_named(gate, defect):
    files, words = FILES[defect]
    run = judged(gate, files)
    assert run.tasks["check_data"] == "failed"
    assert re.search(words, run.message), run.message


def test_a_file_that_changes_after_it_was_selected(gate):
    run = judged(gate, in_two(NEW), overwritten=gate.address("2026-01.csv"))
    assert f"{gate.address('2026-01.csv')} has changed since it was selected; clear from `select_data`" in (
        run.message
    )


def test_drift_that_somebody_accepts(gate):
    run = judged(gate, in_two(DEFECTS["drift"][0]), accept_drift=True)
    assert run.state == "success"
    assert run.checked["compared_with"] is None
    assert "accept_drift" in run.checked["comparison"]


def test_statistics_are_kept_for_each_target(gate):
    first = judged(gate, in_two(NEW), accept_drift=True)
    gate.spec(target="size")
    other = gate.run(accept_drift=True)
    gate.spec()
    again = gate.run(accept_drift=True)
    assert first.selected["digest"] == other.selected["digest"]
    kept = [json.loads(gate.text(run.checked["profile"]))["target"] for run in (first, other, again)]
    assert kept == [TARGET, "size", TARGET]
    assert again.checked["profile"] == first.checked["profile"]


def test_what_was_trained_on_already_is_nothing_new(gate):
    run = judged(gate, in_two(ACCEPTED))
    assert run.tasks["select_data"] == run.tasks["check_data"] == "skipped"
    assert run.nothing_new.startswith(f"{PACKAGE} was trained on the same 2 files")
    again = gate.run(force=True)
    assert again.tasks["check_data"] == "success"
    other = gate.run(hyperparameters={"depth": 3})
    assert other.tasks["check_data"] == "success"
    assert other.selected["identity"] != again.selected["identity"]


def test_other_code_is_something_new(gate):
    script = gate.rig.specs / "code" / "train.py"
    before = script.read_text()
    script.write_text("print('trained better')\n")
    run = judged(gate, in_two(ACCEPTED))
    script.write_text(before)
    assert run.tasks["check_data"] == "success"


def test_a_given_package_needs_no_data(gate):
    run = judged(gate, {}, model_package=PACKAGE)
    assert run.tasks["select_data"] == run.tasks["check_data"] == "skipped"


def test_a_window_takes_the_last_files(gate):
    files = {**in_two(NEW), "2025-12.csv": b"", "_SUCCESS": b"", "_tmp/part.csv": b"x", "notes.txt": b"x"}
    run = judged(gate, files, window=2)
    assert [Path(file["key"]).name for file in run.selected["files"]] == ["2026-01.csv", "2026-02.csv.gz"]
    assert run.state == "success"


def test_no_data(gate):
    run = judged(gate, {"notes.txt": b"x"})
    assert "found no files of retrain.data.format csv; expected at least one" in run.message


def test_more_than_the_gate_may_read(gate):
    gate.spec(max_bytes=1000)
    run = judged(gate, in_two(NEW))
    gate.spec()
    assert re.search(r"2 files of \d+ bytes; expected at most retrain.data.max_bytes, 1000", run.message)


def test_files_that_unpack_together_to_more_than_the_gate_may_read(gate):
    # Packed, both are within the limit, and so is each of them unpacked.
    whole = len(csv(NEW))
    gate.spec(max_bytes=whole)
    run = judged(gate, {f"{name}.csv.gz": gzip.compress(csv(NEW)) for name in "ab"})
    gate.spec()
    assert f"b.csv.gz: found more than the {whole} bytes of max_bytes" in run.message


@pytest.mark.parametrize("format_", ["jsonlines", "parquet"])
def test_other_formats(gate, tmp_path, format_):
    gate.spec(format=format_)
    if format_ == "parquet":
        NEW.to_parquet(tmp_path / "data.parquet")
        name, body = "a.parquet", (tmp_path / "data.parquet").read_bytes()
    else:
        name, body = "a.jsonl.gz", gzip.compress(NEW.to_json(orient="records", lines=True).encode())
    good = judged(gate, {name: body})
    cut = judged(gate, {name: body[: len(body) // 2]})
    gate.spec()
    assert (good.state, good.message, good.checked["rows"]) == ("success", "", len(NEW))
    assert good.checked["compared_with"] is not None
    assert re.search(f"{name}: found (no whole Parquet file|a broken gzip archive)", cut.message)


def test_rows_held_to_the_reference(gate):
    partition = {"$PARAMETER": "reference_partition_mean_texture"}
    rows = [
        {
            "type": "expect_table_row_count_to_be_between",
            "kwargs": {"min_value": {"$PARAMETER": "reference_rows * 2"}},
        },
        {
            "type": "expect_column_kl_divergence_to_be_less_than",
            "kwargs": {
                "column": "mean texture",
                "partition_object": partition,
                "threshold": 0.5,
                "tail_weight_holdout": 0.01,
            },
        },
    ]
    gate.spec(rows=rows)
    few = judged(gate, in_two(NEW))
    # Without a reference there is nothing to hold them to.
    free = judged(gate, in_two(NEW), accept_drift=True)
    gate.spec(
        rows=[*rows, {"type": "expect_column_to_exist", "kwargs": {"column": {"$PARAMETER": "colour"}}}]
    )
    unknown = judged(gate, in_two(NEW))
    gate.spec()
    assert "found 284; expected row count to be at least 570" in few.message
    assert "kl" not in few.message
    assert free.state == "success"
    assert "found the parameter 'colour', expected one of" in unknown.message

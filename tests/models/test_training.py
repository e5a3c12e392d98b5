import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import joblib
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.metrics import r2_score

from local_stack.seed import MODELS, Built, held_out, train

NAMES = ["breast-cancer", "diabetes", "digits"]


def test_the_second_release_of_breast_cancer_is_better_than_the_first(
    releases: dict[tuple[str, str], Built],
) -> None:
    first, second = (releases["breast-cancer", release].metrics for release in ("1", "2"))
    assert first["n_test"] == second["n_test"] == 143
    assert first["accuracy"] == pytest.approx(132 / 143)
    assert second["accuracy"] == pytest.approx(141 / 143)
    assert second["roc_auc"] > first["roc_auc"]
    assert second["malignant_recall"] > first["malignant_recall"]


def test_both_flavors_of_diabetes_explain_about_half_of_the_variance(
    releases: dict[tuple[str, str], Built],
) -> None:
    metrics = releases["diabetes", "1"].metrics
    assert metrics["n_test"] == 111
    assert metrics["ridge_r2"] == pytest.approx(0.488, abs=0.005)
    assert metrics["boosting_r2"] == pytest.approx(0.496, abs=0.005)


@pytest.mark.parametrize("release", ["1", "2"])
def test_the_held_out_rows_are_those_the_accuracy_was_measured_on(
    unpacked: dict[tuple[str, str], Path], release: str
) -> None:
    model_dir = unpacked["breast-cancer", release] / "model"
    rows, truth = held_out("breast-cancer")
    offline = joblib.load(model_dir / "model.joblib").score(rows, truth)
    assert offline == json.loads((model_dir / "metrics.json").read_text())["accuracy"]


@pytest.mark.parametrize("flavor", ["ridge", "boosting"])
def test_the_held_out_rows_are_those_r2_was_measured_on(
    unpacked: dict[tuple[str, str], Path], flavor: str
) -> None:
    model_dir = unpacked["diabetes", "1"] / "model"
    rows, truth = held_out("diabetes")
    offline = r2_score(truth, joblib.load(model_dir / f"{flavor}.joblib").predict(rows))
    assert offline == json.loads((model_dir / "metrics.json").read_text())[f"{flavor}_r2"]


@pytest.mark.parametrize("name", ["breast-cancer", "diabetes", "digits"])
def test_a_row_is_either_learned_from_or_held_out(releases: dict[tuple[str, str], Built], name: str) -> None:
    bundles = {"breast-cancer": load_breast_cancer, "digits": load_digits}
    bundle = bundles[name]() if name in bundles else load_diabetes(scaled=False)
    truths = {tuple(row): truth for row, truth in zip(bundle.data.tolist(), bundle.target, strict=True)}
    rows, truth = held_out(name)
    assert [truths[tuple(row)] for row in rows] == truth
    assert len({tuple(row) for row in rows}) == len(rows)
    assert releases[name, "1"].metrics["n_train"] + len(rows) == len(bundle.data)


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("breast-cancer", load_breast_cancer(as_frame=True).frame),
        ("diabetes", load_diabetes(as_frame=True, scaled=False).frame),
    ],
)
def test_a_channel_of_several_files_gives_the_same_model_as_the_data_bundled(
    tmp_path: Path, unpacked: dict[tuple[str, str], Path], name: str, frame: pd.DataFrame
) -> None:
    channel = tmp_path / "channel"
    channel.mkdir()
    frame[:200].to_csv(channel / "part-0.csv", index=False)
    # Columns are found by name, not by place.
    frame[200:][sorted(frame.columns)].to_csv(channel / "part-1.csv", index=False)
    release = "2" if name == "breast-cancer" else "1"

    train(name, tmp_path / "model", train=str(channel), output_data_dir=str(tmp_path / "output"))

    for file in (tmp_path / "model").iterdir():
        assert file.read_bytes() == (unpacked[name, release] / "model" / file.name).read_bytes(), file.name
    assert (tmp_path / "output" / "held_out.csv").read_text().count("\n") == 1 + len(held_out(name)[0])


def run_here(name: str, *flags: str) -> None:
    """Run a training script's ``main`` in this process: for what it refuses before it trains."""
    runpy.run_path(str(MODELS / name / "train.py"))["main"](list(flags))


@pytest.mark.parametrize("name", NAMES)
def test_a_channel_without_a_column_is_refused_by_the_columns_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "data.csv").write_text("bmi,target\n1.0,2\n")
    with pytest.raises(SystemExit, match=r"the columns \['.*'\] are missing; expected \["):
        run_here(name, f"--train={tmp_path}", f"--model-dir={tmp_path}")


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_channel_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SystemExit, match=r"found no \*\.csv file, expected at least one"):
        run_here(name, f"--train={tmp_path}", f"--model-dir={tmp_path}")


@pytest.mark.parametrize("name", NAMES)
def test_no_place_for_the_model_is_refused_with_what_to_give(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SM_MODEL_DIR", raising=False)
    with pytest.raises(SystemExit, match="2"):
        run_here(name)
    assert "give --model-dir or set SM_MODEL_DIR" in capsys.readouterr().err


def test_an_unknown_hyperparameter_fails_the_training(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="unrecognized arguments: --depth=3"):
        train("breast-cancer", tmp_path, depth=3)


def test_an_unknown_example_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"'iris', expected one of \['breast-cancer', 'diabetes', 'digits'\]"
    ):
        train("iris", tmp_path)


def test_a_surrounding_training_jobs_variables_do_not_redirect_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SM_CHANNEL_TRAIN", str(tmp_path / "elsewhere"))
    assert train("diabetes", tmp_path / "model")["n_test"] == 111


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("breast-cancer", ["-c", "0.5"]),
        ("diabetes", ["--alpha", "5"]),
        ("digits", ["-c", "0.5", "--max_iter", "500"]),
    ],
)
def test_the_script_runs_as_a_training_job_whose_metric_definitions_find_every_metric(
    tmp_path: Path, name: str, flags: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-I", str(MODELS / name / "train.py"), *flags],
        env={"PATH": os.environ["PATH"], "SM_MODEL_DIR": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics
    for metric, value in metrics.items():
        (found,) = re.findall(rf"(?:held_out|validation):{metric}=([0-9.]+);", done.stdout)
        assert float(found) == pytest.approx(value, rel=1e-5)

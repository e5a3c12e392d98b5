"""The example that is retrained: more rows make it better, and it answers in every form it promises."""

import json
import sys
from pathlib import Path
from typing import Any

import joblib
import pytest

from local_stack.seed import held_out, train
from local_stack.training_data import rows
from tests.models.test_training import run_here

JSON, LINES, CSV, ANY = "application/json", "application/jsonlines", "text/csv", "*/*"


def trained_on(tmp_path: Path, count: int, **hyperparameters: float) -> float:
    """The accuracy on the held-out rows of a model that has learned from so many rows."""
    channel, model_dir = tmp_path / f"channel-{count}", tmp_path / f"model-{count}"
    (channel / "sub").mkdir(parents=True)
    frame = rows(slice(0, count))
    frame[:100].to_csv(channel / "week-01.csv", index=False)
    # Columns are found by name, not by place; files below as well, as a manifest may bring them.
    frame[100:][sorted(frame.columns)].to_csv(channel / "sub" / "week-02.csv", index=False)
    metrics = train("digits", model_dir, train=str(channel), **hyperparameters)
    assert metrics["n_train"] == count
    assert metrics["n_validation"] == count / 5
    features, truth = held_out("digits")
    return float(joblib.load(model_dir / "model.joblib").score(features, truth))


def test_more_rows_make_a_clearly_better_model_and_a_tiny_c_a_bad_one(tmp_path: Path) -> None:
    few, many = trained_on(tmp_path / "few", 150), trained_on(tmp_path / "many", 1000)
    crippled = trained_on(tmp_path / "crippled", 1000, c=0.0003)
    assert 0.85 < few < 0.92
    assert many > 0.96
    assert 0.75 < crippled < 0.85


def test_a_file_without_a_digit_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    frame = rows(slice(0, 200))
    frame[frame["target"] != 7].to_csv(tmp_path / "week-01.csv", index=False)
    with pytest.raises(SystemExit, match=r"the digits \[7\] are in none of \d+ rows"):
        run_here("digits", f"--train={tmp_path}", f"--model-dir={tmp_path / 'model'}")
    assert not (tmp_path / "model").exists()


def test_every_form_of_request_and_answer_says_the_same(serve, unpacked) -> None:
    features, _ = held_out("digits")
    model = joblib.load(unpacked["digits", "1"] / "model" / "model.joblib")
    in_csv = "".join(",".join(map(str, row)) + "\n" for row in features)
    in_lines = "".join(f"{json.dumps(row)}\n" for row in features)
    in_features = "\n".join(json.dumps({"features": row}) for row in features)
    served = serve(
        "digits",
        "1",
        (json.dumps({"instances": features}), JSON, JSON),
        (in_csv, CSV, LINES),
        (in_lines, LINES, ANY),
        (in_features, f"{LINES}; charset=utf-8", f"text/html, {LINES};q=0.9"),
    )
    assert [answer.content_type for answer in served.answers] == [JSON, LINES, JSON, LINES]
    first, *others = [_predictions(answer.body) for answer in served.answers]
    assert [each["label"] for each in first] == model.predict(features).tolist()
    offline = model.predict_proba(features).max(axis=1).tolist()
    # The last bit is the linear algebra's, which may run on another number of threads.
    assert [each["probability"] for each in first] == pytest.approx(offline, rel=1e-12)
    assert others == [first] * 3
    assert served.answers[1].body.count("\n") == len(features)  # one prediction a line, for batch transform


def test_a_wrong_request_is_answered_with_its_own_fault(serve) -> None:
    good = [8] * 64
    in_lines = json.dumps(good)
    cases = [
        (("", CSV, JSON), 400, "found no row, expected at least one"),
        (("1,2,3\n", CSV, JSON), 400, "row 0: found 3 features, expected 64"),
        ((f"{in_lines}\n{in_lines[:-4]}]\n", LINES, JSON), 400, "row 1: found 63 features, expected 64"),
        (('{"pixels": []}\n', LINES, JSON), 400, "row 0: found NoneType features, expected 64"),
        ((f"{in_lines}\n[", LINES, JSON), 400, "the body is not application/jsonlines of digits"),
        ((json.dumps([good]), JSON, JSON), 400, 'expected {"instances": [[…], …]}'),
        (("[" * 100_000, JSON, JSON), 400, "the body is not application/json of digits"),
        (("9" * 200_000, CSV, JSON), 400, "the body is not text/csv of digits"),
        ((",".join(["dark", *["8"] * 63]), CSV, JSON), 400, "could not convert string to float"),
        ((json.dumps({"instances": [[None, *good[1:]]]}), JSON, JSON), 400, "row 0, feature 0: found nan"),
        ((json.dumps({"instances": [[10**400, *good[1:]]]}), JSON, JSON), 400, "too large"),
        (("\udcff", f"{CSV}; charset=utf-8", JSON), 400, "the body is not text/csv of digits"),
        (("<rows/>", "application/xml", JSON), 415, "found content type 'application/xml'"),
        ((in_lines, LINES, "image/png"), 406, "found Accept 'image/png'"),
    ]
    *refused, after = serve(
        "digits", "1", *(request for request, _, _ in cases), (in_lines, LINES, LINES)
    ).answers
    for answer, (request, status, message) in zip(refused, cases, strict=True):
        assert (answer.status, message in answer.body) == (status, True), (request[0][:99], answer.body)
    assert after.status == 200  # none of them broke the container


def test_serving_needs_only_what_the_container_has(serve) -> None:
    served = serve("digits", "1", (json.dumps([8] * 64), LINES, JSON))
    packages = {module.split(".")[0] for module in served.modules} - sys.stdlib_module_names
    assert {"inference", "sklearn"} <= packages
    assert not packages & {"boto3", "airflow", "local_stack", "local_sagemaker", "endpoint_deploy", "train"}


def _predictions(body: str) -> list[dict[str, Any]]:
    try:
        return list(json.loads(body))
    except json.JSONDecodeError:
        return [json.loads(line) for line in body.splitlines()]

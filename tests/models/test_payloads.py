import json
from pathlib import Path

import pytest

from local_stack.seed import MODELS, held_out

PAYLOADS = sorted(path for path in MODELS.glob("*/payloads/*.*") if not path.name.endswith(".expected.json"))
CONTENT_TYPES = {".json": "application/json", ".csv": "text/csv", ".jsonl": "application/jsonlines"}


def rows_of(payload: Path) -> list[list[float]]:
    text = payload.read_text()
    if payload.suffix == ".json":
        return list(json.loads(text)["instances"])
    if payload.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines()]
    return [[float(value) for value in line.split(",")] for line in text.splitlines()]


def expected_for(payload: Path) -> list[float]:
    return list(json.loads(payload.with_suffix(".expected.json").read_text()))


def test_each_example_has_payloads_of_every_content_type_it_takes() -> None:
    found = {(path.parts[-3], path.suffix) for path in PAYLOADS}
    both = {(name, suffix) for name in ("breast-cancer", "diabetes") for suffix in (".json", ".csv")}
    assert found == both | {("digits", suffix) for suffix in CONTENT_TYPES}


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda path: f"{path.parts[-3]}/{path.name}")
def test_a_payload_holds_held_out_rows_and_the_truth_about_them(payload: Path) -> None:
    rows, truth = held_out(payload.parts[-3])
    known = {tuple(row): value for row, value in zip(rows, truth, strict=True)}
    assert [known[tuple(row)] for row in rows_of(payload)] == expected_for(payload)


@pytest.mark.parametrize(
    ("name", "release"), [("breast-cancer", "1"), ("breast-cancer", "2"), ("digits", "1")]
)
def test_the_classifiers_answer_the_payloads_with_the_true_labels(serve, name: str, release: str) -> None:
    payloads = [payload for payload in PAYLOADS if payload.parts[-3] == name]
    served = serve(name, release, *(_request(payload) for payload in payloads))
    for payload, answer in zip(payloads, served.answers, strict=True):
        assert [each["label"] for each in answer.predictions] == expected_for(payload), payload.name


@pytest.mark.parametrize("flavor", ["ridge", "boosting"])
def test_both_flavors_of_diabetes_come_near_the_measured_progression(serve, flavor: str) -> None:
    payload = MODELS / "diabetes" / "payloads" / "batch.csv"
    (answer,) = serve("diabetes", "1", _request(payload), MODEL_FLAVOR=flavor).answers
    errors = [abs(a - b) for a, b in zip(answer.predictions, expected_for(payload), strict=True)]
    assert sum(errors) / len(errors) < 60


def _request(payload: Path) -> tuple[str, str, str]:
    return payload.read_text(), CONTENT_TYPES[payload.suffix], "application/json"

"""What `validate` says of the sections retrain and batch_transform."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from endpoint_deploy.cli import app

SECTIONS = """\
registry:
  group: churn
retrain:
  data:
    source: s3://ml-platform/churn/data
    target: churned
    suite: suite.json
    comparison_suite: suite.json
  training:
    code: code
    instance_type: ml.m5.large
  evaluation:
    data: s3://ml-platform/churn/held-out
    instance_type: ml.m5.large
    script: code/evaluate.py
    metrics: [{name: accuracy, at_least: 0.5}]
    suite: suite.json
batch_transform:
  input: s3://ml-platform/churn/in
  output: s3://ml-platform/churn/out
  instance_type: ml.m5.large
  columns: [age]
  input_suite: suite.json
  output_suite: suite.json
"""


@pytest.fixture
def spec(specs: Path) -> Path:
    """The good spec with both sections, and the code that they name."""
    (specs / "code").mkdir()
    (specs / "code" / "train.py").write_text("print()")
    (specs / "code" / "evaluate.py").write_text("print()")
    path = specs / "churn.yaml"
    path.write_text(path.read_text() + SECTIONS)
    return path


def problems(path: Path) -> list[dict[str, str]]:
    found = json.loads(CliRunner().invoke(app, ["validate", str(path), "--json"]).stdout)
    return list(found["problems"])


def test_good_sections(spec: Path) -> None:
    assert problems(spec) == []


@pytest.mark.parametrize(
    ("change", "path", "found", "expected"),
    [
        (
            ("suite: suite.json\n    comp", "suite: no.json\n    comp"),
            "retrain.data.suite",
            "no such file",
            "",
        ),
        (("comparison_suite: suite", "comparison_suite: no"), "retrain.data.comparison_suite", "no such", ""),
        (("0.5}]\n    suite: suite", "0.5}]\n    suite: no"), "retrain.evaluation.suite", "no such file", ""),
        (("input_suite: suite", "input_suite: no"), "batch_transform.input_suite", "no such file", ""),
        (("output_suite: suite", "output_suite: no"), "batch_transform.output_suite", "no such file", ""),
        (("code/evaluate.py", "code/no.py"), "retrain.evaluation.script", "no such file", "a script at"),
        (("code: code", "code: kode"), "retrain.training.code", "no such directory", "the directory of the"),
        (("code: code", "code: suite.json"), "retrain.training.code", "a file", "the directory of the"),
        (
            ("code: code\n", "code: code\n    script: fit.py\n"),
            "retrain.training.script",
            "'fit.py': no such file",
            "the training script in",
        ),
        (
            ("code: code\n", "code: code\n    image: {framework: sklearn, version: 9-9}\n"),
            "retrain.training.image",
            "sklearn 9-9 in eu-west-1",
            "for training",
        ),
        (
            ("code: code\n    instance_type: ml.m5.large", "code: code\n    instance_type: ml.m5.lrge"),
            "retrain.training.instance_type",
            "'ml.m5.lrge'",
            "instance types for training",
        ),
        (
            ("held-out\n    instance_type: ml.m5.large", "held-out\n    instance_type: ml.m1.large"),
            "retrain.evaluation.instance_type",
            "'ml.m1.large'",
            "instance types for processing",
        ),
        (
            ("churn/out\n  instance_type: ml.m5.large", "churn/out\n  instance_type: ml.c4.large"),
            "batch_transform.instance_type",
            "'ml.c4.large'",
            "instance types for batch transform",
        ),
    ],
)
def test_a_problem(spec: Path, change: tuple[str, str], path: str, found: str, expected: str) -> None:
    old, new = change
    text = spec.read_text()
    assert old in text
    spec.write_text(text.replace(old, new))
    (problem,) = problems(spec)
    assert problem["path"] == path
    assert found in problem["found"]
    assert expected in problem["expected"]


def test_an_image_that_neither_serves_nor_trains_is_said_once(spec: Path) -> None:
    spec.write_text(spec.read_text().replace("version: 1.2-1", "version: 9-9"))
    assert [problem["path"] for problem in problems(spec)] == ["model.image"]

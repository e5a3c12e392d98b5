import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from endpoint_deploy.cli import app

REPOSITORY = Path(__file__).parents[2]


def run(*args: object) -> Result:
    return CliRunner().invoke(app, ["validate", *map(str, args)])


def problems(path: Path) -> list[dict[str, object]]:
    result = run(path, "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)["problems"]
    assert isinstance(found, list)
    return found


def change(path: Path, old: str, new: str) -> Path:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


def test_a_good_directory(specs: Path) -> None:
    result = run(specs)
    assert result.exit_code == 0
    assert result.stdout == "ok churn__prod\n"
    result = run(specs / "churn.yaml", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"deployments": ["churn__prod"], "problems": []}


def test_the_shipped_examples() -> None:
    result = run(REPOSITORY / "include" / "deployments")
    assert result.stderr == ""
    assert result.exit_code == 0


def test_every_problem_of_every_file_is_printed(specs: Path) -> None:
    (specs / "bad.yaml").write_text("name: Bad\nregion: x\n")
    change(specs / "churn.yaml", "ml.m5.large", "ml.m5.lrge")
    result = run(specs)
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert any(
        f"{specs}/bad.yaml:1: name: found 'Bad', expected lower-case letters" in line for line in lines
    )
    assert any(f"{specs}/bad.yaml:2: region: found an unknown key" in line for line in lines)
    assert f"{specs}/churn.yaml:14: endpoint.variants[0].instance_type: found 'ml.m5.lrge'" in lines[-1]


def test_a_file_that_is_not_there(specs: Path) -> None:
    (problem,) = problems(specs / "nothing.yaml")
    assert problem["found"] == "no readable file (No such file or directory)"


def test_an_unknown_instance_type(specs: Path) -> None:
    (problem,) = problems(change(specs / "churn.yaml", "ml.m5.large", "ml.m5.lrge"))
    assert problem["path"] == "endpoint.variants[0].instance_type"
    assert problem["line"] == 14
    assert "ml.m5.large" in str(problem["hint"])


def test_an_unknown_version_of_a_framework(specs: Path) -> None:
    (problem,) = problems(change(specs / "churn.yaml", "1.2-1", "9-9"))
    assert problem["path"] == "model.image"
    assert problem["line"] == 9
    assert problem["found"] == "sklearn 9-9 in eu-west-1"
    assert "1.2-1" in str(problem["expected"])


def test_a_payload_that_is_missing(specs: Path) -> None:
    (specs / "payloads" / "one.json").unlink()
    (problem,) = problems(specs)
    assert problem["path"] == "smoke_tests[0].payload"
    assert problem["line"] == 17
    assert problem["found"] == "'payloads/one.json': no such file or directory"
    assert str(specs / "payloads" / "one.json") in str(problem["expected"])


@pytest.mark.parametrize(
    ("file", "content", "path", "found"),
    [
        ("payloads/one.json", "{", "payload", "no JSON"),
        ("payloads/one.expected.json", "3", "expected", "JSON that is no list"),
        ("payloads/one.expected.json", "\xff", "expected", "no JSON"),
        ("suite.json", "[]", "expectations", "JSON without a list of expectations"),
        ("suite.json", '{"expectations": []}', "expectations", "JSON without a list of expectations"),
        ("suite.json", '{"expectations": [{"kwargs": {}}]}', "expectations", "an expectation without a type"),
    ],
)
def test_a_file_that_does_not_parse(specs: Path, file: str, content: str, path: str, found: str) -> None:
    (specs / file).write_text(content, encoding="utf-8")
    (problem,) = problems(specs)
    assert problem["path"] == f"smoke_tests[0].{path}"
    assert f"'{file}': {found}" in str(problem["found"])


def test_a_payload_of_another_content_type_needs_only_bytes(specs: Path) -> None:
    change(
        specs / "churn.yaml",
        "    payload: payloads/one.json",
        "    payload: one.csv\n    content_type: text/csv",
    )
    (specs / "one.csv").write_text("1,2\n")
    assert run(specs).exit_code == 0
    (specs / "one.csv").write_text("")
    (problem,) = problems(specs)
    assert problem["found"] == "'one.csv': an empty file"


def test_no_traceback_without_arguments() -> None:
    result = run()
    assert result.exit_code == 2
    assert "Traceback" not in result.output


LOADED = "print('loaded', sorted({'airflow', 'pandas', 'great_expectations', 'boto3'} & sys.modules.keys()))"


@pytest.mark.parametrize("args", [["schema"], ["validate", "bad.yaml"]])
def test_the_command_line_is_light(specs: Path, args: list[str]) -> None:
    (specs / "bad.yaml").write_text("name: Bad\n")
    code = f"import sys; from endpoint_deploy.cli import app; app(standalone_mode=False); {LOADED}"
    command = [sys.executable, "-c", code, *args]
    done = subprocess.run(command, cwd=specs, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("loaded []\n"), done.stderr


def test_suites_of_a_batch_transform_are_looked_at(specs: Path) -> None:
    (specs / "broken.json").write_text("{}")
    with (specs / "churn.yaml").open("a") as file:
        file.write(
            "batch_transform:\n  input: s3://ml-platform/in\n  output: s3://ml-platform/out\n"
            "  instance_type: ml.m5.large\n  columns: [age]\n  input_suite: gone.json\n"
            "  output_suite: broken.json\n"
        )
    found = {str(problem["path"]): str(problem["found"]) for problem in problems(specs)}
    assert found == {
        "batch_transform.input_suite": "'gone.json': no such file or directory",
        "batch_transform.output_suite": "'broken.json': JSON without a list of expectations",
    }

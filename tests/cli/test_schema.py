import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from endpoint_deploy.cli import app
from endpoint_deploy.core.document import read_document

REPOSITORY = Path(__file__).parents[2]
DEPLOYMENTS = REPOSITORY / "include" / "deployments"
CORPUS = sorted((REPOSITORY / "tests" / "core" / "faulty_specs").glob("*.yaml"))
COMMITTED = DEPLOYMENTS / "schema.json"


def test_the_committed_schema_is_that_of_the_models() -> None:
    result = CliRunner().invoke(app, ["schema"])
    assert result.exit_code == 0
    assert result.stdout == COMMITTED.read_text(encoding="utf-8"), (
        "run: python -m endpoint_deploy schema --output include/deployments/schema.json"
    )


def test_it_can_be_written(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["schema", "--output", str(tmp_path / "schema.json")])
    assert result.exit_code == 0
    assert (tmp_path / "schema.json").read_bytes() == COMMITTED.read_bytes()


def test_it_cannot_be_written_where_there_is_no_directory(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["schema", "--output", str(tmp_path / "no" / "schema.json")])
    assert result.exit_code == 1
    assert "No such file or directory" in result.stderr


def test_it_is_a_schema_of_its_dialect() -> None:
    schema = json.loads(COMMITTED.read_text(encoding="utf-8"))
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", sorted(DEPLOYMENTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_examples_follow_it_and_name_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")
    validator = Draft202012Validator(json.loads(COMMITTED.read_text(encoding="utf-8")))
    assert list(validator.iter_errors(yaml.safe_load(text))) == []


# What only a validator can know, since it is about two values or more, or about cron. A schema knows no
# difference either between 2 and 2.0, a default from a key that is required, or 1 from "1".
BEYOND_A_SCHEMA = re.compile(
    r"yaml_|schedule_|tag_(of|with)_|instance_type_(missing|and)|serverless_(staged|with|provisioned)|"
    r"weights_all|variant_name_with_a_digest|expected_without|variables_too_(large|many_together)|"
    r"variants_too_many_to_|\w+_twice|count_is_a_float|strategy_missing|variable_name_is_a_number|"
    r"artifact_missing|batch_(columns_of|output_within|payloads_too|schedule|suite_without|variant_unknown)|"
    r"feedback_(of_answers|truth_within|with_the_target|without)|registry_beside|spot_waits|step_least|steps_not|"
    r"ab_test_(least|metric_of|of_a|with_the)|analysis_(bounds|captured|direct|least|metric_without|nothing|predictions_without|replayed|suite_without)|"
    r"changes_(closed_day|timezone)_unknown|shadow_(of_a|with_)|"
    r"guard_(and|looks|of_a_serverless|of_nothing|with_more)|linear_step|rolling_(batch|with_two)|"
    r"canary_(longer|of_a|over)|autoscaling_(bounds|count_outside|custom|max|of_|schedule|steps)|notification_to_nobody|notification_two|"
    r"tuning_(bounds|by_an|grid|more_at_once|searches_nothing|without)"
)


@pytest.mark.parametrize(
    "path", [path for path in CORPUS if not BEYOND_A_SCHEMA.match(path.stem)], ids=lambda path: path.stem
)
def test_an_editor_marks_what_the_loader_refuses(path: Path) -> None:
    document = read_document(path.read_text(encoding="utf-8"), source="spec.yaml")
    data = json.loads(json.dumps(document.data))
    assert not Draft202012Validator(json.loads(COMMITTED.read_text(encoding="utf-8"))).is_valid(data)

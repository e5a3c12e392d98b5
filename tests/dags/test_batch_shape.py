"""What the batch transform DAG looks like."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.dags.recorded import check_chain, check_schedules
from tests.dags.test_integrity import HEAVY, parse
from tests.dags.test_shape import SPEC

FILE = Path(__file__).parents[2] / "dags" / "batch_transform.py"
SECTION = """\
batch_transform:
  input: s3://ml-platform/to-predict
  output: s3://ml-platform/predicted
  instance_type: ml.m5.large
"""
CHAIN = ["resolve_batch", "check_input", "transform", "check_output", "deliver"]


@pytest.fixture
def build(build_dags: Any) -> Any:
    return partial(build_dags, "batch_transform")


def test_only_a_deployment_with_the_section_has_the_dag(build: Any) -> None:
    assert build("") == {}
    assert list(build(SECTION)) == ["batch_transform__churn__prod"]


def test_its_tasks_are_a_chain_that_is_recorded_whatever_happens(build: Any) -> None:
    (dag,) = build(SECTION).values()
    check_chain(dag, CHAIN, "record_batch")


def test_it_runs_by_cron_on_new_files_by_both_or_by_hand(build: Any) -> None:
    check_schedules(build, SECTION, watches="input", prefix="s3://ml-platform/to-predict")


@pytest.mark.parametrize(
    ("field", "right", "wrong"),
    [
        ("input", [None, "s3://ml-platform/march", "s3://ml-platform"], ["", "march", "https://a/b", 1]),
        ("release", [None, 1, 12], [0, "1", 1.5]),
        ("force", [True, False], [None, "yes"]),
        ("reason", [None, "monthly"], ["x" * 501]),
    ],
)
def test_the_form_takes_what_is_right_and_refuses_what_is_not(
    build: Any, field: str, right: list[Any], wrong: list[Any]
) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    (dag,) = build(SECTION).values()
    assert set(dag.params) == {"input", "release", "force", "reason"}
    param = dag.params.get_param(field)
    assert param.schema["title"]
    assert param.description
    for value in right:
        assert param.resolve(value) == value
    for value in wrong:
        with pytest.raises(ParamValidationError):
            param.resolve(value)


def test_parsing_asks_nobody_and_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "churn.yaml").write_text(SPEC + SECTION)
    found = parse(FILE, ENDPOINT_DEPLOY_SPECS=str(tmp_path))
    assert (found["errors"], found["dags"]) == ({}, ["batch_transform__churn__prod"])
    assert found["network"] == []
    assert HEAVY.isdisjoint(found["modules"])

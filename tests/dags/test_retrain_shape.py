"""What the retrain DAG looks like."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.dags.recorded import check_chain, check_schedules
from tests.dags.test_integrity import HEAVY, parse
from tests.dags.test_shape import SPEC

FILE = Path(__file__).parents[2] / "dags" / "retrain.py"
SECTIONS = """\
registry:
  group: churn
retrain:
  data:
    source: s3://ml-platform/rows
    target: churned
    suite: rows.json
  training:
    code: code
    instance_type: ml.m5.large
    metrics:
      loss: "loss=(.*)"
  evaluation:
    data: s3://ml-platform/held-out
    script: evaluate.py
    instance_type: ml.m5.large
    metrics:
      - name: f1
"""
TUNING = """\
  tuning:
    objective: loss
    goal: Minimize
    max_jobs: 4
    ranges:
      integer:
        max_depth: [1, 9]
"""
CHAIN = [
    "merge_feedback",
    "select_data",
    "check_data",
    "train",
    "validate_candidate",
    "evaluate",
    "gate_metrics",
    "register",
]
ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/3"


@pytest.fixture
def build(build_dags: Any) -> Any:
    return partial(build_dags, "retrain")


def test_only_a_deployment_with_the_section_has_the_dag(build: Any) -> None:
    assert build("") == {}
    (dag,) = build(SECTIONS).values()
    assert dag.dag_id == "retrain__churn__prod"
    assert (dag.max_active_runs, dag.catchup) == (1, False)
    assert dag.tags == {"endpoint-deploy", "retrain", "churn", "prod"}


def test_its_tasks_are_a_chain_that_is_recorded_whatever_happens(build: Any) -> None:
    (dag,) = build(SECTIONS).values()
    check_chain(dag, CHAIN, "record_retrain")


def test_a_spec_with_tuning_tunes(build: Any) -> None:
    def trains_by(sections: str) -> str:
        (dag,) = build(sections).values()
        return str(dag.get_task("train").task_type)

    assert [trains_by(SECTIONS), trains_by(SECTIONS + TUNING)] == ["TrainOperator", "TuneOperator"]


def test_it_runs_by_cron_on_new_data_by_both_or_by_hand(build: Any) -> None:
    check_schedules(build, SECTIONS, watches="data", prefix="s3://ml-platform/rows")


@pytest.mark.parametrize(
    ("field", "right", "wrong"),
    [
        ("window", [None, 1, 10_000], [0, -1, 10_001, 1.5, "1"]),
        ("accept_drift", [True, False], [None, "yes"]),
        ("force", [True, False], [None, "yes"]),
        (
            "hyperparameters",
            [{}, {"max_depth": 4, "rate": 0.1, "name": "a", "fast": True}],
            [None, [], {"max_depth": [4]}, {"max_depth": None}, {"max depth": 4}, {"a": "x" * 2501}],
        ),
        ("model_package", [None, ARN], ["", "churn/3", ARN.replace("model-package", "endpoint")]),
        ("reason", [None, "more data"], ["x" * 501]),
    ],
)
def test_the_form_takes_what_is_right_and_refuses_what_is_not(
    build: Any, field: str, right: list[Any], wrong: list[Any]
) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    (dag,) = build(SECTIONS).values()
    assert len(dag.params) == 6
    dag.params.validate()
    param = dag.params.get_param(field)
    assert param.schema["title"]
    assert param.description
    for value in right:
        assert param.resolve(value) == value
    for value in wrong:
        with pytest.raises(ParamValidationError):
            param.resolve(value)


def test_parsing_asks_nobody_and_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "churn.yaml").write_text(SPEC + SECTIONS)
    found = parse(FILE, ENDPOINT_DEPLOY_SPECS=str(tmp_path))
    assert (found["errors"], found["dags"]) == ({}, ["retrain__churn__prod"])
    assert found["network"] == []
    assert HEAVY.isdisjoint(found["modules"])

"""What the DAGs look like: tasks, order, trigger rules, forms, limits."""

import re
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG

from tests.dag_bag import DagBag

REPOSITORY = Path(__file__).parents[2]
KINDS = ("deploy", "rollback", "teardown", "freeze")
SPEC = """\
name: churn
environment: prod
description: Who leaves.
owner: growth
schedule: "0 6 * * 1"
aws:
  region: eu-west-1
  role_arn: arn:aws:iam::123456789012:role/sagemaker-execution
  store: s3://ml-platform/endpoint-deploy
model:
  artifact: s3://ml-platform/models/churn/model.tar.gz
  image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/churn:1
endpoint:
  variants:
    - instance_type: ml.m5.large
smoke_tests:
  - name: one
    payload: payloads/one.json
run:
  retries: 4
  retry_delay_seconds: 7
  pool: endpoints
"""

# Task: what it waits for, and when it then runs.
Shape = dict[str, tuple[set[str], str]]
DEPLOY: Shape = {
    "resolve_release": (set(), "none_failed"),
    "validate_artifact": ({"resolve_release"}, "none_failed"),
    "plan": ({"validate_artifact"}, "none_failed"),
    "hold": ({"plan"}, "none_failed"),
    "create_model": ({"plan", "hold"}, "none_failed"),
    "create_endpoint_config": ({"create_model"}, "none_failed"),
    "apply_endpoint": ({"create_endpoint_config"}, "none_failed"),
    "wait_for_endpoint": ({"apply_endpoint"}, "none_failed"),
    "register_scaling": ({"wait_for_endpoint"}, "none_failed"),
    "smoke_test": ({"wait_for_endpoint", "register_scaling"}, "none_failed"),
    "shift_traffic": ({"smoke_test"}, "none_failed"),
    "watch": ({"smoke_test", "shift_traffic"}, "none_failed"),
    "retire_champion": ({"smoke_test", "shift_traffic", "watch"}, "none_failed"),
    # Whatever failed once anything may have been created.
    "roll_back": (
        {
            "create_model",
            "create_endpoint_config",
            "apply_endpoint",
            "wait_for_endpoint",
            "register_scaling",
            "smoke_test",
            "shift_traffic",
            "watch",
            "retire_champion",
            "complete",
        },
        "all_done_setup_success",
    ),
    "record_release": ({"roll_back"}, "all_done_setup_success"),
    "outcome": ({"record_release"}, "all_done_setup_success"),
    "complete": ({"plan", "smoke_test", "shift_traffic", "watch", "retire_champion"}, "none_failed"),
}
ROLLBACK: Shape = {
    "plan": (set(), "none_failed"),
    "apply_endpoint": ({"plan"}, "none_failed"),
    "wait_for_endpoint": ({"apply_endpoint"}, "none_failed"),
    "register_scaling": ({"wait_for_endpoint"}, "none_failed"),
    "smoke_test": ({"wait_for_endpoint", "register_scaling"}, "none_failed"),
    "shift_traffic": ({"smoke_test"}, "none_failed"),
    "roll_back": (
        {
            "apply_endpoint",
            "wait_for_endpoint",
            "register_scaling",
            "smoke_test",
            "shift_traffic",
            "complete",
        },
        "all_done_setup_success",
    ),
    "record_release": ({"roll_back"}, "all_done_setup_success"),
    "outcome": ({"record_release"}, "all_done_setup_success"),
    "complete": ({"plan", "smoke_test", "shift_traffic"}, "none_failed"),
}
TEARDOWN: Shape = {"teardown": (set(), "all_success")}
FREEZE: Shape = {"freeze": (set(), "all_success")}
SHAPES = {"deploy": DEPLOY, "rollback": ROLLBACK, "teardown": TEARDOWN, "freeze": FREEZE}


@pytest.fixture
def dags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, DAG]:
    """The deployment's DAGs by their kind."""
    (tmp_path / "churn.yaml").write_text(SPEC)
    monkeypatch.setenv("ENDPOINT_DEPLOY_SPECS", str(tmp_path))
    bags = {kind: DagBag(dag_folder=str(REPOSITORY / "dags" / f"{kind}.py")) for kind in KINDS}
    return {kind: bag.dags[f"{kind}__churn__prod"] for kind, bag in bags.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_tasks_their_order_and_their_rules(dags: dict[str, DAG], kind: str) -> None:
    found = {
        task.task_id: (set(task.upstream_task_ids), task.trigger_rule.value) for task in dags[kind].tasks
    }
    assert found == SHAPES[kind]


def test_a_person_is_asked_between_plan_and_what_is_made_where_the_spec_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "churn.yaml").write_text(f"{SPEC}approval: {{timeout_seconds: 60, approvers: [ann]}}\n")
    monkeypatch.setenv("ENDPOINT_DEPLOY_SPECS", str(tmp_path))
    dag = DagBag(dag_folder=str(REPOSITORY / "dags" / "deploy.py")).dags["deploy__churn__prod"]
    assert {task.task_id for task in dag.tasks} == {*DEPLOY, "approve"}
    approve = dag.get_task("approve")
    assert approve.upstream_task_ids == {"plan"}
    assert approve.downstream_task_ids == {"hold", "create_model"}  # `hold` may be skipped by then
    assert approve.trigger_rule == "none_failed"
    assert (approve.options, approve.defaults) == (["Approve", "Reject"], ["Reject"])
    assert approve.assigned_users == [{"id": "ann", "name": "ann"}]
    assert approve.response_timeout.total_seconds() == 60
    assert list(approve.serialized_params) == ["note"]
    # Nobody can say in advance when a person has decided: whether it may go on then is looked at after it.
    assert dag.get_task("hold").downstream_task_ids == {"create_model"}
    # What is rejected has changed nothing that would have to be rolled back.
    assert "approve" not in dag.get_task("roll_back").upstream_task_ids


def test_alarms_are_made_right_before_the_update_where_the_spec_has_a_guard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = "release: {strategy: direct, guard: {error_rate: 0.05}}"
    (tmp_path / "churn.yaml").write_text(f"{SPEC}{release}\n")
    monkeypatch.setenv("ENDPOINT_DEPLOY_SPECS", str(tmp_path))
    dag = DagBag(dag_folder=str(REPOSITORY / "dags" / "deploy.py")).dags["deploy__churn__prod"]
    task = dag.get_task("create_alarms")
    assert (task.upstream_task_ids, task.trigger_rule) == ({"create_endpoint_config"}, "none_failed")
    assert task.downstream_task_ids == {"apply_endpoint", "roll_back"}


@pytest.mark.parametrize("kind", ["deploy", "rollback"])
def test_what_ends_a_release_runs_too_where_a_person_ends_the_run(dags: dict[str, DAG], kind: str) -> None:
    teardowns = {task.task_id: task.on_failure_fail_dagrun for task in dags[kind].teardowns}
    # The run's state is that of `outcome` and of the happy path's own end: were it that of `roll_back` alone,
    # a rolled-back run would be a success.
    assert teardowns == {"roll_back": False, "record_release": False, "outcome": True}
    complete = dags[kind].get_task("complete")
    assert all(dags[kind].get_task(task_id).is_teardown for task_id in complete.downstream_task_ids)


@pytest.mark.parametrize("kind", KINDS)
def test_one_run_at_a_time_and_no_catching_up(dags: dict[str, DAG], kind: str) -> None:
    dag = dags[kind]
    assert dag.max_active_runs == 1
    assert dag.catchup is False
    assert dag.tags == {"endpoint-deploy", kind, "churn", "prod"}
    assert dag.dag_display_name == f"{kind} churn (prod)"
    assert dag.description == "Who leaves."


def test_only_a_release_is_scheduled(dags: dict[str, DAG]) -> None:
    schedules: dict[str, Any] = {kind: dag.schedule for kind, dag in dags.items()}
    assert schedules == {"deploy": "0 6 * * 1", "rollback": None, "teardown": None, "freeze": None}


@pytest.mark.parametrize("kind", KINDS)
def test_the_spec_says_how_tasks_are_tried_again(dags: dict[str, DAG], kind: str) -> None:
    for task in dags[kind].tasks:
        assert task.owner == "growth"
        assert task.pool == "endpoints"
        # What brings an endpoint back, and what says so, is tried at least six times, whatever the spec says.
        least = {"outcome": 6, "roll_back": 6, "record_release": 6}
        assert task.retries == least.get(task.task_id, 4), task.task_id
        assert task.retry_delay.total_seconds() == 7


GOOD_ARTIFACTS = ["s3://ml-platform/model.tar.gz", "s3://a.b-c/d/e=1/model-1.tar.gz"]
FORMS: dict[str, dict[str, tuple[list[Any], list[Any]]]] = {
    "deploy": {
        "artifact": (
            [None, *GOOD_ARTIFACTS],
            [
                "",
                "s3://ml-platform/",
                "s3://ml-platform/model.zip",
                "s3://b/model.tar.gz",
                "https://a/b.tar.gz",
            ],
        ),
        "image": ([None, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/a:1"], ["", "a b", 1]),
        "model_package": (
            [None, "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/7"],
            ["", "churn/7", "arn:aws:sagemaker:eu-west-1:123456789012:model-package/"],
        ),
        "plan_only": ([True, False], ["yes", None, 1]),
        "reason": ([None, "new data"], ["x" * 501, 1]),
    },
    "rollback": {
        "release": ([None, 1, 99], [0, -1, 1.5, "1", True, 100_000_000]),
        "reason": ([None, "wrong data"], ["x" * 501, 1]),
    },
    "freeze": {
        "action": (["freeze", "thaw"], ["melt", None]),
        "reason": ([None, "an audit"], ["x" * 501, 1]),
        "until": ([None, "2026-12-27T06:00:00+01:00"], ["tomorrow", "2026-12-27", 1]),
    },
    "teardown": {
        "confirm": (["", "churn-prod"], [None, "yes", "churn-prod2", 1]),
        "reason": ([None, "unused"], ["x" * 501, 1]),
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_form_needs_no_input_and_says_what_each_field_is(dags: dict[str, DAG], kind: str) -> None:
    params = dags[kind].params
    assert set(params) == set(FORMS[kind])
    params.validate()
    for name in params:
        param = params.get_param(name)
        assert param.schema["title"], name
        assert param.description, name


@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind in FORMS for field in FORMS[kind]])
def test_the_form_takes_what_is_right_and_refuses_what_is_not(
    dags: dict[str, DAG], kind: str, field: str
) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    param = dags[kind].params.get_param(field)
    right, wrong = FORMS[kind][field]
    for value in right:
        assert param.resolve(value) == value
    for value in wrong:
        with pytest.raises(ParamValidationError, match=re.escape(repr(value)) if value != "" else None):
            param.resolve(value)

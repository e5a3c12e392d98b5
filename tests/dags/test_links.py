"""Where the tasks' links lead, by connection and region, and that none of them can fail a task."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from airflow.sdk import DAG
from endpoint_deploy_plugin import EndpointDeployPlugin

from endpoint_deploy.job_task import JobTask
from endpoint_deploy.task_links import JobLink, JobLogsLink

Links = Callable[..., dict[str, str]]
PASSWORD = "not-to-be-seen"
PINNED = "s3://ml-platform/endpoint-deploy/artifacts/ab/model.tar.gz"
GROUP = "#logsV2:log-groups/log-group/%2Faws%2Fsagemaker%2FEndpoints%2Fchurn-prod"


class Left:
    """Airflow's task instance as a link sees it: what the task has pushed."""

    task_id = "any"

    def __init__(self, **pushed: Any) -> None:
        self.pushed = pushed

    def xcom_pull(self, *, task_ids: str, key: str = "return_value") -> Any:
        """What that task has pushed under the key."""
        return self.pushed.get(key)


class Unreachable(Left):
    """A task instance where Airflow's API server does not answer."""

    def xcom_pull(self, *, task_ids: str, key: str = "return_value") -> Any:
        """Never comes back with anything."""
        raise ConnectionError(f"no answer of {task_ids}, {key}")


@pytest.fixture
def links(build_dags: Callable[[str, str], dict[str, DAG]], monkeypatch: pytest.MonkeyPatch) -> Links:
    """The links of a task of the deploy DAG by their names, as its worker makes them, on a connection."""

    def made(
        task_id: str,
        ti: Left | None = None,
        *,
        region: str = "eu-west-1",
        asked: bool = True,
        **conn: Any,
    ) -> dict[str, str]:
        said = {"conn_type": "aws", "login": "AKIDEXAMPLE", "password": PASSWORD, **conn}
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(said))
        (dag,) = build_dags("deploy", "").values()
        task: Any = dag.get_task(task_id)
        task.region_name = region
        if asked:
            assert task.hook
        return {link.name: link.get_link(task, ti_key=ti or Left()) for link in task.operator_extra_links}

    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com/team/")
    return made


@pytest.mark.parametrize(
    ("region", "console"),
    [
        ("eu-west-1", "https://eu-west-1.console.aws.amazon.com"),
        ("cn-north-1", "https://cn-north-1.console.amazonaws.cn"),
        ("us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_on_aws_they_lead_to_the_console_of_the_region(links: Links, region: str, console: str) -> None:
    assert links("wait_for_endpoint", region=region) == {
        "Data Docs": "",
        "Endpoint": "https://airflow.example.com/team/plugin/endpoints/churn__prod",
        "SageMaker": f"{console}/sagemaker/home?region={region}#/endpoints/churn-prod",
        "CloudWatch logs": f"{console}/cloudwatch/home?region={region}{GROUP}",
        "CloudWatch alarms": f"{console}/cloudwatch/home?region={region}#alarmsV2:?search=churn-prod",
    }
    pinned = links("validate_artifact", Left(return_value={"candidate": {"pinned": PINNED}}), region=region)
    at = f"ml-platform?region={region}&prefix=endpoint-deploy/artifacts/ab/model.tar.gz"
    assert pinned["S3 object"] == f"{console}/s3/object/{at}"


def test_a_local_endpoint_s_lead_to_its_server_and_give_no_credentials_away(links: Links) -> None:
    local = {"extra": {"endpoint_url": f"http://user:{PASSWORD}@127.0.0.1:4566/?X-Amz-Signature={PASSWORD}"}}
    found = links("wait_for_endpoint", **local)
    assert (found["SageMaker"], found["CloudWatch alarms"]) == ("http://127.0.0.1:4566/", "")
    assert found["CloudWatch logs"] == "http://127.0.0.1:4566/_local/endpoints/churn-prod/logs"
    pinned = links("validate_artifact", Left(return_value={"candidate": {"pinned": PINNED}}), **local)
    assert pinned["S3 object"] == f"http://127.0.0.1:4566/{PINNED.removeprefix('s3://')}"
    assert PASSWORD not in json.dumps([found, pinned])


def test_a_task_that_asked_aws_nothing_makes_no_client_for_its_links(links: Links) -> None:
    found = links("roll_back", asked=False)
    assert {name for name, address in found.items() if address} == {"Endpoint"}


@pytest.mark.parametrize(
    ("kind", "page", "log"),
    [
        ("training", "jobs", "TrainingJobs$3FlogStreamNameFilter$3Dchurn-1$252F"),
        ("tuning", "hyper-tuning-jobs", "TrainingJobs$3FlogStreamNameFilter$3Dchurn-1-"),
        ("processing", "processing-jobs", "ProcessingJobs$3FlogStreamNameFilter$3Dchurn-1$252F"),
        ("transform", "transform-jobs", "TransformJobs$3FlogStreamNameFilter$3Dchurn-1$252F"),
    ],
)
def test_a_job_s_lead_to_it_and_to_its_log(
    every_dag: Iterable[DAG], monkeypatch: pytest.MonkeyPatch, kind: str, page: str, log: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps({"conn_type": "aws"}))
    tasks: list[Any] = [task for dag in every_dag for task in dag.tasks if isinstance(task, JobTask)]
    assert {task.task_id for task in tasks} == {"train", "evaluate", "transform"}
    console = "https://eu-west-1.console.aws.amazon.com"
    for task in tasks:
        assert {link.get_link(task, ti_key=Left()) for link in (JobLink(), JobLogsLink())} == {""}
        task.job = (kind, "churn-1")
        found = {link.name: link.get_link(task, ti_key=Left()) for link in task.operator_extra_links}
        assert found["SageMaker job"] == f"{console}/sagemaker/home?region=eu-west-1#/{page}/churn-1"
        group = f"#logsV2:log-groups/log-group/$252Faws$252Fsagemaker$252F{log}"
        assert found["Job's log"] == f"{console}/cloudwatch/home?region=eu-west-1{group}"


def test_a_release_has_its_link_once_it_has_a_number(links: Links) -> None:
    page = "https://airflow.example.com/team/plugin/endpoints/churn__prod"
    for task in ("record_release", "outcome"):
        assert links(task, Left(return_value={"release": 7}))["Release"] == f"{page}/7"
        assert links(task, Left(return_value={"release": None}))["Release"] == ""
        assert links(task)["Release"] == ""


def test_where_airflow_does_not_know_its_address_a_link_has_no_host(
    links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "")
    assert links("plan")["Endpoint"] == "/plugin/endpoints/churn__prod"


def test_what_fails_is_no_link_and_no_error(links: Links) -> None:
    for task in ("wait_for_endpoint", "validate_artifact", "outcome"):
        found = links(task, Unreachable(), region="no region", extra={"endpoint_url": "no address"})
        assert {name: url for name, url in found.items() if url} == {
            "Endpoint": "https://airflow.example.com/team/plugin/endpoints/churn__prod"
        }, task


def test_airflow_knows_the_links_of_every_task(every_dag: Iterable[DAG]) -> None:
    known = {type(link) for link in EndpointDeployPlugin.operator_extra_links}
    for dag in every_dag:
        for task in dag.tasks:
            names = [link.name for link in task.operator_extra_links]
            assert task.task_id == "complete" or "Endpoint" in names, task
            assert len(set(names)) == len(names), task
            assert {type(link) for link in task.operator_extra_links} <= known, task

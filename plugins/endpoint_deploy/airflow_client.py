"""What the command line asks of Airflow's public API: which runs there are, and how their tasks are."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import quote

import httpx

from endpoint_deploy.errors import EndpointDeployError

_HTTP_SECONDS = 30.0
_ENDED = frozenset({"success", "failed"})
_TASK_ENDED = frozenset({"success", "failed", "skipped", "upstream_failed"})
_MOST_TASKS = 100


@dataclass(frozen=True)
class Run:
    """A DAG run; `started_at` is when it was queued, where it has not started yet."""

    dag_id: str
    run_id: str
    state: str
    started_at: datetime

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in _ENDED


@dataclass(frozen=True)
class TaskState:
    """A task of a run; `seconds` is how long it took, or has been at it."""

    task_id: str
    state: str
    seconds: float

    @property
    def ended(self) -> bool:
        """Whether it is over, for now."""
        return self.state in _TASK_ENDED


class AirflowClient:
    """One Airflow, by the token of AIRFLOW_CLI_TOKEN (airflowctl's variable), or by name and password.

    Raises EndpointDeployError where Airflow cannot be asked, or says no.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._http = httpx.Client(base_url=self._url, timeout=_HTTP_SECONDS)
        self._http.headers["Authorization"] = f"Bearer {self._token()}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._http.close()

    def running(self, dag_ids: list[str]) -> Run | None:
        """The oldest run of these DAGs that has not ended; None where there is none."""
        wanted = {
            "dag_ids": dag_ids,
            "states": ["queued", "running"],
            "order_by": "run_after",
            "page_limit": 1,
        }
        found = self._ask("POST", "/api/v2/dags/~/dagRuns/list", json=wanted)["dag_runs"]
        return _run(found[0]) if found else None

    def run(self, run: Run) -> Run:
        """The run as it is now."""
        return _run(self._ask("GET", _path(run)))

    def tasks(self, run: Run) -> list[TaskState]:
        """Its tasks, those that started first at the beginning."""
        path = f"{_path(run)}/taskInstances"
        found = self._ask("GET", path, params={"limit": _MOST_TASKS})["task_instances"]
        found.sort(key=lambda each: (each["start_date"] is None, each["start_date"] or ""))
        return [
            TaskState(each["task_id"], str(each["state"] or "none").lower(), _seconds(each)) for each in found
        ]

    def result(self, run: Run) -> dict[str, Any]:
        """What the run says of itself in the end: `outcome` and `reason`; empty where it left nothing."""
        task = "teardown" if run.dag_id.startswith("teardown__") else "outcome"
        path = f"{_path(run)}/taskInstances/{task}/xcomEntries/return_value"
        answer = self._send("GET", path)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return {}
        found = self._checked(answer).json()["value"]
        return found if isinstance(found, dict) else {}

    def _token(self) -> str:
        if token := os.environ.get("AIRFLOW_CLI_TOKEN"):
            return token
        login = {key: os.environ.get(f"AIRFLOW_{key.upper()}", "") for key in ("username", "password")}
        if not all(login.values()):
            raise EndpointDeployError(
                "found no login to Airflow, expected AIRFLOW_CLI_TOKEN, or AIRFLOW_USERNAME and "
                "AIRFLOW_PASSWORD"
            )
        return str(self._ask("POST", "/auth/token", json=login)["access_token"])

    def _ask(self, method: str, path: str, **how: Any) -> Any:
        return self._checked(self._send(method, path, **how)).json()

    def _send(self, method: str, path: str, **how: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **how)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise EndpointDeployError(f"Airflow at {self._url} does not answer: {error}") from None

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            return answer
        raise EndpointDeployError(
            f"Airflow at {self._url} answered {answer.status_code} to {answer.request.url.path}"
        )


def _path(run: Run) -> str:
    return f"/api/v2/dags/{quote(run.dag_id)}/dagRuns/{quote(run.run_id, safe='')}"


def _run(found: dict[str, Any]) -> Run:
    started = found["start_date"] or found["queued_at"] or found["run_after"]
    return Run(found["dag_id"], found["dag_run_id"], found["state"], _time(started))


def _seconds(task: dict[str, Any]) -> float:
    if task["start_date"] is None:
        return 0.0
    ended = _time(task["end_date"]) if task["end_date"] else datetime.now(UTC)
    return round((ended - _time(task["start_date"])).total_seconds(), 3)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)

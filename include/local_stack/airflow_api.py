"""A small client of Airflow's REST API: what a driver of DAG runs needs, and no more."""

import time
from collections.abc import Callable
from typing import Any, Final, Self
from urllib.parse import quote

import httpx
from tenacity import Retrying, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

TERMINAL_STATES: Final = frozenset({"success", "failed"})
_POLL_SECONDS: Final = 0.5  # each look costs Airflow some 15 ms of processor time
_HTTP_SECONDS: Final = 30.0
# A request to parse a file that is being parsed already is dropped.
_ASK_AGAIN_SECONDS: Final = 3.0
_ASKED: Final = {httpx.codes.CREATED, httpx.codes.CONFLICT}  # a conflict with a request that still stands


class AirflowApiError(RuntimeError):
    """Airflow answered with an error: says which request, the status and Airflow's own words."""


class AirflowApi:
    """One user's session with one Airflow.

    Raises `AirflowApiError` for every answer that is not a success; times out after 30 s a request.
    """

    def __init__(self, base_url: str, username: str, password: str) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=_HTTP_SECONDS)
        token = self._request("POST", "/auth/token", json={"username": username, "password": password})[
            "access_token"
        ]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the session's connections."""
        self._http.close()

    def dag_ids(self) -> list[str]:
        """The ids of the DAGs Airflow has listed and not found stale."""
        return [str(dag["dag_id"]) for dag in self._pages("/dags", "dags")]

    def import_errors(self) -> dict[str, str]:
        """File name to stack trace of every DAG file that does not import."""
        errors = self._pages("/importErrors", "import_errors")
        return {str(error["filename"]): str(error["stack_trace"]) for error in errors}

    def wait_for_dag(self, dag_id: str, *, seconds: float = 60.0) -> None:
        """Wait until a DAG is listed; on time-out the error shows the import errors.

        Airflow is asked to parse the DAG's file at once, where it lists another DAG of that file by now.
        """
        asked = float("-inf")

        def listed() -> bool:
            nonlocal asked
            if self._is_listed(dag_id):
                return True
            if time.monotonic() - asked > _ASK_AGAIN_SECONDS:
                self.parse_file_of(dag_id)
                asked = time.monotonic()
            return False

        try:
            _poll(listed, seconds)
        except TimeoutError:
            found, errors = self.dag_ids(), self.import_errors()
            raise AirflowApiError(
                f"DAG {dag_id!r} was not listed within {seconds:.0f} s; "
                f"listed: {found}; import errors: {errors}"
            ) from None

    def _is_listed(self, dag_id: str) -> bool:
        answer = self._http.get(f"/api/v2/dags/{quote(dag_id)}")
        return answer.status_code == httpx.codes.OK and not answer.json()["is_stale"]

    def parse_file_of(self, dag_id: str) -> None:
        """Have the file of a DAG parsed now, where Airflow has listed any DAG of its kind."""
        kind = dag_id.partition("__")[0]
        query = {"dag_id_pattern": f"{kind}__%", "limit": 1}
        for dag in self._request("GET", "/api/v2/dags", params=query)["dags"]:
            answer = self._http.put(f"/api/v2/parseDagFile/{quote(dag['file_token'])}")
            if answer.status_code not in _ASKED:
                raise AirflowApiError(f"parsing {kind}'s file: {answer.status_code}: {answer.text[:2000]}")

    def unpause(self, dag_id: str) -> None:
        """Let a DAG's runs start."""
        self._request("PATCH", f"/api/v2/dags/{quote(dag_id)}", json={"is_paused": False})

    def trigger(
        self,
        dag_id: str,
        conf: dict[str, Any] | None = None,
        *,
        note: str | None = None,
        run_id: str | None = None,
    ) -> str:
        """Start a run and return its run id; a conf the DAG's params refuse is an `AirflowApiError`.

        run_id: one of the caller's own, by which a request whose answer was lost can be asked again.
        """
        body = {"logical_date": None, "conf": conf or {}, "note": note}
        body |= {"dag_run_id": run_id} if run_id else {}
        return str(self._request("POST", f"/api/v2/dags/{quote(dag_id)}/dagRuns", json=body)["dag_run_id"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """The runs of a DAG, as the API gives them (`dag_run_id`, `run_type`, `state`, …)."""
        return self._pages(f"/dags/{quote(dag_id)}/dagRuns", "dag_runs")

    def state(self, dag_id: str, run_id: str) -> str:
        """The state of a run: queued, running, success or failed."""
        return str(self._request("GET", f"{_run_path(dag_id, run_id)}")["state"])

    def wait(self, dag_id: str, run_id: str, *, seconds: float = 180.0) -> str:
        """Wait until a run has ended, and return its state: success or failed."""
        try:
            _poll(lambda: self.state(dag_id, run_id) in TERMINAL_STATES, seconds)
        except TimeoutError:
            tasks = {task["task_id"]: task["state"] for task in self.task_instances(dag_id, run_id)}
            raise AirflowApiError(
                f"run {run_id!r} of {dag_id!r} did not end within {seconds:.0f} s; its tasks: {tasks}"
            ) from None
        return self.state(dag_id, run_id)

    def clear(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Clear a task and all that comes after it, as a person does in the UI; the run goes on."""
        body = {"dag_run_id": run_id, "task_ids": [task_id], "include_downstream": True, "dry_run": False}
        body |= {"only_failed": False, "reset_dag_runs": True}
        self._request("POST", f"/api/v2/dags/{quote(dag_id)}/clearTaskInstances", json=body)

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run, as the API gives them (`task_id`, `state`, `start_date`, …)."""
        path = _run_path(dag_id, run_id).removeprefix("/api/v2")
        return self._pages(f"{path}/taskInstances", "task_instances")

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str = "return_value") -> Any:
        """One XCom value of a task; raises `AirflowApiError` where the task pushed none."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances/{quote(task_id)}/xcomEntries/{quote(key)}"
        return self._request("GET", path)["value"]

    def log(self, dag_id: str, run_id: str, task_id: str, *, attempt: int = 1) -> str:
        """What a task wrote, one line an event."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances/{quote(task_id)}/logs/{attempt}"
        content = self._request("GET", path, params={"full_content": "true"})["content"]
        return "\n".join(
            str(line.get("event", line)) if isinstance(line, dict) else str(line) for line in content
        )

    def _pages(self, path: str, key: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            page = self._request("GET", f"/api/v2{path}", params={"limit": 100, "offset": len(found)})
            found += page[key]
            if not page[key] or len(found) >= page["total_entries"]:
                return found

    def _request(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        response = self._http.request(method, path, **arguments)
        if response.is_error:
            raise AirflowApiError(f"{method} {path} answered {response.status_code}: {response.text[:2000]}")
        answer: dict[str, Any] = response.json()
        return answer


def _run_path(dag_id: str, run_id: str) -> str:
    return f"/api/v2/dags/{quote(dag_id)}/dagRuns/{quote(run_id, safe='')}"


def _poll(happened: Callable[[], bool], seconds: float) -> None:
    """Ask until it is so; a dropped connection counts as *not yet*. Raises `TimeoutError`."""
    attempts = Retrying(
        retry=retry_if_result(lambda answer: not answer) | retry_if_exception_type(httpx.TransportError),
        wait=wait_fixed(_POLL_SECONDS),
        stop=stop_after_delay(seconds),
        retry_error_callback=_give_up,
    )
    attempts(happened)


def _give_up(_state: object) -> None:
    raise TimeoutError

"""A rig whose DAGs are run by a real scheduler, triggerer, dag processor and API server."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from local_stack.airflow_api import AirflowApi, AirflowApiError
from local_stack.stack import Stack
from tests.deploy.rig import CODE, Rig, Run

PATIENCE = 240.0
_POLL = 0.5
_HTTP_SECONDS = 30.0
T = TypeVar("T")


def until(look: Callable[[], T], what: str, *, seconds: float = PATIENCE) -> T:
    """What `look` returns, once that is true."""

    def late(_state: Any) -> T:
        raise AssertionError(f"not within {seconds:.0f} s: {what}; the last look: {look()}")

    attempts: Retrying = Retrying(
        retry=retry_if_result(lambda found: not found),
        wait=wait_fixed(_POLL),
        stop=stop_after_delay(seconds),
        retry_error_callback=late,
    )
    return attempts(look)


def call(stack: Stack, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Airflow's answer to a request of the user `admin`."""
    login = {"username": "admin", "password": stack.secrets.admin_password}
    with httpx.Client(base_url=stack.api_url, timeout=_HTTP_SECONDS) as http:
        token = http.post("/auth/token", json=login).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = http.request(method, f"/api/v2{path}", headers=headers, json=body)
    assert answer.status_code == httpx.codes.OK, answer.text
    found: dict[str, Any] = answer.json()
    return found


def get(stack: Stack, path: str) -> dict[str, Any]:
    """What Airflow's API has there, for the user `admin`."""
    return call(stack, "GET", path)


@dataclass
class LiveRig(Rig):
    """The rig of the DAGs' own tests, with its runs started and followed through Airflow's API."""

    stack: Stack = field(kw_only=True)
    gates: Path = field(kw_only=True)
    patience: float = field(default=PATIENCE, kw_only=True)

    @property
    def airflow(self) -> AirflowApi:
        return self.stack.airflow

    def dag_id(self, kind: str = "deploy") -> str:
        return f"{kind}__{self.key}"

    def start(self, kind: str = "deploy", **conf: Any) -> str:
        """Trigger a run; its id."""
        return self.airflow.trigger(self.dag_id(kind), conf)

    def end(self, run_id: str, kind: str = "deploy") -> Run:
        """Wait for a run's end, and return how it ended."""
        dag_id = self.dag_id(kind)
        state = self.airflow.wait(dag_id, run_id, seconds=self.patience)
        return Run(
            state=state,
            tasks={ti["task_id"]: ti["state"] for ti in self.airflow.task_instances(dag_id, run_id)},
            result=self.xcom(run_id, "outcome", kind=kind) or {},
            plan=self.xcom(run_id, "plan", kind=kind),
        )

    def run(self, kind: str = "deploy", **conf: Any) -> Run:
        return self.end(self.start(kind, **conf), kind)

    def end_of_life(self) -> None:
        """Leave nothing running for the tests that use the stack afterwards."""
        pattern = quote(f"%__{self.key}")
        call(self.stack, "PATCH", f"/dags?dag_id_pattern={pattern}", {"is_paused": True})
        for endpoint in self.endpoints():
            self.sagemaker.delete_endpoint(EndpointName=endpoint)
        self.file.unlink()

    def task(self, run_id: str, task_id: str, kind: str = "deploy") -> dict[str, Any]:
        """A task instance, as the API gives it."""
        tasks = self.airflow.task_instances(self.dag_id(kind), run_id)
        return next(task for task in tasks if task["task_id"] == task_id)

    def path(self, run_id: str, kind: str = "deploy") -> str:
        """Where the API has a run."""
        return f"/dags/{self.dag_id(kind)}/dagRuns/{quote(run_id, safe='')}"

    def log(self, run_id: str, task_id: str, kind: str = "deploy") -> str:
        """The log of a task's first try, with the errors in it, as JSON."""
        run = self.path(run_id, kind)
        return json.dumps(get(self.stack, f"{run}/taskInstances/{task_id}/logs/1?full_content=true"))

    def xcom(self, run_id: str, task_id: str, key: str = "return_value", kind: str = "deploy") -> Any:
        """What a task left, or None."""
        try:
            found = self.airflow.xcom(self.dag_id(kind), run_id, task_id, key)
        except AirflowApiError as error:
            if "404" not in str(error):
                raise
            return None
        return json.loads(found) if isinstance(found, str) and found[:1] in "{[" else found

    def gated(self, bias: int) -> tuple[str, Path]:
        """A good model that loads once a file is there: its address, and the file."""
        gate = self.gates / f"{self.name}-{bias}"
        waits = f"    import time\n    while not os.path.exists({str(gate)!r}): time.sleep(0.05)\n"
        code = CODE["good"].replace("def model_fn(model_dir):\n", f"def model_fn(model_dir):\n{waits}")
        assert waits in code
        return self.artifact("good", bias, **{"code/inference.py": code.encode()}), gate

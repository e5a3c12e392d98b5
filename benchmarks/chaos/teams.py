"""Teams: each releases to its own endpoint, one run after another, and notes how each of them ended."""

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.chaos.account import Account, Ran
from benchmarks.chaos.world import Deployment
from local_stack.airflow_api import TERMINAL_STATES, AirflowApi, AirflowApiError
from local_stack.stack import Stack

_POLL_SECONDS: Final = 1.0
_CONFLICT: Final = " answered 409"
_NOT_THERE: Final = " answered 404"
_UNREACHABLE: Final = (httpx.HTTPError, AirflowApiError, BotoCoreError, ClientError, KeyError, ValueError)
_ACTS: Final = {
    ("deploy", "good"): 12,
    ("deploy", "wrong"): 3,
    ("deploy", "cannot-start"): 2,
    ("deploy", "the same again"): 2,
    ("rollback", ""): 3,
    ("teardown", ""): 1,
}
_RESULT_OF: Final = {
    "teardown": "teardown",
    "sentinel": "housekeeping",
}  # the task whose XCom is the run's result


@dataclass
class Team:
    """One deployment's people: `storm` lets them start runs; after `calm` they start none.

    A run's id is the team's own, so that a request whose answer was lost is asked again and starts one run.
    """

    deployment: Deployment
    stack: Stack
    account: Account
    seed: str
    bias: int = 0
    tried: int = 0
    open_run: tuple[str, str] | None = None
    """DAG and run that have been asked for and have not ended, as far as the team knows."""
    _artifact: str = ""
    _calm: threading.Event = field(default_factory=threading.Event)
    _gone_home: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _session: AirflowApi | None = None

    def storm(self) -> None:
        """Begin to start runs, in a thread."""
        self._calm.clear()
        self._gone_home.clear()
        self._thread = threading.Thread(target=self._work, name=self.deployment.name, daemon=True)
        self._thread.start()

    def calm(self) -> None:
        """Start no more runs; what has been started is followed to its end."""
        self._calm.set()

    def finished(self) -> bool:
        """Whether every run has ended and is noted."""
        return self._thread is None or not self._thread.is_alive()

    def give_up(self) -> None:
        """Follow no longer."""
        self._gone_home.set()

    def once(self, kind: str, model: str) -> Ran | None:
        """One run to its end; None where the team was sent home before."""
        self._gone_home.clear()
        return self._run(kind, model)

    def _work(self) -> None:
        while not self._calm.is_set():
            chance = random.Random(f"{self.seed}/{self.deployment.name}/{self.tried}")
            kind, model = chance.choices(list(_ACTS), list(_ACTS.values()))[0]
            self._run(kind, model)

    def _run(self, kind: str, model: str) -> Ran | None:
        self.tried += 1
        dag_id, run_id = self.deployment.dag_id(kind), f"chaos-{self.account.seed}-{self.tried}"
        conf = self._until_done(lambda: self._conf(kind, model))
        if conf is None:
            return None
        self.open_run = (dag_id, run_id)
        if self._until_done(lambda: self._trigger(dag_id, run_id, conf)) is None:
            return None
        self.account.tell("start", dag_id=dag_id, run_id=run_id, model=model)
        found = self._until_done(lambda: self._ended(dag_id, run_id, _RESULT_OF.get(kind, "outcome")))
        if found is None:
            return None
        state, result = found
        if kind == "teardown" and state == "success":  # its task has one way to succeed, and does not name it
            result = {**result, "outcome": "torn_down"}
        ran = Ran(
            self.deployment.endpoint, kind, model, dag_id, run_id, state,
            result.get("outcome"), str(result.get("reason") or ""),
        )  # fmt: skip
        self.open_run = None
        self.account.ran(ran)
        return ran

    def _until_done(self, act: Any) -> Any:
        """What `act` returns, once it returns anything; an unreachable stack is asked again."""
        while not self._gone_home.is_set():
            try:
                if (found := act()) is not None:
                    return found
            except _UNREACHABLE as error:
                self._session = None
                self.account.tell("unanswered", team=self.deployment.name, said=f"{error}"[:200])
            time.sleep(_POLL_SECONDS)
        return None

    def _conf(self, kind: str, model: str) -> dict[str, Any]:
        """What the form is filled in with."""
        if kind == "teardown":
            return {"confirm": self.deployment.endpoint}
        if kind != "deploy":
            return {}
        if model != "the same again" or not self._artifact:
            self.bias += 1
            kind_of = "good" if model == "the same again" else model
            s3 = self.stack.client("s3", Config(retries={"total_max_attempts": 5}))
            uploaded = self.deployment.upload(s3, kind_of, self.bias)
            if kind_of != "good":
                return {"artifact": uploaded}
            self._artifact = uploaded
        return {"artifact": self._artifact}

    def _trigger(self, dag_id: str, run_id: str, conf: dict[str, Any]) -> str:
        try:
            return self._airflow().trigger(dag_id, conf, run_id=run_id)
        except AirflowApiError as error:
            if _CONFLICT in str(error):  # the first request took effect, and its answer was lost
                return run_id
            raise

    def _ended(self, dag_id: str, run_id: str, result_of: str) -> tuple[str, dict[str, Any]] | None:
        state = self._airflow().state(dag_id, run_id)
        if state not in TERMINAL_STATES:
            return None
        try:
            return state, self._airflow().xcom(dag_id, run_id, result_of) or {}
        except AirflowApiError as error:
            if _NOT_THERE in str(error):
                return state, {}
            raise

    def _airflow(self) -> AirflowApi:
        if self._session is None:
            self._session = AirflowApi(self.stack.api_url, "admin", self.stack.secrets.admin_password)
        return self._session

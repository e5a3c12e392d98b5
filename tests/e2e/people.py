"""What people do in Airflow with a question: read it, answer it."""

import time
from typing import Any
from urllib.parse import quote

import httpx

from tests.e2e.live import LiveRig, get, until

_HTTP_SECONDS = 30.0
READING_SECONDS = 5.0


def question(rig: LiveRig, run_id: str) -> dict[str, Any]:
    """The question of a run, once Airflow lists it among the required actions."""

    def pending() -> dict[str, Any] | None:
        found = get(rig.stack, f"/dags/{rig.dag_id()}/dagRuns/~/hitlDetails?response_received=false")
        mine = [each for each in found["hitl_details"] if each["task_instance"]["dag_run_id"] == run_id]
        waits = {"awaiting_input", "deferred"}
        return next((each for each in mine if each["task_instance"]["state"] in waits), None)

    found = until(pending, f"run {run_id} asks a person")
    assert found is not None
    return found


def answer(
    rig: LiveRig,
    run_id: str,
    option: str,
    note: str | None = None,
    *,
    user: str = "admin",
    task: str = "approve",
) -> httpx.Response:
    """Answer as a user of the stack's; what Airflow says to it."""
    given = {"note": note} if task == "approve" else {}
    body = {"chosen_options": [option], "params_input": given}
    return _patch(rig, run_id, f"{task}/-1/hitlDetails", body, user)


def decide(rig: LiveRig, run_id: str, option: str, note: str | None = None, *, task: str = "approve") -> None:
    """Answer the question once a person could have read it, and see that the task takes it, and its end.

    Airflow takes a task that is woken before its scheduler has seen it wait for one that its executor has
    lost (the scheduler's process_executor_events): the next try asks again, and is answered again.
    """
    question(rig, run_id)
    seen: dict[int, float] = {}  # by try: when it was first seen to wait

    def taken() -> bool:
        found = rig.task(run_id, task)
        state, now = found["state"], time.monotonic()
        if state in {"awaiting_input", "deferred"}:
            if now - seen.setdefault(found["try_number"], now) < READING_SECONDS:
                return False
            said = answer(rig, run_id, option, note, task=task).status_code
            assert said in {httpx.codes.OK, httpx.codes.CONFLICT}
        return state in {"success", "failed"}

    until(taken, f"{task} takes the answer {option}")


def mark(rig: LiveRig, run_id: str, state: str) -> None:
    """Set the state of `approve` by hand, as `admin`."""
    assert _patch(rig, run_id, "approve", {"new_state": state}, "admin").status_code == httpx.codes.OK


def _patch(rig: LiveRig, run_id: str, path: str, body: dict[str, Any], user: str) -> httpx.Response:
    secrets = rig.stack.secrets
    password = {"admin": secrets.admin_password, "viewer": secrets.viewer_password}[user]
    login = {"username": user, "password": password}
    with httpx.Client(base_url=rig.stack.api_url, timeout=_HTTP_SECONDS) as http:
        token = http.post("/auth/token", json=login).json()["access_token"]
        return http.patch(
            f"/api/v2/dags/{rig.dag_id()}/dagRuns/{quote(run_id, safe='')}/taskInstances/{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
        )

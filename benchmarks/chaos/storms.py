"""Rounds of a chaos: a storm of faults over running releases, then a calm in which all must come right."""

import os
import random
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.chaos.account import Account
from benchmarks.chaos.checks import Checks
from benchmarks.chaos.clients import Clients
from benchmarks.chaos.faults import Injector
from benchmarks.chaos.kinds import KINDS
from benchmarks.chaos.probe import Probe
from benchmarks.chaos.teams import Team
from benchmarks.chaos.victims import Victims, kill
from benchmarks.chaos.world import BUCKET, Deployment, deployments
from local_stack.airflow_env import REGION
from local_stack.stack import Stack, running_stack

_STORM_SECONDS: Final = 220.0
_LEAST_STORM_SECONDS: Final = 60.0
_PAUSES: Final = (0.2, 0.5)  # seconds between two faults: at random between these
_SETTLE_SECONDS: Final = 120.0  # in which what was killed is there again
_AS_LONG_AS: Final = 3  # undisturbed releases: so long may what could finish take beyond that
_LOST_SECONDS: Final = 40.0  # a task that is queued for longer, in a calm, was lost
_CALM_SECONDS: Final = 300.0  # for what is undisturbed
_CALM_AT_FIRST: Final = 100.0  # what a calm is expected to take before there was one
_REVIVE_SECONDS: Final = 1.0
_TIME_SCALE: Final = 20.0
_CLOCKS: Final = Path(__file__).with_name("clocks")
_AIRFLOW: Final = {
    # What died is noticed within seconds, not minutes.
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "3",
    "SCHEDULER__JOB_HEARTBEAT_SEC": "2",
    "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "2",
    "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "12",
    "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
    "SCHEDULER__TASK_QUEUED_TIMEOUT": "30",
    "SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
    "TRIGGERER__JOB_HEARTBEAT_SEC": "2",
    "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "12",
}


class Storms:
    """One chaos in a directory of its own, whose seed draws faults and runs."""

    def __init__(self, directory: Path, account: Account, *, names: tuple[str, ...]) -> None:
        self._directory = directory
        self._account = account
        self._world = deployments(directory / "specs", names)
        self._clock = directory / "clock"
        self._clock.write_text("0")

    def run(self, *, minutes: float, rounds: int | None) -> None:
        """Storm and calm in turn until the time is over."""
        ends = time.monotonic() + minutes * 60
        os.environ["PYTHONPATH"] = os.pathsep.join(
            [str(_CLOCKS), *filter(None, [os.environ.get("PYTHONPATH")])]
        )
        os.environ["CHAOS_CLOCK"] = str(self._clock)
        with running_stack(
            self._directory / "stack",
            specs_dir=self._directory / "specs",
            time_scale=_TIME_SCALE,
            revive_seconds=_REVIVE_SECONDS,
            airflow_options=_AIRFLOW,
        ) as stack:
            stack.client("s3").create_bucket(
                Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
            )
            for deployment in self._world:
                stack.airflow.wait_for_dag(deployment.dag_id("sentinel"), seconds=120)
            chaos = _Chaos(stack, self._account, self._world, self._clock)
            chaos.begin()
            calm = _CALM_AT_FIRST
            while rounds is None or self._account.round < rounds:
                storm = min(_STORM_SECONDS, ends - time.monotonic() - calm)
                if storm < _LEAST_STORM_SECONDS and self._account.round:
                    break
                self._account.round += 1
                began = time.monotonic()
                chaos.round(max(storm, _LEAST_STORM_SECONDS))
                calm = time.monotonic() - began - storm


class _Chaos:
    """What takes part in every round."""

    def __init__(self, stack: Stack, account: Account, world: list[Deployment], clock: Path) -> None:
        self._stack, self._account, self._world = stack, account, world
        seed = str(account.seed)
        self._chance = random.Random(f"{seed}/faults")
        self._victims = Victims(stack.paths)
        self._teams = [Team(each, stack, account, seed) for each in world]
        self._checks = Checks(stack, account, world)
        self._clients = Clients(stack, world, account)
        probe = Probe(stack.api_url, self._victims, account)
        self._injector = Injector(
            account, self._victims, stack.sagemaker_url, clock, world, probe, self._chance, KINDS
        )
        self._clients.start()
        self._patience = _SETTLE_SECONDS
        probe.start()

    def begin(self) -> None:
        """A first good release to each endpoint, so that there is something to update and to go back to."""
        began = time.monotonic()
        self._undisturbed(self._teams, clean=False)
        # As many at once as in a storm, on this machine as busy as it is: a slow one violates nothing.
        self._patience = _SETTLE_SECONDS + _AS_LONG_AS * (time.monotonic() - began)
        self._account.tell("begun", patience=self._patience)

    def round(self, seconds: float) -> None:
        """A storm of so many seconds, and what must hold after it."""
        account, before = self._account, len(self._account.runs)
        self._storm(seconds)
        self._settle()
        self._checks.all(account.runs)
        self._undisturbed([self._teams[account.round % len(self._teams)]])
        for team in self._teams:
            if team.open_run is None:
                self._checks.after_housekeeping(team.deployment)
        print(
            f"round {account.round}: {len(account.runs) - before} runs, {account.faults.total()} faults "
            f"so far, {len(account.violations)} violations; clients: {self._clients.answered} answers, "
            f"{self._clients.unanswered} errors",
            flush=True,
        )
        sys.stdout.flush()

    def _storm(self, seconds: float) -> None:
        for team in self._teams:
            team.storm()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self._injector.draw()
            due = time.monotonic() + self._chance.uniform(*_PAUSES)
            while time.monotonic() < due:
                self._injector.tick()
                time.sleep(0.1)
        for team in self._teams:
            team.calm()
        self._injector.heal()
        self._account.tell("healed")

    def _settle(self) -> None:
        """Wait until every service answers and every run has ended: what could finish has finished."""
        deadline = time.monotonic() + self._patience
        look = time.monotonic() + _LOST_SECONDS
        while time.monotonic() < deadline:
            if time.monotonic() > look:
                look += _LOST_SECONDS
                self._help()
            if all(team.finished() for team in self._teams) and self._healthy():
                self._account.tell("settled")
                return
            time.sleep(0.5)
        for team in self._teams:
            team.give_up()
            if team.open_run:
                self._account.violated("a run that could finish has finished", self._stuck(*team.open_run))
        if not self._healthy():
            self._account.violated("what was killed is there again", "the stack is not healthy")

    def _help(self) -> None:
        """Start the scheduler anew where its executor has lost a task, as whoever operates Airflow has to.

        A task whose worker dies before the task has begun stays *queued*. Airflow takes it back after
        `task_queued_timeout`, but not from LocalExecutor, which cannot revoke: there it waits for the
        scheduler's next start.
        """
        for dag_id, run_id in [team.open_run for team in self._teams if team.open_run]:
            try:
                tasks = self._stack.airflow.task_instances(dag_id, run_id)
            except (httpx.HTTPError, RuntimeError):
                return
            lost = [
                each["task_id"]
                for each in tasks
                if each["state"] == "queued" and _is_old(each["queued_when"])
            ]
            if lost:
                kill(self._victims.tree("scheduler"))
                self._account.helped += 1
                self._account.tell("scheduler started anew", dag_id=dag_id, run_id=run_id, lost=lost)
                return

    def _stuck(self, dag_id: str, run_id: str) -> str:
        try:
            tasks = self._stack.airflow.task_instances(dag_id, run_id)
        except (httpx.HTTPError, RuntimeError) as error:
            return f"{dag_id} {run_id}: {error}"
        states: dict[str, Any] = {task["task_id"]: (task["state"], task["try_number"]) for task in tasks}
        return f"{dag_id} {run_id} has not ended: {states}"

    def _healthy(self) -> bool:
        try:
            answer = httpx.get(f"{self._stack.api_url}/api/v2/monitor/health", timeout=5)
            local = httpx.get(f"{self._stack.sagemaker_url}/_local/faults", timeout=5)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK == local.status_code and self._victims.all_up()

    def _undisturbed(self, proving: list[Team], *, clean: bool = True) -> None:
        """Runs that nothing disturbs succeed: a release to some endpoints, then housekeeping of all."""
        threads = [
            threading.Thread(target=self._at_rest, args=(each, each in proving, clean))
            for each in self._teams
        ]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + _CALM_SECONDS
        for team, thread in zip(self._teams, threads, strict=True):
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                team.give_up()
                if team.open_run:
                    said = self._stuck(*team.open_run)
                    self._account.violated("what is undisturbed succeeds", said)
                thread.join()

    def _at_rest(self, team: Team, prove: bool, clean: bool) -> None:
        runs = [("deploy", "good")] * prove + [("sentinel", "")] * clean
        for kind, model in runs:
            ran = team.once(kind, model)
            if ran is None:
                return
            if ran.state != "success" or (kind == "deploy" and ran.outcome != "released"):
                said = f"{ran.run_id} of {ran.dag_id}: {ran.state}, {ran.word}: {ran.reason}"
                self._account.violated("what is undisturbed succeeds", said)


def _is_old(queued: str | None) -> bool:
    """Whether a task has been queued for too long."""
    since = datetime.fromisoformat(queued) if queued else datetime.now(UTC)
    return (datetime.now(UTC) - since).total_seconds() > _LOST_SECONDS

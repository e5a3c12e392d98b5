"""Run the demo: start a stack of its own, drive the releases under traffic, judge, report, stop."""

import shutil
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.status import Status

from local_stack.airflow_api import TERMINAL_STATES, AirflowApiError
from local_stack.demo.artifacts import MODEL, DemoArtifact, build_artifacts
from local_stack.demo.report import Report, show_step
from local_stack.demo.scenario import STEPS, Accuracy, Step, StepResult
from local_stack.demo.traffic import CLIENT_CONFIG, Count, Traffic, invoke
from local_stack.paths import DEFAULT_STATE_DIR, StatePaths
from local_stack.record import read_running
from local_stack.seed import held_out, upload
from local_stack.stack import Stack, StackError, running_stack

DAG_ID = f"deploy__{MODEL}__demo"
ENDPOINT = f"{MODEL}-demo"
_REQUESTS_PER_SECOND = 10.0
_RUN_SECONDS = 120.0
_POLL_SECONDS = 0.7  # each look costs Airflow's API server some 50 ms of processor time


class Demo:
    """The releases of the demo, one after another, on a running stack."""

    def __init__(self, stack: Stack, artifacts: Mapping[int, DemoArtifact], status: Status) -> None:
        self._stack = stack
        self._artifacts = artifacts
        self._status = status
        self._sagemaker = stack.client("sagemaker")
        self._runtime = stack.client("sagemaker-runtime", CLIENT_CONFIG)
        self._rows, self._truth = held_out(MODEL)
        self._traffic: Traffic | None = None
        self._uris: dict[int, str] = {}

    def prepare(self) -> None:
        """Put the archives into S3 and wait until Airflow lists the DAG."""
        s3 = self._stack.client("s3")
        for number, artifact in self._artifacts.items():
            self._uris[number] = upload(s3, artifact.path, MODEL, str(number))
        self._status.update("waiting until Airflow lists the DAG")
        self._stack.airflow.wait_for_dag(DAG_ID)

    def run(self, step: Step, until_the_end: ExitStack) -> StepResult:
        """Deploy one release; the client's traffic starts as soon as there is an endpoint to ask."""
        airflow = self._stack.airflow
        models, started = self._models(), time.monotonic()
        run_id = airflow.trigger(DAG_ID, {"artifact": self._uris[step.release], "reason": step.story})
        while (state := airflow.state(DAG_ID, run_id)) not in TERMINAL_STATES:
            if time.monotonic() - started > _RUN_SECONDS:
                raise AirflowApiError(f"{run_id} of {DAG_ID} did not end within {_RUN_SECONDS:.0f} s")
            if self._traffic is None and self._endpoint_serves():
                self._traffic = until_the_end.enter_context(
                    Traffic(self._runtime, ENDPOINT, self._rows, per_second=_REQUESTS_PER_SECOND)
                )
            self._show(step, run_id, time.monotonic() - started)
            time.sleep(_POLL_SECONDS)
        outcome = airflow.xcom(DAG_ID, run_id, "outcome")
        return StepResult(
            step=step,
            dag_run_id=run_id,
            state=state,
            outcome=outcome["outcome"],
            reason=outcome["reason"],
            seconds=time.monotonic() - started,
            config_before=outcome["config_before"],
            config_after=outcome["config_after"],
            traffic=self._traffic.take() if self._traffic else Count(),
            models_created=self._models() - models,
        )

    def measure(self) -> Accuracy:
        """Ask the live endpoint about every held-out row."""
        answer = invoke(self._runtime, ENDPOINT, self._rows)
        right = sum(
            given["label"] == truth for given, truth in zip(answer.predictions, self._truth, strict=True)
        )
        return Accuracy(
            through_endpoint=right / len(self._truth),
            offline=self._artifacts[STEPS[-1].release].metrics["accuracy"],
            rows=len(self._truth),
            prediction=answer.predictions[0],
            truth=self._truth[0],
        )

    def _endpoint_serves(self) -> bool:
        found = self._sagemaker.list_endpoints(NameContains=ENDPOINT, StatusEquals="InService")
        return bool(found["Endpoints"])

    def _models(self) -> int:
        return sum(len(page["Models"]) for page in self._sagemaker.get_paginator("list_models").paginate())

    def _show(self, step: Step, run_id: str, seconds: float) -> None:
        tasks = self._stack.airflow.task_instances(DAG_ID, run_id)
        busy = [task["task_id"] for task in tasks if task["state"] in {"queued", "running", "deferred"}]
        requests, failed = self._traffic.peek() if self._traffic else (0, 0)
        self._status.update(
            f"release {step.release} ({step.story}): {seconds:.0f} s, {', '.join(busy) or 'between tasks'}; "
            f"{requests} requests, {failed} failed"
        )


def run_demo(console: Console, state_dir: Path = DEFAULT_STATE_DIR) -> bool:
    """Run it all, write `demo.json` into `state_dir`, and say whether everything came out as said."""
    started = time.monotonic()
    home = state_dir.resolve() / "demo"
    if read_running(StatePaths(home)):
        raise StackError(f"another demo runs in {home}: wait until it has ended")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    trap = home / "the-malicious-archive-was-run"
    with ExitStack() as until_the_end:
        status = until_the_end.enter_context(console.status("starting"))
        pool = until_the_end.enter_context(ThreadPoolExecutor(1))
        training = pool.submit(build_artifacts, home / "artifacts", trap)
        stack = until_the_end.enter_context(
            running_stack(home, on_progress=lambda detail: status.update(f"waiting for {detail}"))
        )
        console.print(f"Airflow is at {stack.api_url}, login admin / {stack.secrets.admin_password}")
        status.update("training the model")
        demo = Demo(stack, {each.release: each for each in training.result()}, status)
        demo.prepare()
        report = Report()
        for step in STEPS:
            result = demo.run(step, until_the_end)
            problems = report.add(result)
            show_step(console, result, problems)
            if problems:
                break  # each release builds on the one before
        else:
            report.judge(demo.measure())
        status.update("stopping")
    if trap.exists():
        report.problems.append("release 5 was unpickled: the command in it ran")
    report.write(state_dir.resolve() / "demo.json")
    report.show(console, time.monotonic() - started)
    return not report.problems

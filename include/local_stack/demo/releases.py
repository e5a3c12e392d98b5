"""Drive the first scene: releases of one model, good and broken, each deployed by hand."""

import time
from collections.abc import Mapping
from contextlib import ExitStack

from rich.status import Status

from local_stack.demo.artifacts import MODEL, DemoArtifact
from local_stack.demo.scenario import STEPS, Accuracy, Step, StepResult
from local_stack.demo.traffic import CLIENT_CONFIG, Count, Traffic, invoke
from local_stack.runs import Runs
from local_stack.seed import held_out, upload
from local_stack.stack import Stack

DAG_ID = f"deploy__{MODEL}__demo"
ENDPOINT = f"{MODEL}-demo"
_REQUESTS_PER_SECOND = 10.0
_RUN_SECONDS = 300.0


class Releases:
    """The releases of the demo, one after another, on a running stack."""

    def __init__(self, stack: Stack, artifacts: Mapping[int, DemoArtifact], status: Status) -> None:
        self._stack = stack
        self._artifacts = artifacts
        self._status = status
        self._runs = Runs(stack.airflow)
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
        models, started = self._models(), time.monotonic()

        def look(busy: str) -> None:
            if self._traffic is None and self._endpoint_serves():
                self._traffic = until_the_end.enter_context(
                    Traffic(self._runtime, ENDPOINT, self._rows, per_second=_REQUESTS_PER_SECOND)
                )
            requests, failed = self._traffic.peek() if self._traffic else (0, 0)
            self._status.update(
                f"release {step.release} ({step.story}): {time.monotonic() - started:.0f} s, {busy}; "
                f"{requests} requests, {failed} failed"
            )

        run_id = self._runs.trigger(DAG_ID, {"artifact": self._uris[step.release], "reason": step.story})
        state = self._runs.await_end(DAG_ID, run_id, seconds=_RUN_SECONDS, on_look=look)
        outcome = self._runs.outcome(DAG_ID, run_id)
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
        pages = self._sagemaker.get_paginator("list_models").paginate(NameContains=MODEL)
        return sum(len(page["Models"]) for page in pages)

"""Drive the second scene: data come and grow, a person approves, and the gates stop what is worse."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local_stack.demo import data_docs
from local_stack.demo.lessons import CRIPPLED, FIRST, GROWN, POISONED, Lesson, LessonResult
from local_stack.demo.traffic import CLIENT_CONFIG, Count, Traffic, invoke
from local_stack.runs import Runs
from local_stack.seed import BUCKET, held_out
from local_stack.stack import Progress, Stack
from local_stack.training_data import NAME, TRAINING, rows, seed_training_data, upload_rows

if TYPE_CHECKING:
    import pandas as pd

ENDPOINT = f"{NAME}-demo"
RETRAIN, DEPLOY = f"retrain__{NAME}__demo", f"deploy__{NAME}__demo"
SECOND_WEEK, THIRD_WEEK = slice(150, 1000), slice(1000, 1200)
POISONED_FILE = "week-03.csv"
_GATES = {"data_refused": "check_data"}  # whose page is shown; that of the metrics by default
_TINY_C = 0.0003
_REQUESTS_PER_SECOND = 10.0
_STARTS_SECONDS = 120.0
_RETRAIN_SECONDS = 420.0
_DEPLOY_SECONDS = 300.0


class Retraining:
    """The lessons of the scene, one after another, on a running stack.

    docs_dir: where the pages are kept that say what a gate found; the stack that serves them ends with the
    demo.
    """

    def __init__(self, stack: Stack, docs_dir: Path) -> None:
        self._stack = stack
        self._docs_dir = docs_dir
        self._runs = Runs(stack.airflow)
        self._s3 = stack.client("s3")
        self._sagemaker = stack.client("sagemaker")
        self._runtime = stack.client("sagemaker-runtime", CLIENT_CONFIG)
        self._rows, self._truth = held_out(NAME)
        self._traffic: Traffic | None = None
        self._accuracy: float | None = None

    def start_traffic(self, until_the_end: ExitStack) -> None:
        """Ask the endpoint steadily from now on."""
        self._traffic = until_the_end.enter_context(
            Traffic(self._runtime, ENDPOINT, self._rows, per_second=_REQUESTS_PER_SECOND)
        )

    def learn(self, lesson: Lesson, on_progress: Progress = lambda _detail: None) -> LessonResult:
        """Do what the lesson is about, and follow it to its end: a release, or a gate that stops it."""
        for dag_id in (RETRAIN, DEPLOY):
            self._stack.airflow.wait_for_dag(dag_id)
        known = {dag_id: self._runs.known(dag_id) for dag_id in (RETRAIN, DEPLOY)}
        config, jobs, began = self._config(), self._training_jobs(), time.monotonic()

        def look(busy: str) -> None:
            requests, failed = self._traffic.peek() if self._traffic else (0, 0)
            on_progress(
                f"{lesson.story}: {time.monotonic() - began:.0f} s, {busy}; "
                f"{requests} requests, {failed} failed"
            )

        look("waiting for Airflow to see it")
        run_id = self._begin(lesson, known[RETRAIN])
        state = self._runs.await_end(RETRAIN, run_id, seconds=_RETRAIN_SECONDS, on_look=look)
        outcome = self._runs.outcome(RETRAIN, run_id)
        deploy_started = deploy_outcome = None
        if outcome["outcome"] == "registered":
            self._approve(outcome["model_package"])
            deploy_id = self._runs.await_new(DEPLOY, known[DEPLOY], seconds=_STARTS_SECONDS)
            self._runs.await_end(DEPLOY, deploy_id, seconds=_DEPLOY_SECONDS, on_look=look)
            deploy_started = self._runs.kind(DEPLOY, deploy_id)
            deploy_outcome = self._runs.outcome(DEPLOY, deploy_id)["outcome"]
        before, self._accuracy = self._accuracy, self._measure()
        docs, fault = self._read_docs(lesson, outcome)
        result = LessonResult(
            lesson=lesson,
            dag_run_id=run_id,
            started=self._runs.kind(RETRAIN, run_id),
            state=state,
            outcome=outcome["outcome"],
            reason=outcome["reason"],
            seconds=time.monotonic() - began,
            training_jobs=self._training_jobs() - jobs,
            deploy_started=deploy_started,
            deploy_outcome=deploy_outcome,
            config_before=config,
            config_after=self._config(),
            accuracy_before=before,
            accuracy=self._accuracy,
            data_docs=docs,
            data_docs_fault=fault,
            traffic=self._traffic.take() if self._traffic else Count(),
        )
        self._clean_up(lesson)
        return result

    def _begin(self, lesson: Lesson, known: frozenset[str]) -> str:
        """Bring the data that start a run, or start one by its form."""
        if lesson is CRIPPLED:
            form = {"hyperparameters": {"c": _TINY_C}, "reason": "would less weight on the pixels do?"}
            return self._runs.trigger(RETRAIN, form)
        if lesson is FIRST:
            seed_training_data(self._s3)
        elif lesson is GROWN:
            upload_rows(self._s3, "week-02.csv", rows(SECOND_WEEK))
        else:
            upload_rows(self._s3, POISONED_FILE, poisoned(rows(THIRD_WEEK)))
        return self._runs.await_new(RETRAIN, known, seconds=_STARTS_SECONDS)

    def _clean_up(self, lesson: Lesson) -> None:
        if lesson is POISONED:
            self._s3.delete_object(Bucket=BUCKET, Key=f"{TRAINING}/{POISONED_FILE}")

    def _approve(self, package: str) -> None:
        """What a person does in the registry who has looked at the metrics."""
        self._sagemaker.update_model_package(
            ModelPackageArn=package,
            ModelApprovalStatus="Approved",
            ApprovalDescription="make demo: better on the digits held out",
        )

    def _measure(self) -> float:
        """The live endpoint's accuracy on the rows held out."""
        answer = invoke(self._runtime, ENDPOINT, self._rows)
        pairs = zip(answer.predictions, self._truth, strict=True)
        return sum(given["label"] == truth for given, truth in pairs) / len(self._truth)

    def _read_docs(self, lesson: Lesson, outcome: dict[str, Any]) -> tuple[str | None, str | None]:
        """Open the page of the gate that decided: its address, and what is wrong with it."""
        pages = outcome["data_docs"]
        gate = _GATES.get(lesson.outcome, "gate_metrics")
        if gate not in pages:
            return None, f"{gate} has left none: {pages}"
        data_docs.keep(self._s3, pages[gate], self._docs_dir / lesson.name)
        url = data_docs.url_of(self._stack.sagemaker_url, pages[gate])
        return url, data_docs.fault_of(url, met=lesson.releases)

    def _config(self) -> str | None:
        found = self._sagemaker.list_endpoints(NameContains=ENDPOINT)["Endpoints"]
        if not found:
            return None
        return str(self._sagemaker.describe_endpoint(EndpointName=ENDPOINT)["EndpointConfigName"])

    def _training_jobs(self) -> int:
        pages = self._sagemaker.get_paginator("list_training_jobs").paginate()
        return sum(len(page["TrainingJobSummaries"]) for page in pages)


def poisoned(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Rows as a broken exporter leaves them: pixels on a scale of 0 to 255, and the same label for all."""
    spoilt = frame * 16
    spoilt["target"] = 3
    return spoilt

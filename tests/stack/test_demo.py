"""The demo's judge, its artifacts and its client: what lets the demo fail where it must."""

import io
import json
import pickletools
import runpy
import tarfile
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from local_stack.demo import data_docs
from local_stack.demo.artifacts import DemoArtifact, build_artifacts
from local_stack.demo.lessons import BY_ITSELF, LESSONS, Lesson, LessonResult
from local_stack.demo.report import Report, show_lesson, show_step
from local_stack.demo.retraining import poisoned
from local_stack.demo.scenario import STEPS, Accuracy, Step, StepResult
from local_stack.demo.traffic import Count, Traffic
from local_stack.training_data import rows

KNOWN = frozenset({"primary-1"})


def as_said(step: Step) -> StepResult:
    return StepResult(
        step=step,
        dag_run_id="manual__1",
        state=step.state,
        outcome=step.outcome,
        reason="because",
        seconds=12.34,
        config_before="old",
        config_after="new" if step.changes_endpoint else "old",
        traffic=Count(requests=100, variants={"primary-1": 100}),
        models_created=0,
    )


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.story)
def test_a_step_that_comes_out_as_said_has_no_problem(step: Step) -> None:
    assert as_said(step).problems(KNOWN) == []


@pytest.mark.parametrize(
    ("step", "wrong"),
    [
        (STEPS[1], {"state": "failed"}),
        (STEPS[1], {"outcome": "nothing_to_do"}),
        (STEPS[1], {"config_after": "old"}),
        (STEPS[1], {"traffic": Count(requests=9, failed=1, errors=["503"])}),
        (STEPS[2], {"state": "success"}),
        (STEPS[2], {"outcome": "released"}),
        (STEPS[2], {"config_after": "new"}),
        (STEPS[2], {"traffic": Count(requests=9, variants={"primary-1": 8, "primary-3": 1})}),
        (STEPS[4], {"models_created": 1}),
    ],
)
def test_each_thing_that_is_not_as_said_is_a_problem(step: Step, wrong: dict[str, Any]) -> None:
    assert len(replace(as_said(step), **wrong).problems(KNOWN)) == 1


def test_a_new_variant_may_answer_clients_where_a_release_succeeds() -> None:
    result = replace(as_said(STEPS[1]), traffic=Count(requests=2, variants={"primary-1": 1, "primary-2": 1}))
    assert result.problems(KNOWN) == []


def test_accuracy_must_be_the_very_same() -> None:
    same = Accuracy(0.986, 0.986, 143, {"label": 1, "probability": 0.9}, 1)
    assert same.problems() == []
    assert len(replace(same, through_endpoint=0.979).problems()) == 1


def test_the_report_is_written_in_the_promised_form(tmp_path: Path) -> None:
    report = Report()
    for step in STEPS:
        report.add(as_said(step))
    report.write(tmp_path / "demo.json")
    written = json.loads((tmp_path / "demo.json").read_text())
    assert [entry["release"] for entry in written["releases"]] == [1, 2, 3, 4, 5, 2]
    assert written["releases"][2] == {
        "release": 3,
        "dag_run_id": "manual__1",
        "state": "failed",
        "outcome": "rolled_back",
        "seconds": 12.3,
        "config_before": "old",
        "config_after": "old",
        "requests": 100,
        "requests_failed": 0,
    }


def test_the_closing_words_name_every_problem() -> None:
    console = Console(file=io.StringIO(), width=200)
    report = Report()
    result = replace(as_said(STEPS[3]), outcome="released", reason="[sic]")
    show_step(console, result, report.add(result))
    report.judge(Accuracy(0.5, 0.986, 143, {"label": 1, "probability": 0.9}, 1))
    report.show(console, 100)
    said = console.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO above
    assert "the outcome is released ([sic]), expected rolled_back" in said
    assert "accuracy through the endpoint is 0.5" in said
    assert "not everything came out as said, in 100 s" in said


def learned(lesson: Lesson) -> LessonResult:
    return LessonResult(
        lesson=lesson,
        dag_run_id="asset_triggered__1",
        started=lesson.started,
        state=lesson.state,
        outcome=lesson.outcome,
        reason="because",
        seconds=23.45,
        training_jobs=lesson.training_jobs,
        deploy_started=BY_ITSELF if lesson.releases else None,
        deploy_outcome="released" if lesson.releases else None,
        config_before="old",
        config_after="new" if lesson.releases else "old",
        accuracy_before=0.89,
        accuracy=0.98 if lesson.releases else 0.89,
        data_docs="http://127.0.0.1:1/summary.html",
        data_docs_fault=None,
        traffic=Count(requests=100),
    )


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_a_retraining_that_comes_out_as_said_has_no_problem(lesson: Lesson) -> None:
    assert learned(lesson).problems() == []


@pytest.mark.parametrize(
    ("lesson", "wrong"),
    [
        (LESSONS[1], {"started": "manual"}),
        (LESSONS[1], {"state": "failed"}),
        (LESSONS[1], {"outcome": "nothing_new"}),
        (LESSONS[1], {"training_jobs": 2}),
        (LESSONS[1], {"deploy_outcome": "rolled_back"}),
        (LESSONS[1], {"deploy_started": "manual"}),
        (LESSONS[1], {"config_after": "old"}),
        (LESSONS[1], {"accuracy": 0.89}),
        (LESSONS[1], {"data_docs_fault": "404"}),
        (LESSONS[1], {"traffic": Count(requests=9, failed=1, errors=["503"])}),
        (LESSONS[2], {"outcome": "registered"}),
        (LESSONS[2], {"training_jobs": 1}),
        (LESSONS[2], {"config_after": "new"}),
        (LESSONS[3], {"accuracy": 0.81}),
        (LESSONS[3], {"data_docs_fault": "says that all was met"}),
    ],
)
def test_each_thing_of_a_retraining_that_is_not_as_said_is_a_problem(
    lesson: Lesson, wrong: dict[str, Any]
) -> None:
    assert len(replace(learned(lesson), **wrong).problems()) == 1


def test_retrainings_are_reported_in_80_columns_and_written(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=80)
    report = Report()
    for lesson in LESSONS:
        result = replace(learned(lesson), reason="worse (Data Docs: s3://b/summary.html); also bad")
        show_lesson(console, result, report.add_lesson(result))
    report.show(console, 100)
    report.write(tmp_path / "demo.json")
    said = console.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO above
    assert "poisoned data: data_refused after 23.4 s; accuracy 0.890" in said
    assert "http://127.0.0.1:1/summary.html" in said
    assert "0.890 → 0.980" in said
    assert "worse; also bad" in said
    assert "everything came out as said" in said
    assert "…" not in said  # no column of the table was cut
    written = json.loads((tmp_path / "demo.json").read_text())["retrainings"]
    assert [entry["outcome"] for entry in written] == [lesson.outcome for lesson in LESSONS]
    assert written[1]["accuracy"] == 0.98


def test_a_page_counts_as_read_where_it_answers_and_says_what_it_must(tmp_path: Path) -> None:
    class Pages(SimpleHTTPRequestHandler):
        """Serves the summary pages below."""

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    (tmp_path / "met.html").write_text("All met of 3 expectations")
    (tmp_path / "failed.html").write_text("2 not met of 3 expectations")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Pages, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert data_docs.fault_of(f"{url}/met.html", met=True) is None
        assert data_docs.fault_of(f"{url}/failed.html", met=False) is None
        assert "something was not met" in str(data_docs.fault_of(f"{url}/met.html", met=False))
        assert "all was met" in str(data_docs.fault_of(f"{url}/failed.html", met=True))
        assert "answered 404" in str(data_docs.fault_of(f"{url}/gone.html", met=True))
        server.shutdown()
    assert url in str(data_docs.fault_of(f"{url}/met.html", met=True))
    assert data_docs.url_of("http://h:1", "s3://bucket/a/b.html") == "http://h:1/bucket/a/b.html"


def test_poisoned_rows_are_off_scale_and_of_one_label() -> None:
    good = rows(slice(0, 50))
    spoilt = poisoned(good)
    assert set(spoilt["target"]) == {3}
    assert spoilt.drop(columns="target").max(axis=None) == 16 * 16
    assert len(set(good["target"])) == 10


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> dict[int, DemoArtifact]:
    workdir = tmp_path_factory.mktemp("demo")
    return {each.release: each for each in build_artifacts(workdir, workdir / "trap")}


def members(artifact: DemoArtifact) -> dict[str, bytes]:
    with tarfile.open(artifact.path) as archive:
        return {name: archive.extractfile(name).read() for name in archive.getnames()}  # type: ignore[union-attr]  # files only


def inference(artifact: DemoArtifact, tmp_path: Path) -> dict[str, Any]:
    script = tmp_path / "inference.py"
    script.write_bytes(members(artifact)["code/inference.py"])
    return runpy.run_path(str(script))


def test_release_2_is_better_than_release_1(artifacts: dict[int, DemoArtifact]) -> None:
    assert artifacts[2].metrics["accuracy"] > artifacts[1].metrics["accuracy"]


def test_release_3_loads_and_raises_on_every_prediction(
    artifacts: dict[int, DemoArtifact], tmp_path: Path
) -> None:
    code = inference(artifacts[3], tmp_path)
    with pytest.raises(RuntimeError, match="release 3"):
        code["predict_fn"](None, None)
    assert members(artifacts[3])["model.joblib"] == members(artifacts[2])["model.joblib"]


def test_release_4_cannot_be_loaded(artifacts: dict[int, DemoArtifact], tmp_path: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match="a_library_nobody_installed"):
        inference(artifacts[4], tmp_path)


def test_release_5_would_run_a_command_and_nobody_has(artifacts: dict[int, DemoArtifact]) -> None:
    archive = members(artifacts[5])
    named = [argument for _, argument, _ in pickletools.genops(archive["model.joblib"])]
    assert {"posix", "system"} <= set(named)
    assert any("touch" in str(argument) for argument in named)
    assert archive["code/inference.py"] == members(artifacts[2])["code/inference.py"]
    assert not (artifacts[5].path.parents[2] / "trap").exists()


class Endpoint:
    """Answers as boto3's runtime client does, and fails every third request."""

    def __init__(self, requests: int) -> None:
        self.seen: list[dict[str, Any]] = []
        self.enough = threading.Event()
        self._requests = requests
        self._lock = threading.Lock()

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        with self._lock:
            self.seen.append(request)
            number = len(self.seen)
            if number >= self._requests:
                self.enough.set()
        if number % 3 == 0:
            raise ClientError({"Error": {"Code": "ModelError", "Message": "no"}}, "InvokeEndpoint")
        answers = json.loads(request["Body"])["instances"]
        body = io.BytesIO(json.dumps([{"label": 1}] * len(answers)).encode())
        return {"Body": body, "InvokedProductionVariant": "primary"}


def test_the_client_counts_each_request_once_and_each_failure() -> None:
    endpoint = Endpoint(requests=30)
    with Traffic(endpoint, "churn-demo", [[1.0], [2.0]], per_second=1000, threads=3) as traffic:
        assert endpoint.enough.wait(60)
    count = traffic.take()
    assert count.requests == len(endpoint.seen) >= 30
    assert count.failed == len(count.errors) == count.requests // 3
    assert count.variants == {"primary": count.requests - count.failed}
    assert traffic.take().requests == 0

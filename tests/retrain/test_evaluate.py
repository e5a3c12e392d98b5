"""Candidate and live champion evaluated by a processing job of the local SageMaker."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from endpoint_deploy.task_links import JobLink, JobLogsLink
from tests.deploy.rig import AS_IN_PRODUCTION
from tests.retrain.evaluation_rig import IMAGE, SERVED, EvaluationRig, evaluation_rig
from tests.retrain.evaluations import SCRIPT

pytestmark = AS_IN_PRODUCTION


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, local_sagemaker: Any, airflow_db: str
) -> Iterator[EvaluationRig]:
    """A deployment whose champion is right about every row."""
    with evaluation_rig(tmp_path_factory.mktemp("served"), local_sagemaker) as rig:
        rig.release(cut=0.5)
        yield rig


def test_a_candidate_as_good_as_the_champion_passes(served: EvaluationRig) -> None:
    run = served.evaluate(cut=0.501)

    assert run.states == {"validate_candidate": "success", "evaluate": "success", "gate_metrics": "success"}
    evaluation = run.xcoms["evaluate"]["return_value"]
    assert evaluation["rows"] == 400
    assert evaluation["champion"]["release"] == 1
    # A local job has the server's page, and none for its log.
    page, log = (run.xcoms["evaluate"][link.xcom_key] for link in (JobLink(), JobLogsLink()))
    assert (page, log) == (f"{served.rig.sagemaker.meta.endpoint_url}/", "")
    accuracy = run.metrics["accuracy"]
    assert (accuracy["candidate"], accuracy["champion"]) == (0.9975, 1.0)
    assert -0.02 < accuracy["gain_low"] < accuracy["gain"] < 0


def test_a_worse_candidate_is_stopped(served: EvaluationRig) -> None:
    run = served.evaluate(cut=0.7)

    assert run.states["evaluate"] == "success"
    failure = run.failure("gate_metrics")
    assert (
        "accuracy: candidate 0.8, champion 1; worse by 0.2 (95 % confidence: between 0.1"
        in failure["message"]
    )
    assert failure["refusal"]


def test_the_same_evaluation_is_paid_for_once(served: EvaluationRig) -> None:
    first = served.evaluate(cut=0.502)
    jobs = len(served.jobs())

    again = served.evaluate(cut=0.502)

    assert len(served.jobs()) == jobs
    assert again.xcoms["evaluate"]["return_value"] == first.xcoms["evaluate"]["return_value"]


def test_other_held_out_rows_are_another_evaluation(served: EvaluationRig) -> None:
    served.evaluate(cut=0.503)
    jobs = len(served.jobs())
    served.held_out(360)
    try:
        run = served.evaluate(cut=0.503)
    finally:
        served.held_out(400)

    assert run.xcoms["evaluate"]["return_value"]["rows"] == 360
    assert len(served.jobs()) == jobs + 1


def test_a_champion_of_another_image_has_a_job_of_its_own(served: EvaluationRig) -> None:
    other = IMAGE.replace("sklearn:1", "sklearn:2")

    run = served.evaluate(cut=0.504, image=other)

    assert [job["AppSpecification"]["ImageUri"] for job in served.jobs()[-2:]] == [other, IMAGE]
    assert all(row["champion"] == row["truth"] for row in served.predictions(run))
    assert run.metrics["accuracy"]["candidate"] < run.metrics["accuracy"]["champion"] == 1.0


def test_a_candidate_that_does_not_answer_is_refused_and_says_where(served: EvaluationRig) -> None:
    code = SERVED.replace(
        "return numbers if", "assert 0.9 not in numbers, 'no such feature'; return numbers if"
    )

    run = served.evaluate(code=code)

    failure = run.failure("evaluate")
    assert "candidate: batch 1 (rows 1 to 400): AssertionError: no such feature" in failure["message"]
    assert failure["refusal"]
    assert run.states["gate_metrics"] == "upstream_failed"


def test_nothing_secret_is_said(served: EvaluationRig) -> None:
    served.spec(environment={"API_TOKEN": "s3cr3t-token-value"})
    code = SERVED.replace("return numbers if", "raise ValueError(os.environ['API_TOKEN']); return numbers if")
    try:
        run = served.evaluate(code=code)
    finally:
        served.spec()

    assert "ValueError: ***" in run.failure("evaluate")["message"]
    assert "s3cr3t" not in str(run.xcoms)


@pytest.fixture
def rig(tmp_path: Path, local_sagemaker: Any, airflow_db: str) -> Iterator[EvaluationRig]:
    with evaluation_rig(tmp_path, local_sagemaker) as made:
        yield made


def test_without_an_endpoint_the_candidate_is_evaluated_alone(rig: EvaluationRig) -> None:
    run = rig.evaluate(cut=0.6)

    assert run.xcoms["evaluate"]["return_value"]["champion"] is None
    assert run.metrics["accuracy"] == {
        "name": "accuracy",
        "candidate": 0.9,
        "champion": None,
        "gain": None,
        "gain_low": None,
        "gain_high": None,
        "margin": 0.02,
    }


def test_a_script_of_the_teams_own_takes_the_place_of_the_models_code(rig: EvaluationRig) -> None:
    (rig.rig.specs / "score.py").write_text(SCRIPT)
    rig.spec(script="score.py", prediction=None, score=None, metrics=[{"name": "accuracy", "at_least": 0.6}])

    run = rig.evaluate(code="no code at all")

    assert run.metrics["accuracy"]["candidate"] == 1.0


def test_without_held_out_files_nothing_is_run(rig: EvaluationRig) -> None:
    rig.spec(data="s3://deploy-tests/nothing-here")

    failure = rig.evaluate().failure("evaluate")

    assert "s3://deploy-tests/nothing-here: found no held-out file" in failure["message"]
    assert not failure["refusal"]
    assert rig.jobs() == []


def test_a_champion_that_cannot_be_evaluated_is_not_held_against_the_candidate(rig: EvaluationRig) -> None:
    rig.release(code=SERVED.replace("body.split()]", "body.split()][1:]"))

    failure = rig.evaluate().failure("evaluate")

    assert "the champion, which serves today, cannot be evaluated: " in failure["message"]
    assert "champion: batch 1 (rows 1 to 400): found 399 predictions, expected 400" in failure["message"]
    assert not failure["refusal"]

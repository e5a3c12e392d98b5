"""Tuning jobs by the DAG's own task against the local SageMaker: the best model is the candidate."""

from typing import Any

from tests.deploy.rig import AS_IN_PRODUCTION
from tests.retrain.training_rig import COUNTS, TrainingRig

pytestmark = AS_IN_PRODUCTION

_GRID: dict[str, Any] = {
    "objective": "loss",
    "goal": "Minimize",
    "strategy": "Grid",
    "max_parallel_jobs": 3,
    "ranges": {"categorical": {"rate": ["0.1", "0.45", "0.9"]}},
}


def test_the_best_of_the_training_jobs_is_taken(trainer: TrainingRig) -> None:
    trainer.spec(tuning=_GRID, hyperparameters={"name": "tuned", "rate": 0.5})
    data = trainer.data(3)
    done = trainer.run(data)
    assert done.state == "success"
    (job,) = trainer.jobs("tuning")
    assert len(job) <= 32
    result = done.result
    assert (result["job"], result["kind"]) == (job, "tuning")
    assert result["hyperparameters"] == {"name": "tuned", "rate": "0.45"}
    assert result["metrics"]["loss"] == 0.05
    assert result["artifact"].startswith(f"{trainer.store}/jobs/{job}/{job}-")
    assert trainer.model(result["artifact"])["rate"] == 0.45
    assert len(result["code_sha256"]) == 64
    assert trainer.run(data).result == result
    assert trainer.jobs("tuning") == [job]
    assert len(trainer.jobs()) == 3


def test_what_the_form_fixes_is_not_searched(trainer: TrainingRig) -> None:
    ranges = {"categorical": {"rate": ["0.1", "0.2"], "name": ["a", "b"]}}
    trainer.spec(tuning={**_GRID, "ranges": ranges})
    data = trainer.data(1)
    done = trainer.run(data, hyperparameters={"name": "form"})
    assert done.result["hyperparameters"] == {"name": "form", "rate": "0.2"}
    assert len(trainer.jobs()) == 2
    refused = trainer.run(data, hyperparameters={"name": "form", "rate": 0.3})
    assert (refused.state, refused.tries) == ("failed", 1)
    assert "nothing is left to be searched" in refused.failure["message"]


def test_a_tuning_job_of_which_no_training_job_succeeds_fails_with_its_reason(trainer: TrainingRig) -> None:
    trainer.code("raise ValueError('no column x1')\n" + COUNTS)
    trainer.spec(tuning=_GRID)
    failed = trainer.run(trainer.data(1))
    assert (failed.state, failed.tries) == ("failed", 1)
    (job,) = trainer.jobs("tuning")
    assert f"tuning job {job} failed: " in failed.failure["message"]
    assert f"streams {job}-" in failed.failure["message"]

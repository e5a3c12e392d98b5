"""Hyperparameter tuning: training jobs over a space, the best of them, and every way to end early."""

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.local_sagemaker.server_process import Server, until
from tests.local_sagemaker.trainer import IMAGE, Trainer, source_archive
from tests.local_sagemaker.world import World

# The objective has its best value, 0, at size = 3.
PARABOLA = """
import argparse, json, os, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--size", type=float)
parser.add_argument("--fixed")
options = parser.parse_args()
print(f"loss={(options.size - 3) ** 2};")
pathlib.Path(os.environ["SM_MODEL_DIR"], "x").write_text(f"{options.size} {options.fixed}")
"""
WAITS = "import time\nprint('waiting', flush=True)\ntime.sleep(600)"


class Tuner(Trainer):
    """Tuning jobs in a world."""

    def tuning_request(self, script: str = PARABOLA, **config: Any) -> dict[str, Any]:
        uri = self.put(f"code/{self.world.name()}/sourcedir.tar.gz", source_archive(train__py=script))
        limits = {
            "MaxNumberOfTrainingJobs": config.pop("jobs", 4),
            "MaxParallelTrainingJobs": config.pop("parallel", 2),
        }
        return {
            "HyperParameterTuningJobName": self.world.name("Tune"),
            "HyperParameterTuningJobConfig": {
                "Strategy": "Random",
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
                "ResourceLimits": limits,
                "ParameterRanges": {
                    "ContinuousParameterRanges": [{"Name": "size", "MinValue": "0.5", "MaxValue": "6"}]
                },
                **config,
            },
            "TrainingJobDefinition": {
                "StaticHyperParameters": {
                    "sagemaker_program": json.dumps("train.py"),
                    "sagemaker_submit_directory": json.dumps(uri),
                    "fixed": "7",
                },
                "AlgorithmSpecification": {
                    "TrainingImage": IMAGE,
                    "TrainingInputMode": "File",
                    "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*?);"}],
                },
                "RoleArn": self.world.role,
                "OutputDataConfig": {"S3OutputPath": "s3://models/out"},
                "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
                "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            },
        }

    def tune(self, *arguments: Any, **config: Any) -> str:
        request = self.tuning_request(*arguments, **config)
        self.sagemaker.create_hyper_parameter_tuning_job(**request)
        return request["HyperParameterTuningJobName"]

    def tuning(self, name: str) -> dict[str, Any]:
        return self.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)

    def tuned(self, name: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            found = self.tuning(name)
            return None if found["HyperParameterTuningJobStatus"] in ("InProgress", "Stopping") else found

        return until(look, f"{name} ends")

    def runs(self, name: str, **members: Any) -> list[dict[str, Any]]:
        return self.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name, MaxResults=100, **members
        )["TrainingJobSummaries"]


@pytest.fixture
def tuner(world: World) -> Tuner:
    return Tuner(world)


def test_random_search_finds_the_best_of_what_it_tries(tuner: Tuner) -> None:
    name = tuner.tune(RandomSeed=11)
    found = tuner.tuned(name)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert found["TrainingJobStatusCounters"] == {
        "Completed": 4,
        "InProgress": 0,
        "RetryableError": 0,
        "NonRetryableError": 0,
        "Stopped": 0,
    }
    assert found["ObjectiveStatusCounters"] == {"Succeeded": 4, "Pending": 0, "Failed": 0}
    runs = tuner.runs(name)
    assert [run["TrainingJobName"].split("-")[2] for run in runs] == ["001", "002", "003", "004"]
    losses = {}
    for run in runs:
        x = float(run["TunedHyperParameters"]["size"])
        assert 0.5 <= x <= 6
        metric = run["FinalHyperParameterTuningJobObjectiveMetric"]
        assert (metric["MetricName"], metric["Value"]) == ("loss", pytest.approx((x - 3) ** 2, rel=1e-5))
        losses[run["TrainingJobName"]] = metric["Value"]
    assert len({run["TunedHyperParameters"]["size"] for run in runs}) == 4
    best = found["BestTrainingJob"]
    assert best["TrainingJobName"] == min(losses, key=losses.__getitem__)
    assert tuner.output(best["TrainingJobName"])["x"] == f"{best['TunedHyperParameters']['size']} 7"
    training = tuner.describe(best["TrainingJobName"])
    assert training["TuningJobArn"] == found["HyperParameterTuningJobArn"]
    assert training["HyperParameters"]["_tuning_objective_metric"] == "loss"
    by_value = tuner.runs(name, SortBy="FinalObjectiveMetricValue", SortOrder="Ascending")
    assert [run["TrainingJobName"] for run in by_value] == sorted(losses, key=losses.__getitem__)
    again = tuner.tuned(tuner.tune(RandomSeed=11))
    assert again["BestTrainingJob"]["TunedHyperParameters"] == best["TunedHyperParameters"]


def test_the_grid_is_tried_whole(tuner: Tuner) -> None:
    request = tuner.tuning_request(
        Strategy="Grid",
        ParameterRanges={"CategoricalParameterRanges": [{"Name": "size", "Values": ["1", "3", "4"]}]},
    )
    del request["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"]
    tuner.sagemaker.create_hyper_parameter_tuning_job(**request)
    name = request["HyperParameterTuningJobName"]
    found = tuner.tuned(name)
    assert [run["TunedHyperParameters"]["size"] for run in tuner.runs(name)] == ["1", "3", "4"]
    assert found["BestTrainingJob"]["TunedHyperParameters"] == {"size": "3"}
    assert found["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 0


def test_never_more_run_than_may_and_a_stop_stops_them(tuner: Tuner) -> None:
    name = tuner.tune(WAITS, jobs=5, parallel=2)
    until(lambda: len(tuner.runs(name)) == 2, "two run")
    running = [run["TrainingJobName"] for run in tuner.runs(name)]
    until(lambda: all("waiting" in tuner.log(run) for run in running), "they run")
    assert len(tuner.runs(name)) == 2
    tuner.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    found = tuner.tuned(name)
    assert found["HyperParameterTuningJobStatus"] == "Stopped"
    assert found["TrainingJobStatusCounters"]["Stopped"] == 2
    assert [run["TrainingJobStatus"] for run in tuner.runs(name)] == ["Stopped", "Stopped"]
    assert "BestTrainingJob" not in found


def test_a_target_reached_ends_it(tuner: Tuner) -> None:
    name = tuner.tune(
        jobs=50,
        parallel=1,
        Strategy="Bayesian",
        TuningJobCompletionCriteria={"TargetObjectiveMetricValue": 1e6},
    )
    found = tuner.tuned(name)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert len(tuner.runs(name)) == 1


def test_early_stopping_stops_what_does_worse_than_those_before(tuner: Tuner) -> None:
    script = PARABOLA.replace(
        "pathlib.Path(",
        "import sys, time\nsys.stdout.flush()\ntime.sleep(600 if options.size > 10 else 0)\npathlib.Path(",
    )
    sizes = ["1", "2", "3", "50", "4"]
    name = tuner.tune(
        script,
        jobs=5,
        parallel=1,
        Strategy="Grid",
        TrainingJobEarlyStoppingType="Auto",
        ParameterRanges={"CategoricalParameterRanges": [{"Name": "size", "Values": sizes}]},
    )
    found = tuner.tuned(name)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    stopped = [run for run in tuner.runs(name) if run["TrainingJobStatus"] == "Stopped"]
    assert [run["TunedHyperParameters"]["size"] for run in stopped] == ["50"]
    assert found["TrainingJobStatusCounters"]["Completed"] == 4
    assert found["BestTrainingJob"]["TunedHyperParameters"] == {"size": "3"}


def test_it_fails_when_nothing_succeeds(tuner: Tuner) -> None:
    name = tuner.tune("raise SystemExit(3)", jobs=2)
    found = tuner.tuned(name)
    assert found["HyperParameterTuningJobStatus"] == "Failed"
    assert found["FailureReason"].startswith("No training job succeeded after 2 attempts.")
    assert found["TrainingJobStatusCounters"]["NonRetryableError"] == 2
    assert found["ObjectiveStatusCounters"]["Failed"] == 2


def test_names_lists_tags_and_missing_jobs(tuner: Tuner, refusal: Any) -> None:
    request = tuner.tuning_request(jobs=1, parallel=1)
    name = request["HyperParameterTuningJobName"]
    create = tuner.sagemaker.create_hyper_parameter_tuning_job
    arn = create(**request, Tags=[{"Key": "a", "Value": "b"}])["HyperParameterTuningJobArn"]
    assert refusal(create, **request) == (
        "ResourceInUse",
        f"A hyperparameter tuning job with the name, {name}, already exists. Choose a different name.",
    )
    describe = tuner.sagemaker.describe_hyper_parameter_tuning_job
    assert refusal(describe, HyperParameterTuningJobName="none") == (
        "ResourceNotFound",
        "Amazon SageMaker can't find a tuning job called none. Type another name.",
    )
    tuner.tuned(name)
    listed = tuner.sagemaker.list_hyper_parameter_tuning_jobs(NameContains=name, StatusEquals="Completed")
    summaries = listed["HyperParameterTuningJobSummaries"]
    assert [summary["HyperParameterTuningJobName"] for summary in summaries] == [name]
    assert summaries[0]["Strategy"] == "Random"
    assert tuner.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"Strategy": "Hyperband"}, "the Hyperband strategy"),
        ({"Strategy": "Grid"}, "Only categorical parameters are supported when using the Grid strategy."),
        ({"parallel": 5}, "MaxParallelTrainingJobs cannot be greater than MaxNumberOfTrainingJobs."),
        (
            {"HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "other"}},
            "The objective metric, [other], is not among the MetricDefinitions",
        ),
        (
            {
                "ParameterRanges": {
                    "IntegerParameterRanges": [
                        {"Name": "size", "MinValue": "0", "MaxValue": "9", "ScalingType": "Logarithmic"}
                    ]
                }
            },
            "needs a MinValue above 0",
        ),
    ],
)
def test_what_cannot_be_searched_is_refused(
    tuner: Tuner, refusal: Any, config: dict[str, Any], message: str
) -> None:
    request = tuner.tuning_request(**config)
    code, text = refusal(tuner.sagemaker.create_hyper_parameter_tuning_job, **request)
    assert code == "ValidationException"
    assert message in text


def test_a_killed_server_goes_on_with_the_search(start_server: Callable[..., Server]) -> None:
    server = start_server("--time-scale=1000")
    tuner = Tuner(World(server))
    request = tuner.tuning_request(jobs=4, parallel=1)
    request["TrainingJobDefinition"]["RetryStrategy"] = {"MaximumRetryAttempts": 10}
    tuner.sagemaker.create_hyper_parameter_tuning_job(**request)
    name = request["HyperParameterTuningJobName"]
    until(lambda: tuner.tuning(name)["TrainingJobStatusCounters"]["Completed"] >= 1, "one is done")
    before = {run["TrainingJobName"]: run["TunedHyperParameters"] for run in tuner.runs(name)}
    server.end(signal.SIGKILL)
    server.start()
    tuner = Tuner(World(server))
    found = tuner.tuned(name)
    assert found["HyperParameterTuningJobStatus"] == "Completed", found.get("FailureReason")
    after = {run["TrainingJobName"]: run["TunedHyperParameters"] for run in tuner.runs(name)}
    assert len(after) == 4
    assert before.items() <= after.items()

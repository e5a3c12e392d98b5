"""From spec, training set and code to the bodies of CreateTrainingJob and CreateHyperParameterTuningJob.

The jobs run in script mode, as SageMaker's training toolkit has it: a script of the archive that
`sagemaker_submit_directory` names, started with the hyperparameters as `--name value`. The toolkit reads
each hyperparameter as JSON (sagemaker-training, `mapping.py`), so each is encoded as such.
"""

import json
from collections.abc import Mapping
from math import ceil
from typing import Annotated, Any

from pydantic import Field

from endpoint_deploy.core import fields as f
from endpoint_deploy.core import naming
from endpoint_deploy.core.jobs import JobKind
from endpoint_deploy.core.requests import without_none
from endpoint_deploy.core.retrain import TrainingSet
from endpoint_deploy.core.retrain_spec import RetrainSpec
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.core.strict import Strict
from endpoint_deploy.core.training_spec import Hyperparameter, RangesSpec, TuningSpec
from endpoint_deploy.errors import SpecError

Body = dict[str, Any]
_PROGRAM, _ARCHIVE = "sagemaker_program", "sagemaker_submit_directory"
_NOT_THE_SCRIPTS = ("sagemaker_", "_tuning_")  # the toolkit's own, and what a tuning job adds
_MOST_HYPERPARAMETERS = 100  # CreateTrainingJob's reference
_CONTENT_TYPES = {
    "csv": "text/csv",
    "jsonlines": "application/jsonlines",
    "parquet": "application/x-parquet",
}


class TrainingInputs(Strict):
    """What a run adds to the spec.

    `image` is the training image's URI, `code` the archive's s3:// address, which names its content, and
    `hyperparameters` those of the form: over the spec's, and not searched where it has a range for them.
    """

    data: TrainingSet
    image: str
    code: str
    hyperparameters: Annotated[
        dict[f.HyperparameterName, Hyperparameter], Field(max_length=_MOST_HYPERPARAMETERS)
    ] = Field({})


class TrainingRequest(Strict):
    """A job to be run, under a name that ends in the digest of all it is made of.

    `body` is the request without the name, tags, and the places that the name decides. `limit_seconds` is how
    long a training job may take, and `rounds` how many of them come after each other.
    """

    kind: JobKind
    base: str
    store: str
    body: Body
    limit_seconds: int
    rounds: int = 1

    def named(self, name: str) -> Body:
        """The service's request for a job of that name. Outputs go to `<store>/jobs/<name>/`."""
        if self.kind == "training":
            # The service adds the job's name itself.
            return {"TrainingJobName": name, **self.body, "OutputDataConfig": self._output("jobs")}
        definition = {**self.body["TrainingJobDefinition"], "OutputDataConfig": self._output(f"jobs/{name}")}
        return {"HyperParameterTuningJobName": name, **self.body, "TrainingJobDefinition": definition}

    def _output(self, where: str) -> Body:
        return {"S3OutputPath": f"{self.store}/{where}"}


def training_request(spec: DeploymentSpec, given: TrainingInputs) -> TrainingRequest:
    """The training or tuning job of a spec that has `retrain`.

    Raises SpecError where the hyperparameters are too many, or leave nothing to be searched.
    """
    tuning = _retrain_of(spec).tuning
    return _tuning(spec, tuning, given) if tuning else _training(spec, given)


def own_hyperparameters(described: Mapping[str, str]) -> dict[str, str]:
    """The script's own hyperparameters among those that a job is described with, as text."""
    return {
        name: _plain(value)
        for name, value in sorted(described.items())
        if not name.startswith(_NOT_THE_SCRIPTS)
    }


def code_digest(described: Mapping[str, str]) -> str | None:
    """The digest of the code that a job is described with: `…/code/<digest>/sourcedir.tar.gz`."""
    found = _plain(described.get(_ARCHIVE, "")).split("/")
    return found[-2] if len(found) > 1 and found[-3] == "code" else None


def _training(spec: DeploymentSpec, given: TrainingInputs) -> TrainingRequest:
    training = _retrain_of(spec).training
    values = {**training.hyperparameters, **given.hyperparameters}
    body = {**_definition(spec, given), "HyperParameters": _hyperparameters(spec, given, values)}
    base = naming.job_name("training", spec.endpoint_name, body)
    store = spec.aws.store.rstrip("/")
    if training.spot:
        # Named by content: a job that is begun again goes on where the one before was interrupted.
        body["CheckpointConfig"] = {"S3Uri": f"{store}/jobs/{base}/checkpoints"}
    return TrainingRequest(
        kind="training", base=base, store=store, body=body, limit_seconds=training.longest_seconds
    )


def _tuning(spec: DeploymentSpec, tuning: TuningSpec, given: TrainingInputs) -> TrainingRequest:
    training = _retrain_of(spec).training
    ranges = tuning.ranges.without(given.hyperparameters)
    if not ranges.names:
        raise SpecError(
            f"retrain.tuning: the form fixes {', '.join(sorted(given.hyperparameters))}, and nothing is left "
            "to be searched; leave one of the ranges' hyperparameters out of the form"
        )
    jobs = tuning.max_jobs or ranges.combinations
    # A form that fixes a hyperparameter may leave a grid of fewer; the service takes no more at once.
    parallel = min(tuning.max_parallel_jobs, jobs)
    values = {**training.hyperparameters, **given.hyperparameters}
    static = {name: value for name, value in values.items() if name not in ranges.names}
    config = without_none(
        Strategy=tuning.strategy,
        HyperParameterTuningJobObjective={"Type": tuning.goal, "MetricName": tuning.objective},
        ResourceLimits=without_none(
            MaxNumberOfTrainingJobs=tuning.max_jobs, MaxParallelTrainingJobs=parallel
        ),
        ParameterRanges=_ranges(ranges),
        TrainingJobEarlyStoppingType="Auto" if tuning.early_stopping else "Off",
        RandomSeed=tuning.random_seed,
    )
    body = {
        "HyperParameterTuningJobConfig": config,
        # Without checkpoints, also with spot: all training jobs would share their place.
        "TrainingJobDefinition": {
            **_definition(spec, given),
            "StaticHyperParameters": _hyperparameters(spec, given, static),
        },
    }
    return TrainingRequest(
        kind="tuning",
        base=naming.job_name("tuning", spec.endpoint_name, body),
        store=spec.aws.store.rstrip("/"),
        body=body,
        limit_seconds=training.longest_seconds,
        rounds=ceil(jobs / parallel),
    )


def _definition(spec: DeploymentSpec, given: TrainingInputs) -> Body:
    """What training jobs and the definition of a tuning job's have in common."""
    retrain = _retrain_of(spec)
    training = retrain.training
    source = {
        "S3DataType": "ManifestFile",
        "S3Uri": given.data.manifest,
        "S3DataDistributionType": "FullyReplicated",
    }
    spot = training.spot
    return without_none(
        AlgorithmSpecification=without_none(
            TrainingImage=given.image,
            TrainingInputMode="File",
            MetricDefinitions=[{"Name": n, "Regex": r} for n, r in training.metrics.items()] or None,
        ),
        RoleArn=spec.aws.role_arn,
        InputDataConfig=[
            {
                "ChannelName": training.channel,
                "DataSource": {"S3DataSource": source},
                "ContentType": _CONTENT_TYPES[retrain.data.format],
            }
        ],
        ResourceConfig={
            "InstanceType": training.instance_type,
            "InstanceCount": training.instances,
            "VolumeSizeInGB": training.volume_gb,
        },
        StoppingCondition=without_none(
            MaxRuntimeInSeconds=training.max_runtime_seconds,
            MaxWaitTimeInSeconds=spot.max_wait_seconds if spot else None,
        ),
        EnableManagedSpotTraining=True if spot else None,
        Environment=training.environment or None,
    )


def _hyperparameters(
    spec: DeploymentSpec, given: TrainingInputs, values: Mapping[str, Hyperparameter]
) -> dict[str, str]:
    if len(values) + 2 > _MOST_HYPERPARAMETERS:
        raise SpecError(
            f"found {len(values)} hyperparameters of spec and form together, expected at most "
            f"{_MOST_HYPERPARAMETERS - 2}: the service takes {_MOST_HYPERPARAMETERS}, and two name the script"
        )
    script = {_PROGRAM: _retrain_of(spec).training.script, _ARCHIVE: given.code}
    return {name: json.dumps(value) for name, value in {**values, **script}.items()}


def _ranges(ranges: RangesSpec) -> Body:
    def bounds(of: Mapping[str, tuple[Any, Any]]) -> list[Body]:
        return [{"Name": n, "MinValue": str(low), "MaxValue": str(high)} for n, (low, high) in of.items()]

    return {
        "ContinuousParameterRanges": bounds(ranges.continuous),
        "IntegerParameterRanges": bounds(ranges.integer),
        "CategoricalParameterRanges": [
            {"Name": name, "Values": [json.dumps(value) for value in values]}
            for name, values in ranges.categorical.items()
        ],
    }


def _retrain_of(spec: DeploymentSpec) -> RetrainSpec:
    if spec.retrain is None:
        raise SpecError(f"{spec.key} has no section `retrain`, and so nothing to train")
    return spec.retrain


def _plain(text: str) -> str:
    """A hyperparameter as the script sees it: the service shows the JSON that it was given."""
    try:
        return str(json.loads(text))
    except ValueError:
        return text

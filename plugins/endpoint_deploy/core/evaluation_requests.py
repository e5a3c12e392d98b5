"""From spec and models to the body of CreateProcessingJob for their evaluation."""

from typing import Any

from endpoint_deploy.core import naming, requests
from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.retrain_spec import RetrainSpec
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.core.strict import Strict
from endpoint_deploy.errors import SpecError

Body = dict[str, Any]
_PROGRAM = "evaluate.py"
_ROOT = "/opt/ml"
_PLACE = f"{_ROOT}/processing"
_LONGEST_VALUE = 256  # of a variable: ProcessingEnvironmentValue in the API model; a model's may have 1024


class EvaluationInputs(Strict):
    """What a run adds to the spec; all are s3:// addresses that name their content.

    `candidate` and `champion` are pinned archives, `champion` None where the candidate answers alone; `data`
    is the held-out files' manifest, `code` the prefix of the program's files, `script` the name of the
    team's own program among them.
    """

    candidate: Candidate
    champion: str | None
    data: str
    code: str
    script: str | None = None


class EvaluationRequest(Strict):
    """A job to be run, under a name that ends in the digest of all it is made of."""

    base: str
    store: str
    body: Body

    def named(self, name: str) -> Body:
        """The request for a job of that name; its output goes to `<store>/jobs/<name>/evaluation`."""
        output = {
            "OutputName": "evaluation",
            "S3Output": {
                "S3Uri": f"{self.store}/jobs/{name}/evaluation",
                "LocalPath": f"{_PLACE}/evaluation",
                "S3UploadMode": "EndOfJob",
            },
        }
        return {"ProcessingJobName": name, **self.body, "ProcessingOutputConfig": {"Outputs": [output]}}


def evaluation_request(
    spec: DeploymentSpec, retrain: RetrainSpec, given: EvaluationInputs
) -> EvaluationRequest:
    """The processing job in which the models answer the held-out rows.

    They run as behind the endpoint: in the candidate's image, with the environment of the variant that gets
    most of the traffic. Raises SpecError where that environment is more than a processing job takes.
    """
    evaluation = retrain.evaluation
    body: Body = {
        "ProcessingInputs": [
            _input("candidate", given.candidate.pinned),
            *([_input("champion", given.champion)] if given.champion else []),
            _input("data", given.data, kind="ManifestFile"),
            _input("code", given.code),
        ],
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": evaluation.instance_type,
                "VolumeSizeInGB": evaluation.volume_gb,
            }
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": evaluation.max_runtime_seconds},
        "AppSpecification": {
            "ImageUri": given.candidate.image,
            "ContainerEntrypoint": ["python3", f"{_PLACE}/code/{_PROGRAM}"],
            "ContainerArguments": _arguments(retrain, given.script),
        },
        "RoleArn": spec.aws.role_arn,
    }
    if environment := _environment(spec, given.candidate):
        body["Environment"] = environment
    # The archives are named by their digests too: a pinned address alone could be overwritten by hand.
    base = naming.job_name("processing", f"{spec.endpoint_name}-evaluation", [body, given.candidate.sha256])
    return EvaluationRequest(base=base, store=spec.aws.store.rstrip("/"), body=body)


def _input(name: str, uri: str, *, kind: str = "S3Prefix") -> Body:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"{_PLACE}/{name}",
            "S3DataType": kind,
            "S3InputMode": "File",
        },
    }


def _arguments(retrain: RetrainSpec, script: str | None) -> list[str]:
    evaluation = retrain.evaluation
    settings = {
        "root": _ROOT,
        "target": retrain.data.target,
        "format": retrain.data.format,
        "content-type": evaluation.content_type,
        "batch-rows": evaluation.batch_rows,
        "prediction": evaluation.prediction,
        "score": evaluation.score,
        "script": script,
    }
    # In one piece each: the name of a column may begin with a hyphen.
    return [f"--{name}={value}" for name, value in settings.items() if value is not None]


def _environment(spec: DeploymentSpec, candidate: Candidate) -> dict[str, str]:
    heaviest = max(spec.endpoint.variants, key=lambda variant: variant.weight)
    container = requests.model_body(spec, candidate, heaviest)["PrimaryContainer"]
    environment: dict[str, str] = container.get("Environment", {})
    if long := [name for name, value in environment.items() if len(value) > _LONGEST_VALUE]:
        raise SpecError(
            f"environment: {long[0]} has more than {_LONGEST_VALUE} characters, the most that a processing "
            "job takes, so the model cannot be evaluated with it; keep long values in a file"
        )
    return environment

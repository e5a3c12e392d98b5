"""How the API speaks of each kind of job."""

from dataclasses import dataclass
from typing import Literal

from local_sagemaker.account import ACCOUNT_ID
from local_sagemaker.api.errors import ServiceError, invalid


@dataclass(frozen=True)
class JobKind:
    """One kind: its ARNs, names, log group, event, and the service's words for its errors.

    `taken` and `missing` are templates over `{name}` and `{arn}`; `missing_code` is the error's code.
    """

    arn_kind: str
    prefix: str
    label: str
    log_group: str
    event: str
    taken: str
    missing: str
    missing_code: Literal["ValidationException", "ResourceNotFound"] = "ValidationException"
    sort_by: str = "CreationTime"
    sort_order: Literal["Ascending", "Descending"] = "Ascending"

    def arn(self, region: str, name: str) -> str:
        """The service's ARNs carry the name in lower case."""
        return f"arn:aws:sagemaker:{region}:{ACCOUNT_ID}:{self.arn_kind}/{name.lower()}"

    def already_exists(self, name: str, arn: str) -> ServiceError:
        """The name is taken: 400 `ResourceInUse`."""
        return ServiceError("ResourceInUse", self.taken.format(name=name, arn=arn))

    def not_found(self, name: str) -> ServiceError:
        """There is no job of that name."""
        return ServiceError(self.missing_code, self.missing.format(name=name))

    def finished(self, status: str) -> ServiceError:
        """Stop was called on a job that is over."""
        return invalid(f"The request was rejected because the {self.label} is in status {status}.")


TRAINING = JobKind(
    arn_kind="training-job",
    prefix="TrainingJob",
    label="training job",
    log_group="/aws/sagemaker/TrainingJobs",
    event="SageMaker Training Job State Change",
    taken=(
        "Training job names must be unique within an AWS account and region, and a training job with this "
        "name already exists ({arn})"
    ),
    missing="Requested resource not found.",
)
PROCESSING = JobKind(
    arn_kind="processing-job",
    prefix="ProcessingJob",
    label="processing job",
    log_group="/aws/sagemaker/ProcessingJobs",
    event="SageMaker Processing Job State Change",
    taken=(
        "Job name must be unique within an AWS account and region, and a job with this name already exists "
        "({arn})"
    ),
    missing="Could not find requested job with name: {name}",
)
TRANSFORM = JobKind(
    arn_kind="transform-job",
    prefix="TransformJob",
    label="transform job",
    log_group="/aws/sagemaker/TransformJobs",
    event="SageMaker Transform Job State Change",
    taken=PROCESSING.taken,
    missing=PROCESSING.missing,
    sort_order="Descending",
)
TUNING = JobKind(
    arn_kind="hyper-parameter-tuning-job",
    prefix="HyperParameterTuningJob",
    label="hyperparameter tuning job",
    log_group="",  # it runs nothing itself
    event="SageMaker HyperParameter Tuning Job State Change",
    taken="A hyperparameter tuning job with the name, {name}, already exists. Choose a different name.",
    missing="Amazon SageMaker can't find a tuning job called {name}. Type another name.",
    missing_code="ResourceNotFound",
    sort_by="Name",
)

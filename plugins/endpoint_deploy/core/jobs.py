"""One view of training, tuning, processing and transform jobs, as Describe shows them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from endpoint_deploy.core.strict import Strict

JobKind = Literal["training", "tuning", "processing", "transform"]
Phase = Literal["in_progress", "completed", "failed", "stopped"]

PREFIXES: dict[JobKind, str] = {
    "training": "TrainingJob",
    "tuning": "HyperParameterTuningJob",
    "processing": "ProcessingJob",
    "transform": "TransformJob",
}
_PHASES: dict[str, Phase] = {
    "InProgress": "in_progress",
    "Stopping": "in_progress",
    "Deleting": "in_progress",
    "Completed": "completed",
    "Failed": "failed",
    "DeleteFailed": "failed",
    "Stopped": "stopped",
}
# A tuning job has no log of its own: it is in those of its training jobs, named after it.
LOG_GROUPS: dict[JobKind, str] = {
    "training": "/aws/sagemaker/TrainingJobs",
    "tuning": "/aws/sagemaker/TrainingJobs",
    "processing": "/aws/sagemaker/ProcessingJobs",
    "transform": "/aws/sagemaker/TransformJobs",
}


class Job(Strict):
    """One job.

    `status` is the service's word, `secondary` that of a training job. `billable_seconds` are those of all
    instances together; of a tuning job those of its training jobs; 0 until it is over. `outputs` are S3
    addresses: of a training job `model`, of a processing job by the names of its outputs, of a transform
    job `output`. `best` is the training job that a tuning job prefers.
    """

    kind: JobKind
    name: str
    arn: str
    phase: Phase
    status: str
    secondary: str | None = None
    reason: str = ""
    billable_seconds: int = 0
    outputs: dict[str, str] = Field(default={})
    metrics: dict[str, float] = Field(default={})
    hyperparameters: dict[str, str] = Field(default={})
    best: str | None = None

    @property
    def is_ending(self) -> bool:
        """Whether it still runs, but was told to stop, or is being deleted."""
        return self.phase == "in_progress" and self.status != "InProgress"

    @property
    def log(self) -> str:
        """Where its log is, for a person: log group, and how its streams begin."""
        return f"CloudWatch Logs, group {LOG_GROUPS[self.kind]}, streams {streams_of(self.kind, self.name)}…"


def streams_of(kind: JobKind, name: str) -> str:
    """How the streams of a job's log begin; those of a tuning job are of its training jobs."""
    return f"{name}-" if kind == "tuning" else f"{name}/"


def job_view(kind: JobKind, described: Mapping[str, Any]) -> Job:
    """The view of a Describe answer of that kind."""
    prefix = PREFIXES[kind]
    status = str(described[f"{prefix}Status"])
    reasons = (described.get("FailureReason"), described.get("ExitMessage"))
    return Job(
        kind=kind,
        name=described[f"{prefix}Name"],
        arn=described[f"{prefix}Arn"],
        phase=_PHASES[status],
        status=status,
        secondary=described.get("SecondaryStatus"),
        reason=": ".join(str(reason).strip() for reason in reasons if reason),
        billable_seconds=_billable_seconds(kind, described),
        outputs=_outputs(kind, described),
        metrics={m["MetricName"]: float(m["Value"]) for m in described.get("FinalMetricDataList", [])},
        hyperparameters=dict(described.get("HyperParameters", {})),
        best=described.get("BestTrainingJob", {}).get("TrainingJobName"),
    )


def _billable_seconds(kind: JobKind, described: Mapping[str, Any]) -> int:
    if kind == "tuning":
        return int(described.get("ConsumedResources", {}).get("RuntimeInSeconds", 0))
    if kind == "training":
        # DescribeTrainingJob's reference: to be multiplied by the number of instances.
        instances = int(described["ResourceConfig"].get("InstanceCount", 1))
        return int(described.get("BillableTimeInSeconds", 0)) * instances
    prefix = "Processing" if kind == "processing" else "Transform"
    began, ended = described.get(f"{prefix}StartTime"), described.get(f"{prefix}EndTime")
    if not (isinstance(began, datetime) and isinstance(ended, datetime)):
        return 0
    resources = described[f"{prefix}Resources"]
    instances = int(resources.get("ClusterConfig", resources).get("InstanceCount", 1))
    return max(round((ended - began).total_seconds()), 0) * instances


def _outputs(kind: JobKind, described: Mapping[str, Any]) -> dict[str, str]:
    if kind == "training":
        model = described.get("ModelArtifacts", {}).get("S3ModelArtifacts")
        return {"model": model} if model else {}
    if kind == "transform":
        return {"output": described["TransformOutput"]["S3OutputPath"]}
    outputs = described.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return {each["OutputName"]: each["S3Output"]["S3Uri"] for each in outputs if "S3Output" in each}

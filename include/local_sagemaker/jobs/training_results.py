"""What a training job leaves: its artifacts in S3, and why it failed if it did."""

from collections.abc import Sequence
from pathlib import Path

from local_sagemaker.jobs.artifacts import upload_directories
from local_sagemaker.jobs.container import Container
from local_sagemaker.jobs.script_mode import failure_of
from local_sagemaker.jobs.training_plan import TrainingPlan
from local_sagemaker.s3.objects import S3Objects

_FAILURE_CHARACTERS = 1024  # of /opt/ml/output/failure (the guide, How SageMaker Processes Training Output)
_LOG_TAIL = 16_384


def failure_reason(container: Container, script: Sequence[str] | None, status: int) -> str:
    """Why a program failed, in the service's words: what it wrote to the failure file, or for a script's
    command what the training toolkit would have written there."""
    written = container.ml / "output" / "failure"
    reason = ""
    if written.is_file():
        reason = written.read_text("utf-8", "replace")[:_FAILURE_CHARACTERS]
    elif script:
        reason = failure_of(script, status, _tail(container.log_path))
    return f"AlgorithmError: {reason}, exit code: {status}"


async def upload_results(
    s3: S3Objects, plan: TrainingPlan, containers: Sequence[Container], scratch: Path, *, with_model: bool
) -> None:
    """Upload the model (not that of a job that failed), and what else was put out; raises JobFailed."""
    parts = [("model", "model")] if with_model else []
    for directory, name in [*parts, ("output/data", "output")]:
        found = [container.ml / directory for container in containers]
        if plan.compressed:
            archive = scratch / f"{name}.tar.gz"
            await upload_directories(s3, found, f"{plan.output}/{archive.name}", archive)
        else:
            await upload_directories(s3, found, f"{plan.output}/{Path(directory).name}/", None)


def _tail(path: Path) -> str:
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _LOG_TAIL))
        return file.read().decode("utf-8", "replace")

"""Train: one training job per content, adopted by whoever asks for the same again."""

from typing import Any

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerTrainingOperator
from airflow.sdk import Context

from endpoint_deploy.core.jobs import Job
from endpoint_deploy.operators.training_task import TrainingTask


class TrainOperator(TrainingTask, SageMakerTrainingOperator):
    """The provider's training operator, deferrable by our own trigger, idempotent and silent about values.

    The provider gives a job whose name is taken another name and pays twice, takes a stopped one for good,
    and writes its environment to log and XCom.
    """

    template_fields = TrainingTask.template_fields

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(config={}, **kwargs)

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any] | None:
        """Train on what `select_data` has selected. Returns a TrainedModel."""
        return self.train(context, self.hook.sagemaker.create_training_job, carried.get("job"))

    def best_of(self, job: Job) -> Job:
        """The training job itself."""
        # What the provider's `get_openlineage_facets_on_complete` reads.
        self.serialized_training_data = {
            "InputDataConfig": [],
            "ModelArtifacts": {"S3ModelArtifacts": job.outputs.get("model", "")},
        }
        return job

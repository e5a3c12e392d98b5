"""Tune: a hyperparameter tuning job, whose best training job's model is the candidate."""

from typing import Any

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerTuningOperator
from airflow.sdk import Context

from endpoint_deploy.aws.jobs import find_job
from endpoint_deploy.core.jobs import Job
from endpoint_deploy.errors import ReleaseFailed
from endpoint_deploy.operators.training_task import TrainingTask


class TuneOperator(TrainingTask, SageMakerTuningOperator):
    """The provider's tuning operator, deferrable by our own trigger and idempotent."""

    template_fields = TrainingTask.template_fields

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(config={}, **kwargs)

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any] | None:
        """Search on what `select_data` has selected. Returns a TrainedModel: the best one."""
        create = self.hook.sagemaker.create_hyper_parameter_tuning_job
        return self.train(context, create, carried.get("job"))

    def best_of(self, job: Job) -> Job:
        """The training job that did best."""
        best = find_job(self.hook.sagemaker, "training", job.best) if job.best else None
        if best is None:
            raise ReleaseFailed(
                f"tuning job {job.name} completed without a best training job: none of them reported "
                f"the objective; see whether its regular expression fits the log ({job.log})"
            )
        return best

"""What training and tuning share: from a training set to a trained model."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from airflow.sdk import Context

from endpoint_deploy.artifacts.s3 import is_there
from endpoint_deploy.artifacts.source_code import pack, source_digest
from endpoint_deploy.aws.code import code_uri, upload
from endpoint_deploy.aws.images import resolve_image
from endpoint_deploy.aws.registry import ModelRegistry
from endpoint_deploy.core.jobs import Job
from endpoint_deploy.core.retrain import TrainedModel
from endpoint_deploy.core.training_requests import (
    TrainingInputs,
    code_digest,
    own_hyperparameters,
    training_request,
)
from endpoint_deploy.errors import ReleaseFailed
from endpoint_deploy.job_task import JobTask
from endpoint_deploy.operators.select_data import retrain_of, training_set_of

_WAIT_FOR_INSTANCES = 6 * 3600  # seconds: beyond a job's own limit, which begins when it has its instances


class TrainingTask(JobTask):
    """A task that trains a model, or takes over the one of the package that the form names."""

    @abstractmethod
    def best_of(self, job: Job) -> Job:
        """The training job whose model is taken."""

    def train(
        self, context: Context, create: Callable[..., Any], awaited: str | None
    ) -> dict[str, Any] | None:
        """Run the job; `create` is the service's call. Skips where there is nothing to train on."""
        if package := context["params"].get("model_package"):
            return self._packaged(package).model_dump(mode="json")
        spec, training = self.spec, retrain_of(self).training
        folder = self.deployment.file(training.code)
        code = code_uri(spec.aws.store, source_digest(folder))
        request = training_request(
            spec,
            TrainingInputs(
                data=training_set_of(context),
                image=resolve_image(
                    training.image or spec.model.image,
                    region=spec.aws.region,
                    instance_type=training.instance_type,
                    scope="training",
                ),
                code=code,
                hyperparameters=context["params"].get("hyperparameters") or {},
            ),
        )

        def begin(name: str) -> None:
            upload(self.hook.s3, code, pack(folder))
            create(**request.named(name), Tags=self.job_tags(context))

        job = self.run_job(
            context,
            request.kind,
            request.base,
            begin,
            timeout_seconds=(request.limit_seconds + _WAIT_FOR_INSTANCES) * request.rounds,
            awaited=awaited,
        )
        return self._trained(job, self.best_of(job)).model_dump(mode="json")

    def still_there(self, job: Job) -> bool:
        """Housekeeping deletes the models of old jobs, and no job can be deleted."""
        artifact = self.best_of(job).outputs.get("model")
        return artifact is None or is_there(self.hook.s3, artifact)

    def _trained(self, job: Job, best: Job) -> TrainedModel:
        artifact = best.outputs.get("model")
        if artifact is None:
            raise ReleaseFailed(f"training job {best.name} completed and left no model (log: {best.log})")
        trained = TrainedModel(
            artifact=artifact,
            image=self._inference_image(),
            job=job.name,
            kind="tuning" if job.kind == "tuning" else "training",
            hyperparameters=own_hyperparameters(best.hyperparameters),
            metrics=best.metrics,
            billable_seconds=job.billable_seconds,
            code_sha256=code_digest(best.hyperparameters),
        )
        self.log.info("%s trained %s: %s", best.name, artifact, trained.metrics)
        return trained

    def _packaged(self, arn: str) -> TrainedModel:
        group = self.spec.registry.group if self.spec.registry else ""
        package = ModelRegistry(self.hook.sagemaker, group).describe(arn)
        return TrainedModel(
            artifact=package.artifact, image=package.image, kind="package", model_package=package.arn
        )

    def _inference_image(self) -> str:
        spec = self.spec
        return resolve_image(
            spec.model.image,
            region=spec.aws.region,
            instance_type=spec.endpoint.variants[0].instance_type,
        )

"""Validate and pin a newly trained model, or that of the given package, as a release would."""

from airflow.sdk import Context

from endpoint_deploy.airflow_versions import AirflowSkipException
from endpoint_deploy.core.candidate import ReleaseRequest
from endpoint_deploy.core.retrain import TrainedModel
from endpoint_deploy.operators.validate_artifact import ValidateArtifactOperator
from endpoint_deploy.run_context import pull


class ValidateCandidateOperator(ValidateArtifactOperator):
    """The deploy DAG's validation, of what `train` has made. Skips where it has made nothing."""

    def request_of(self, context: Context) -> ReleaseRequest:
        """The trained model and the image that serves it."""
        found = pull(context, "train")
        if found is None:
            raise AirflowSkipException("there is no candidate: nothing was trained")
        trained = TrainedModel.model_validate(found)
        return ReleaseRequest(artifact=trained.artifact, image=trained.image)

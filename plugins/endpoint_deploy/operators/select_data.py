"""Choose the objects that a model is trained on, and keep their list where SageMaker reads it."""

from typing import Any

from airflow.sdk import Context

from endpoint_deploy.airflow_versions import AirflowSkipException
from endpoint_deploy.artifacts.source_code import source_digest
from endpoint_deploy.aws.data_files import files_below
from endpoint_deploy.aws.store import JsonStore
from endpoint_deploy.core.retrain import NOTHING_NEW, TrainingSet
from endpoint_deploy.core.retrain_spec import RetrainSpec
from endpoint_deploy.core.training_set import (
    SUFFIXES,
    data_files,
    last,
    manifest,
    set_digest,
    training_identity,
)
from endpoint_deploy.errors import Refused, SpecError
from endpoint_deploy.run_context import pull
from endpoint_deploy.task_base import ReleaseTask


class SelectDataOperator(ReleaseTask):
    """List retrain.data.source, take the window, write SageMaker's manifest under the set's digest.

    Skips where the form names a model package, and where the same data, code and hyperparameters have made
    the last registered package already, unless the form says `force`; XCom `nothing_new` then says so.
    Returns a TrainingSet.
    """

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Choose; raises Refused where there are no data, or more than the gate may read."""
        retrain = retrain_of(self)
        form = context["params"]
        if package := form.get("model_package"):
            raise AirflowSkipException(f"{package} is given: nothing is trained")
        chosen = self._choose(retrain, form.get("window"))
        training = retrain.training
        image = training.image or self.spec.model.image
        chosen = chosen.model_copy(
            update={
                "identity": training_identity(
                    chosen.digest,
                    source_digest(self.deployment.file(training.code)),
                    retrain,
                    image if isinstance(image, str) else image.model_dump(mode="json"),
                    form.get("hyperparameters") or {},
                )
            }
        )
        if not form.get("force"):
            self._skip_where_known(context, chosen)
        self.log.info(
            "%d files, %d bytes: training set %s", len(chosen.files), chosen.size, chosen.digest[:12]
        )
        return chosen.model_dump(mode="json")

    def _choose(self, retrain: RetrainSpec, window: int | None) -> TrainingSet:
        data = retrain.data
        bucket, _, below = data.source.removeprefix("s3://").partition("/")
        found = data_files(files_below(self.hook.s3, data.source), below=below, format_=data.format)
        if not found:
            raise Refused(
                f"{data.source}: found no files of retrain.data.format {data.format}; expected at least one "
                f"that ends in {' or '.join(SUFFIXES[data.format])}"
            )
        files = last(found, window or data.window, below=below)
        if (size := sum(file.size for file in files)) > data.max_bytes:
            raise Refused(
                f"{data.source}: {len(files)} files of {size} bytes; expected at most "
                f"retrain.data.max_bytes, {data.max_bytes}: ask for a smaller window, or raise the limit "
                "where a worker's memory allows"
            )
        digest = set_digest(bucket, files)
        store = JsonStore(self.hook.s3, self.spec.aws.store)
        key = f"training-sets/{self.spec.endpoint_name}/{digest}/manifest.json"
        store.create(key, manifest(bucket, files))  # where it is, it is the same: the key is its content's
        return TrainingSet(digest=digest, bucket=bucket, manifest=store.uri(key), files=files)

    def _skip_where_known(self, context: Context, chosen: TrainingSet) -> None:
        known = self.kit.retrains.last_registered()
        if known is None or known.identity != chosen.identity or known.package is None:
            return
        reason = (
            f"{known.package.arn} was trained on the same {len(chosen.files)} files with the same code and "
            "hyperparameters"
        )
        context["ti"].xcom_push(key=NOTHING_NEW, value=reason)
        raise AirflowSkipException(f"nothing new: {reason}; the form's `force` trains again")


def retrain_of(task: ReleaseTask) -> RetrainSpec:
    """The spec's section `retrain`, without which there is no such task."""
    if task.spec.retrain is None:
        raise SpecError(
            f"{task.deployment.source}: found no section retrain, expected one for {task.task_id}"
        )
    return task.spec.retrain


def training_set_of(context: Context) -> TrainingSet:
    """The run's training set; skips where there is none: nothing new, or a model package was given."""
    found = pull(context, "select_data")
    if found is None:
        raise AirflowSkipException(
            pull(context, "select_data", NOTHING_NEW) or "no training set was selected"
        )
    return TrainingSet.model_validate(found)

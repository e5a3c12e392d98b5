"""The first task of a batch run: which files, by which release's model?"""

from typing import Any

from airflow.sdk import Context
from pydantic import ValidationError

from endpoint_deploy.aws.batch_files import relative_files
from endpoint_deploy.aws.deliveries import DeliveryMarker
from endpoint_deploy.core.batch import BatchRequest, InputFile, delivery_folder, input_version, slashed
from endpoint_deploy.core.batch_request import choose_variant
from endpoint_deploy.core.batch_spec import BatchTransformSpec
from endpoint_deploy.core.release import Release
from endpoint_deploy.errors import NotAsPlanned, ReleaseFailed, SpecError
from endpoint_deploy.operators.batch_task import BatchTask


class ResolveBatchOperator(BatchTask):
    """List the input, find the release's model, and see what has been delivered of it before.

    Returns a BatchRequest, in which files that were delivered before are left out.
    """

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Resolve; raises where there is no file, no such release, or its model is gone."""
        params = context["params"]
        batch = self._asked(params.get("input"))
        release = self._release(params.get("release"))
        variant, model = self._model(release)
        prefix = slashed(batch.input)
        files = tuple(relative_files(self.hook.s3, prefix))
        if not files:
            raise ReleaseFailed(f"{prefix}: found no file, expected at least one to be predicted")
        version = input_version(prefix, files)
        folder = delivery_folder(batch, version, model)
        forced = self.created_by(context) if params.get("force") else None
        left = files if forced else self._undelivered(files, folder)
        self.log.info(
            "%d of %d files of input version %s are to be predicted by %s (release %d, variant %s)",
            len(left), len(files), version, model, release.sequence, variant,
        )  # fmt: skip
        return BatchRequest(
            prefix=prefix,
            input_version=version,
            files=left,
            known=len(files),
            model=model,
            variant=variant,
            release=release.sequence,
            folder=folder,
            forced=forced,
        ).model_dump(mode="json")

    def _asked(self, prefix: str | None) -> BatchTransformSpec:
        """The section, with the form's prefix under the same rules as the spec's."""
        if prefix is None:
            return self.batch
        try:
            return BatchTransformSpec.model_validate({**self.batch.model_dump(), "input": prefix})
        except ValidationError as error:
            said = "; ".join(str(each["msg"]).removeprefix("Value error, ") for each in error.errors())
            raise SpecError(f"the form's input {prefix}: {said}") from None

    def _release(self, number: int | None) -> Release:
        ledger = self.kit.ledger
        release = ledger.get(number) if number else ledger.last_good()
        if release is None:
            what = f"no release {number}" if number else "no live release"
            raise NotAsPlanned(
                f"the ledger of {self.spec.endpoint_name} has {what}, expected one to predict; release a "
                "model, or name a release in the form"
            )
        if not release.restorable:
            raise NotAsPlanned(
                f"release {release.sequence} ended {release.outcome}, expected one that ended released: "
                "only a proved model predicts"
            )
        return release

    def _model(self, release: Release) -> tuple[str, str]:
        """Declared name and model of the variant that predicts."""
        said = f"release {release.sequence} of {self.spec.endpoint_name}"
        config = self.hook.find_config(release.config_after or "")
        if config is None:
            raise NotAsPlanned(
                f"{said}: its endpoint configuration {release.config_after} is gone, expected it to name the "
                "model; name another release in the form, or release anew"
            )
        variant, model = choose_variant(config, self.batch.variant)
        if self.hook.find_model(model) is None:
            raise NotAsPlanned(
                f"{said}: the model {model} of its variant {variant} is gone, expected it to predict; name "
                "another release in the form, or release anew"
            )
        return variant, model

    def _undelivered(self, files: tuple[InputFile, ...], folder: str) -> tuple[InputFile, ...]:
        found = DeliveryMarker(self.hook.s3, folder).read()
        if found is None or found[0].accept != self.batch.accept:
            return files
        delivered = {file.key for file in found[0].files}
        return tuple(file for file in files if file.key not in delivered)

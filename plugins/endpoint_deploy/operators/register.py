"""Register the model that passed its gates, once, and announce it where it is approved."""

from typing import Any

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerRegisterModelVersionOperator
from airflow.sdk import Context

from endpoint_deploy.airflow_versions import AirflowSkipException
from endpoint_deploy.assets import announced_package, maybe, package_asset
from endpoint_deploy.aws.claims import Claims
from endpoint_deploy.aws.registry import ModelRegistry
from endpoint_deploy.aws.store import JsonStore
from endpoint_deploy.core import requests
from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.delivery_spec import RegistrySpec
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.package import (
    Approval,
    Lineage,
    Package,
    check_group,
    key_of,
    metadata_of,
    package_body,
    statistics_of,
)
from endpoint_deploy.core.retrain import (
    Evaluation,
    GatedMetrics,
    RegisteredPackage,
    TrainedModel,
    TrainingSet,
)
from endpoint_deploy.errors import SpecError
from endpoint_deploy.operators.pinned import check_there
from endpoint_deploy.run_context import holder_of, pull
from endpoint_deploy.task_base import ReleaseTask

_ENOUGH = 200  # events of the asset that are looked through for one of this package


class RegisterOperator(ReleaseTask, SageMakerRegisterModelVersionOperator):
    """The provider's register operator, made idempotent, with metrics and lineage, and with its asset.

    The provider creates another version on every try, and deletes the group where that fails. Here one
    candidate and one evaluation of it have one package, whoever died after which call. A package is born
    pending; with automatic approval it is then claimed, approved, and published as `package_asset`, so that
    who watches the registry never finds an approval that nobody announces, nor announces it twice.
    Returns a RegisteredPackage.
    """

    template_fields = ReleaseTask.template_fields

    def __init__(self, *, deployment: Deployment, **kwargs: Any) -> None:
        asset = package_asset(deployment.spec)
        super().__init__(
            deployment=deployment,
            image_uri="",
            model_url="",
            package_group_name="",
            inlets=[asset],
            outlets=[maybe(asset)],
            **kwargs,
        )

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Register, or take the given package; approve and publish where the spec says `automatic`."""
        asked = self.spec.registry
        if asked is None:
            raise SpecError(f"{self.deployment.source}: found no section registry, expected one for register")
        lineage = self._lineage(context)
        registry = ModelRegistry(self.hook.sagemaker, asked.group)
        given = lineage.trained.model_package
        package = registry.describe(given) if given else self._registered(registry, asked, lineage)
        check_group(package, asked.group)
        if given:
            package = registry.update(package.arn, metadata_of(self.spec, lineage))
        if asked.approval == "automatic":
            package = self._approved(registry, package, lineage)
        if package.status == "Approved":
            self._publish(context, package.arn, by_this_run=bool(given))
        self.log.info("%s is %s", package.arn, package.status)
        return RegisteredPackage(
            arn=package.arn, group=package.group, version=package.version, status=package.status
        ).model_dump()

    def _lineage(self, context: Context) -> Lineage:
        gated = pull(context, "gate_metrics")
        if gated is None:
            raise AirflowSkipException("there is nothing to register: no candidate has passed its gates")
        candidate = Candidate.model_validate(pull(context, "validate_candidate")["candidate"])
        check_there(self, candidate, pinned_by="validate_candidate")
        data, run = pull(context, "select_data"), holder_of(context)
        return Lineage(
            candidate=candidate,
            trained=TrainedModel.model_validate(pull(context, "train")),
            training_set=TrainingSet.model_validate(data) if data else None,
            evaluation=Evaluation.model_validate(pull(context, "evaluate")),
            gated=GatedMetrics.model_validate(gated),
            dag_id=run.dag_id,
            run_id=run.run_id,
        )

    def _registered(self, registry: ModelRegistry, asked: RegistrySpec, lineage: Lineage) -> Package:
        """The candidate's package: that of an earlier try or run, else a new one."""
        registry.ensure_group(f"Models of {self.spec.name}", requests.base_tags(self.spec))
        key = key_of(self.spec, lineage)
        store = JsonStore(self.hook.s3, self.spec.aws.store)
        statistics = f"evaluations/{self.spec.endpoint_name}/{key}/statistics.json"
        # Where it is, it says the same: the key is that of its content.
        store.create(statistics, statistics_of(lineage))
        body = package_body(self.spec, asked.group, lineage, statistics=store.uri(statistics))
        # A ClientToken is kept for a while only; the package itself says for ever what it was made for.
        return registry.registered(key, body["ModelPackageDescription"]) or registry.create(body)

    def _approved(self, registry: ModelRegistry, package: Package, lineage: Lineage) -> Package:
        claims = Claims(self.hook.s3, self.spec.aws.store, self.spec.endpoint_name)
        if package.status == "Rejected" and not lineage.trained.model_package:
            return package  # by a person, since an earlier run registered it
        if package.status != "Approved":
            claims.claim(Approval(model_package=package.arn, given=None))
            package = registry.update(
                package.arn, {}, approved=f"passed the gates of {lineage.dag_id}, run {lineage.run_id}"
            )
        claims.claim(package.approval)
        return package

    def _publish(self, context: Context, arn: str, *, by_this_run: bool) -> None:
        """Publish once: cleared after its success, or run again on the same candidate, it finds the event."""
        asset, run = package_asset(self.spec), holder_of(context)
        for event in context["inlet_events"][asset].ascending(False).limit(_ENOUGH):
            ours = (event.source_dag_id, event.source_run_id) == (run.dag_id, run.run_id)
            if announced_package([event]) == arn and (ours or not by_this_run):
                self.log.info("%s has been published already", arn)
                return
        context["outlet_events"][maybe(asset)].add(asset, extra={"model_package": arn})

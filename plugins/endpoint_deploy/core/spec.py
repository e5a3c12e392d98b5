"""A deployment: what one YAML file says. Frozen, closed to unknown keys, checked to the service's limits."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from endpoint_deploy.core import fields as f
from endpoint_deploy.core.analysis_spec import AnalysisSpec, check_surroundings
from endpoint_deploy.core.batch_spec import BatchTransformSpec
from endpoint_deploy.core.change_spec import ChangesSpec
from endpoint_deploy.core.delivery_spec import ApprovalSpec, PromotionSpec, RegistrySpec, RetentionSpec
from endpoint_deploy.core.endpoint_spec import MAX_VARIANTS, EndpointSpec
from endpoint_deploy.core.guardrail_fit import check_guardrails
from endpoint_deploy.core.model_spec import ModelSpec, SmokeTest
from endpoint_deploy.core.notification_spec import Notification
from endpoint_deploy.core.problems import Unfit
from endpoint_deploy.core.release_spec import SIDE_BY_SIDE, ReleaseSpec, StagedRelease
from endpoint_deploy.core.retrain_spec import RetrainSpec
from endpoint_deploy.core.sentinel_spec import SentinelSpec
from endpoint_deploy.core.shadow_fit import check_shadow
from endpoint_deploy.core.strict import Strict


class AwsSpec(Strict):
    """Where the endpoint lives and who it runs as."""

    conn_id: f.ConnectionId = Field("aws_default", description="Airflow connection of type `aws`.")
    region: f.Region = Field(description="Region of endpoint, artifact bucket and store.")
    role_arn: f.RoleArn = Field(description="Execution role that SageMaker assumes to run the model.")
    store: f.S3Prefix = Field(
        description="S3 prefix for pinned artifacts, the ledger, locks and Data Docs, in the same region."
    )


class RollbackSpec(Strict):
    """What happens when a release fails."""

    enabled: bool = Field(True, description="Bring the old release back; otherwise leave it for a person.")
    timeout_seconds: Annotated[int, Field(ge=10, le=86_400)] = 3600


class RunSpec(Strict):
    """How Airflow runs the tasks."""

    retries: Annotated[int, Field(ge=0, le=20)] = 3
    retry_delay_seconds: Annotated[float, Field(ge=0, le=3600)] = 5
    pool: Annotated[str, Field(min_length=1, max_length=256)] | None = None


class DeploymentSpec(Strict):
    """One endpoint in one environment, and how releases get there."""

    name: f.DeploymentName
    environment: f.Environment
    description: Annotated[str, Field(max_length=500)] = ""
    owner: Annotated[str, Field(max_length=100)] = "airflow"
    aws: AwsSpec
    model: ModelSpec
    endpoint: EndpointSpec
    release: ReleaseSpec = StagedRelease()
    analysis: AnalysisSpec | None = None
    smoke_tests: Annotated[
        tuple[SmokeTest, ...],
        Field(min_length=1, max_length=50),
        f.unique("smoke test", "name"),
    ]
    alarms: Annotated[tuple[f.AlarmName, ...], Field(max_length=10), f.unique("alarm")] = ()
    rollback: RollbackSpec = RollbackSpec()
    schedule: f.Cron | None = Field(
        None,
        description="When to release what `model.artifact` holds, or with `registry` the newest approved "
        "package, or with `promotion` what the other environment has released.",
    )
    registry: RegistrySpec | None = None
    approval: ApprovalSpec | None = None
    promotion: PromotionSpec | None = None
    changes: ChangesSpec = ChangesSpec()
    retrain: RetrainSpec | None = None
    batch_transform: BatchTransformSpec | None = None
    retention: RetentionSpec | None = None
    prices: f.Prices = Field(
        {},
        description="What an hour of an instance type costs, in any currency: the plan then says money.",
    )
    sentinel: SentinelSpec | None = None
    notifications: Annotated[tuple[Notification, ...], Field(max_length=10)] = ()
    run: RunSpec = RunSpec()
    tags: f.Tags = Field({})

    @model_validator(mode="after")
    def _strategy_fits_endpoint(self) -> Self:
        if isinstance(self.release, SIDE_BY_SIDE):
            if self.endpoint.is_serverless:
                index = next(i for i, variant in enumerate(self.endpoint.variants) if variant.serverless)
                raise Unfit(
                    at=("endpoint", "variants", index, "serverless"),
                    found=f"a serverless variant with release.strategy {self.release.strategy}",
                    expected="release.strategy direct, as a serverless variant cannot be doubled",
                )
            if len(self.endpoint.variants) * 2 > MAX_VARIANTS:
                raise Unfit(
                    at=("endpoint", "variants"),
                    found=f"{len(self.endpoint.variants)} variants to be staged",
                    expected=f"at most {MAX_VARIANTS // 2}, or strategy direct: champion and candidate "
                    f"stand side by side, and an endpoint takes {MAX_VARIANTS}",
                )
        return self

    @model_validator(mode="after")
    def _analysis_has_a_champion(self) -> Self:
        if self.analysis:
            check_surroundings(self.analysis, self.release.strategy, self.endpoint.data_capture)
        return self

    @model_validator(mode="after")
    def _guardrails_fit_endpoint(self) -> Self:
        if self.release.strategy == "shadow":
            check_shadow(self.release, self.endpoint, named_alarms=len(self.alarms))
        if self.release.strategy == "direct":
            check_guardrails(self.release, self.endpoint, named_alarms=len(self.alarms))
        return self

    @model_validator(mode="after")
    def _environments_fit_together(self) -> Self:
        for index, variant in enumerate(self.endpoint.variants):
            together = {**self.model.environment, **variant.environment}
            f.within_total(together, at=("endpoint", "variants", index, "environment"))
        return self

    @model_validator(mode="after")
    def _something_to_release(self) -> Self:
        if self.model.artifact is None and self.registry is None and self.promotion is None:
            raise Unfit(
                at=("model",),
                found="no artifact, and neither registry nor promotion",
                expected="artifact, an S3 URI of a model.tar.gz, or a section that says what is released",
            )
        if self.promotion and self.promotion.from_environment == self.environment:
            raise Unfit(
                at=("promotion", "from_environment"),
                found=repr(self.environment),
                expected="another environment of this deployment than its own",
            )
        if self.promotion and self.registry:
            raise Unfit(
                at=("registry",),
                found="registry beside promotion",
                expected="one of the two: what is promoted comes from the other environment's ledger",
            )
        return self

    @model_validator(mode="after")
    def _retraining_fits(self) -> Self:
        if self.retrain is None:
            return self
        if self.promotion:
            raise Unfit(
                at=("retrain",),
                found="retrain beside promotion",
                expected="one of the two: what is promoted was trained for the other environment",
            )
        if self.registry is None:
            raise Unfit(
                at=("retrain",),
                found="retrain without registry",
                expected="registry.group: where a model that passed its gates is registered",
            )
        if self.retrain.evaluation.script is None and not self.model.needs_inference_code:
            raise Unfit(
                at=("retrain", "evaluation"),
                found="no script, and a model without code/inference.py to evaluate it by",
                expected="evaluation.script, or model.script_mode true",
            )
        if self.retrain.feedback and self.endpoint.data_capture is None:
            raise Unfit(
                at=("retrain", "feedback"),
                found="feedback without endpoint.data_capture",
                expected="data_capture, whose requests the ground truth is joined with",
            )
        capture = self.endpoint.data_capture
        if self.retrain.feedback and capture and not {"Input", "InputAndOutput"} & set(capture.capture):
            raise Unfit(
                at=("endpoint", "data_capture", "capture"),
                found="only answers, with retrain.feedback",
                expected="Input, too: the ground truth is joined with what was asked",
            )
        return self

    @model_validator(mode="after")
    def _batch_has_a_model(self) -> Self:
        wanted = self.batch_transform.variant if self.batch_transform else None
        names = [variant.name for variant in self.endpoint.variants]
        if wanted is not None and wanted not in names:
            raise Unfit(
                at=("batch_transform", "variant"),
                found=repr(wanted),
                expected=f"one of the endpoint's variants: {', '.join(names)}",
            )
        return self

    @property
    def endpoint_name(self) -> str:
        """The endpoint's name in SageMaker."""
        return self.endpoint.name or f"{self.name}-{self.environment}"

    @property
    def key(self) -> str:
        """`<name>__<environment>`, as it stands in DAG ids."""
        return f"{self.name}__{self.environment}"

    @property
    def promoted_key(self) -> str | None:
        """Key of the deployment whose releases this one takes over."""
        return f"{self.name}__{self.promotion.from_environment}" if self.promotion else None

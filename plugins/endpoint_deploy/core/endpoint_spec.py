"""The endpoint's section of a spec: production variants, data capture, waiting."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from endpoint_deploy.core import fields as f
from endpoint_deploy.core import naming
from endpoint_deploy.core.autoscaling_spec import AutoscalingSpec
from endpoint_deploy.core.problems import Unfit
from endpoint_deploy.core.strict import Strict

MAX_VARIANTS = 10  # ProductionVariantList in the service's API model
_SERVERLESS_STEP_MB = 1024


class ServerlessSpec(Strict):
    """Serverless inference: no instances, billed by use."""

    memory_mb: Annotated[int, Field(ge=1024, le=6144, multiple_of=_SERVERLESS_STEP_MB)]
    max_concurrency: Annotated[int, Field(ge=1, le=200)]
    provisioned_concurrency: Annotated[int, Field(ge=1, le=200)] | None = None

    @model_validator(mode="after")
    def _provisioned_within_max(self) -> Self:
        if self.provisioned_concurrency and self.provisioned_concurrency > self.max_concurrency:
            raise Unfit(
                at=("provisioned_concurrency",),
                found=str(self.provisioned_concurrency),
                expected=f"at most max_concurrency, which is {self.max_concurrency}",
            )
        return self


class VariantSpec(Strict):
    """One production variant: instances, or serverless, and its share of the traffic."""

    name: f.VariantName = "primary"
    instance_type: f.InstanceType | None = None
    count: Annotated[int, Field(ge=1, le=1000)] | None = Field(None, description="Instances; 1 by default.")
    weight: Annotated[float, Field(ge=0, le=1_000_000)] = Field(
        1.0, description="Share of the traffic: weight over the sum of all weights."
    )
    serverless: ServerlessSpec | None = None
    environment: f.EnvironmentVariables = Field({}, description="Added to, and winning over, the model's.")
    volume_gb: Annotated[int, Field(ge=1, le=512)] | None = None
    download_timeout_seconds: Annotated[int, Field(ge=60, le=3600)] | None = None
    startup_timeout_seconds: Annotated[int, Field(ge=60, le=3600)] | None = None
    autoscaling: AutoscalingSpec | None = Field(
        None, description="Registered by a release; without it, what somebody registered is kept."
    )

    @model_validator(mode="after")
    def _no_digest(self) -> Self:
        if naming.declared_name(self.name) != self.name:
            raise Unfit(
                at=("name",),
                found=repr(self.name),
                expected="a name that does not end as released ones do, in - and eight hex digits",
            )
        return self

    @model_validator(mode="after")
    def _instances_or_serverless(self) -> Self:
        if (self.instance_type is None) == (self.serverless is None):
            raise Unfit(
                found="both instance_type and serverless"
                if self.serverless
                else "neither instance_type nor serverless",
                expected="exactly one of the two",
            )
        if self.serverless:
            given = [k for k in ("count", "volume_gb", "download_timeout_seconds", "startup_timeout_seconds",
                                 "autoscaling")
                     if getattr(self, k) is not None]  # fmt: skip
            if given:
                raise Unfit(
                    at=(given[0],),
                    found=f"{', '.join(given)} beside serverless",
                    expected="none of these, as a serverless variant has no instances",
                )
        return self

    @model_validator(mode="after")
    def _count_within_autoscaling(self) -> Self:
        bounds = self.autoscaling
        if bounds and self.count is not None and not bounds.min <= self.count <= bounds.max:
            raise Unfit(
                at=("count",),
                found=str(self.count),
                expected=f"within autoscaling's min {bounds.min} and max {bounds.max}",
            )
        return self

    @property
    def instances(self) -> int | None:
        """Planned instance count; None for serverless."""
        return None if self.serverless else (self.count or 1)


class DataCaptureSpec(Strict):
    """Requests and answers kept in S3 by the service."""

    destination: f.S3Prefix
    sampling_percent: Annotated[int, Field(ge=0, le=100)] = 100
    capture: Annotated[
        tuple[Literal["Input", "Output", "InputAndOutput"], ...],
        Field(min_length=1, max_length=3),
        f.unique("capture mode"),
    ] = ("Input", "Output")
    kms_key_id: f.KmsKey | None = None


class WaitSpec(Strict):
    """How an endpoint's change is waited for; nothing is held while waiting."""

    poll_seconds: Annotated[float, Field(gt=0, le=600)] = 30
    timeout_seconds: Annotated[int, Field(ge=10, le=86_400)] = 3600


class EndpointSpec(Strict):
    """The endpoint and what serves behind it."""

    name: f.EndpointName | None = Field(None, description="`<name>-<environment>` by default.")
    variants: Annotated[
        tuple[VariantSpec, ...],
        Field(min_length=1, max_length=MAX_VARIANTS),
        f.unique("variant", "name"),
    ]
    data_capture: DataCaptureSpec | None = None
    kms_key_id: f.KmsKey | None = None
    wait: WaitSpec = WaitSpec()

    @model_validator(mode="after")
    def _some_traffic(self) -> Self:
        if sum(v.weight for v in self.variants) <= 0:
            raise Unfit(
                at=("variants",),
                found="weight 0 for every variant",
                expected="at least one weight above 0, or no request would be served",
            )
        return self

    @model_validator(mode="after")
    def _within_serverless(self) -> Self:
        # "Feature exclusions" in the guide to serverless endpoints.
        if self.is_serverless and len(self.variants) > 1:
            raise Unfit(
                at=("variants",),
                found=f"{len(self.variants)} variants, a serverless one among them",
                expected="one variant, as a serverless endpoint has no more",
            )
        if self.is_serverless and self.data_capture:
            raise Unfit(
                at=("data_capture",),
                found="data_capture with a serverless variant",
                expected="none, as a serverless endpoint captures nothing",
            )
        return self

    @property
    def is_serverless(self) -> bool:
        """Whether any variant is serverless."""
        return any(v.serverless for v in self.variants)

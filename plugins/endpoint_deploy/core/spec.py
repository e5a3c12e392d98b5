"""A deployment: what one YAML file says. Frozen, closed to unknown keys, checked to the service's limits."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from endpoint_deploy.core import fields as f
from endpoint_deploy.core import naming
from endpoint_deploy.core.problems import Unfit

MAX_VARIANTS = 10  # ProductionVariantList in the service's API model
_SERVERLESS_STEP_MB = 1024


class Strict(BaseModel):
    """Frozen, and a key nobody knows is an error rather than a silent default."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AwsSpec(Strict):
    """Where the endpoint lives and who it runs as."""

    conn_id: f.ConnectionId = Field("aws_default", description="Airflow connection of type `aws`.")
    region: f.Region = Field(description="Region of endpoint, artifact bucket and store.")
    role_arn: f.RoleArn = Field(description="Execution role that SageMaker assumes to run the model.")
    store: f.S3Prefix = Field(
        description="S3 prefix for pinned artifacts, the ledger, locks and Data Docs, in the same region."
    )


class FrameworkImage(Strict):
    """One of AWS's own containers, looked up by sagemaker-core's `image_uris`."""

    framework: Literal["sklearn", "xgboost", "pytorch", "tensorflow", "mxnet", "huggingface"]
    version: f.FrameworkVersion
    py_version: f.PythonVersion | None = None
    base_framework_version: f.FrameworkVersion | None = Field(
        None, description="What huggingface's images stand on, as image_uris names it, e.g. pytorch2.1.0."
    )
    instance_type: f.InstanceType | None = Field(
        None, description="Decides between CPU and GPU images; the first variant's by default."
    )


def _image_kind(value: object) -> str | None:
    if isinstance(value, str):
        return "[uri]"
    return "[framework]" if isinstance(value, dict | FrameworkImage) else None


# Told apart by what was written, so that a mistake in one form is not explained in terms of the other.
# The tags stand in pydantic's error locations: in brackets, no key of the spec can be mistaken for one.
Image = Annotated[
    Annotated[f.ImageUri, Tag("[uri]")] | Annotated[FrameworkImage, Tag("[framework]")],
    Discriminator(_image_kind),
]


class ModelSpec(Strict):
    """The model that is released unless a run names another artifact."""

    artifact: f.ArtifactUri = Field(description="model.tar.gz in S3.")
    sha256: f.Sha256 | None = Field(None, description="Refuse an artifact with another checksum.")
    image: Image = Field(description="A container image's URI, or framework + version.")
    environment: f.EnvironmentVariables = {}
    script_mode: bool | None = Field(
        None,
        description="Whether the container needs code/inference.py; by default so for framework images only.",
    )
    unknown_pickles: Literal["hold", "accept"] = Field(
        "hold", description="What to do with a pickle that cannot be proved safe or unsafe."
    )
    manifest_suite: f.RelativePath | None = Field(
        None, description="Great Expectations suite over the archive's manifest, relative to this file."
    )

    @property
    def needs_inference_code(self) -> bool:
        """Whether `code/inference.py` must be in the archive."""
        return isinstance(self.image, FrameworkImage) if self.script_mode is None else self.script_mode


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
            given = [k for k in ("count", "volume_gb", "download_timeout_seconds", "startup_timeout_seconds")
                     if getattr(self, k) is not None]  # fmt: skip
            if given:
                raise Unfit(
                    at=(given[0],),
                    found=f"{', '.join(given)} beside serverless",
                    expected="none of these, as a serverless variant has no instances",
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


class StagedRelease(Strict):
    """The candidate joins the champion at weight 0, is proved there, then takes the traffic."""

    strategy: Literal["staged"] = "staged"


class DirectRelease(Strict):
    """One update of the endpoint, proved afterwards; the service's alarms may roll it back."""

    strategy: Literal["direct"]


class SmokeTest(Strict):
    """A real request with what its answer must be. Every payload goes to every variant."""

    name: f.TestName
    payload: f.RelativePath = Field(description="File to send, relative to this file.")
    content_type: f.ContentType = "application/json"
    accept: f.ContentType = "application/json"
    expected: f.RelativePath | None = Field(
        None, description="JSON list: the truth, a value a prediction, for the suite's `expected` column."
    )
    latency_budget_ms: Annotated[float, Field(gt=0, le=60_000)] = Field(
        1000.0, description="Longest time an answer may take, in milliseconds; the best of three counts."
    )
    expectations: f.RelativePath | None = Field(
        None, description="Great Expectations suite over the predictions, relative to this file."
    )

    @model_validator(mode="after")
    def _truth_has_a_judge(self) -> Self:
        if self.expected and not self.expectations:
            raise Unfit(
                at=("expected",),
                found="expected without expectations",
                expected="a suite in expectations that compares its column `expected`, or neither",
            )
        return self


class RollbackSpec(Strict):
    """What happens when a release fails."""

    enabled: bool = Field(True, description="Bring the old release back; otherwise leave it for a person.")
    timeout_seconds: Annotated[int, Field(ge=10, le=86_400)] = 3600


class Notification(Strict):
    """One message a fact, to an SNS topic."""

    sns_topic_arn: f.TopicArn
    on: Annotated[tuple[f.Outcome, ...], Field(min_length=1, max_length=6), f.unique("outcome")] = (
        "released", "rolled_back", "rollback_failed", "refused", "failed", "torn_down",
    )  # fmt: skip


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
    release: Annotated[StagedRelease | DirectRelease, Field(discriminator="strategy")] = StagedRelease()
    smoke_tests: Annotated[
        tuple[SmokeTest, ...],
        Field(min_length=1, max_length=50),
        f.unique("smoke test", "name"),
    ]
    alarms: Annotated[tuple[f.AlarmName, ...], Field(max_length=10), f.unique("alarm")] = ()
    rollback: RollbackSpec = RollbackSpec()
    schedule: f.Cron | None = Field(None, description="When to release what `model.artifact` holds.")
    notifications: Annotated[tuple[Notification, ...], Field(max_length=10)] = ()
    run: RunSpec = RunSpec()
    tags: f.Tags = {}

    @model_validator(mode="after")
    def _strategy_fits_endpoint(self) -> Self:
        if self.release.strategy == "staged":
            if self.endpoint.is_serverless:
                index = next(i for i, variant in enumerate(self.endpoint.variants) if variant.serverless)
                raise Unfit(
                    at=("endpoint", "variants", index, "serverless"),
                    found="a serverless variant with release.strategy staged",
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
    def _environments_fit_together(self) -> Self:
        for index, variant in enumerate(self.endpoint.variants):
            together = {**self.model.environment, **variant.environment}
            f.within_total(together, at=("endpoint", "variants", index, "environment"))
        return self

    @property
    def endpoint_name(self) -> str:
        """The endpoint's name in SageMaker."""
        return self.endpoint.name or f"{self.name}-{self.environment}"

    @property
    def key(self) -> str:
        """`<name>__<environment>`, as it stands in DAG ids."""
        return f"{self.name}__{self.environment}"

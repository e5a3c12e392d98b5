"""What decides about a release beside the model: registry, a person, another environment, retention."""

from typing import Annotated, Literal

from pydantic import Field

from endpoint_deploy.core import fields as f
from endpoint_deploy.core.strict import Strict


class RegistrySpec(Strict):
    """The deployment's model package group in SageMaker's model registry."""

    group: f.PackageGroupName = Field(description="Model package group; made where there is none.")
    approval: Literal["automatic", "manual"] = Field(
        "automatic",
        description="Status of a package that passed the gates of `retrain`: Approved, and released at once, "
        "or PendingManualApproval, and released once somebody approves it in the registry.",
    )
    watch: bool = Field(
        False,
        description="Release whatever package is approved in the group, whoever registered it. "
        "Always so with manual approval.",
    )
    poll_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        60, description="How often the registry is asked for newly approved packages."
    )

    @property
    def watched(self) -> bool:
        """Whether approvals in the registry start releases."""
        return self.watch or self.approval == "manual"


class ApprovalSpec(Strict):
    """A person is asked in Airflow before anything is changed, with the plan, metrics and warnings."""

    timeout_seconds: Annotated[int, Field(ge=10, le=2_592_000)] = Field(
        86_400, description="Without an answer within it, the release is rejected."
    )
    approvers: Annotated[tuple[f.UserName, ...], Field(max_length=50), f.unique("approver")] = Field(
        (), description="Airflow users who may decide; without any, whoever may edit the DAG's runs."
    )


class PromotionSpec(Strict):
    """This environment releases what another one of the same deployment has proved, and nothing else."""

    from_environment: f.Environment = Field(description="Environment whose released digest is taken over.")
    automatic: bool = Field(
        True, description="Release as soon as the other environment has; otherwise when triggered."
    )


class RetentionSpec(Strict):
    """What is kept. Only what carries the pipeline's tags and nothing refers to is ever deleted."""

    releases: Annotated[int, Field(ge=1, le=1000)] = Field(
        description="Newest good releases, the live one among them, that can still be restored."
    )
    packages: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        None,
        description="Newest model packages of `retrain` kept with their archives; `releases` by default.",
    )
    schedule: f.Cron = Field("@daily", description="When housekeeping runs.")

    @property
    def kept_packages(self) -> int:
        """How many model packages are kept."""
        return self.packages or self.releases

"""What a run of the local SageMaker is told: where it listens and keeps its state, how fast its clock is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_sagemaker.account import ACCOUNT_ID
from local_sagemaker.faults.rules import AnyRule


@dataclass(frozen=True)
class Settings:
    """Options of one server; seconds are the service's own and are divided by `time_scale`."""

    host: str
    port: int
    state_dir: Path
    region: str
    time_scale: float
    provision_seconds: float
    omit_rollback_reason: bool
    reset: bool
    ready_file: Path | None
    quotas: Mapping[str, int] = field(default_factory=dict)
    faults: tuple[AnyRule, ...] = ()
    seed: int = 0
    enforce_iam: bool = False

    @property
    def execution_role_arn(self) -> str:
        """The role created at start, for callers that need one that exists."""
        return f"arn:aws:iam::{ACCOUNT_ID}:role/sagemaker-execution"

"""`stack.json`: what a supervisor says about its stack, and what everybody else may know of it."""

from pathlib import Path
from typing import Literal

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from local_stack.paths import StatePaths
from local_stack.secret_store import write_private

Phase = Literal["starting", "ready", "stopping", "failed", "stopped"]


class ProcessRecord(BaseModel):
    """One process, told apart from a later one with the same id by its start time."""

    model_config = ConfigDict(frozen=True)

    pid: int
    created: float
    """Seconds since the epoch, as psutil gives it."""
    log: Path

    def is_running(self) -> bool:
        """Whether this very process still runs."""
        try:
            process = psutil.Process(self.pid)
            same = bool(process.create_time() == self.created)
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


class StackRecord(BaseModel):
    """A stack's phase, addresses and processes."""

    model_config = ConfigDict(frozen=True)

    phase: Phase
    detail: str
    """What is being waited for, or why the stack failed."""
    api_url: str
    sagemaker_url: str
    postgres_url: str
    specs_dir: Path
    dags_dir: Path
    secrets_dir: Path
    supervisor: ProcessRecord
    services: dict[str, ProcessRecord]

    def write(self, paths: StatePaths) -> None:
        """Replace the record in one step, so that no reader meets half of one."""
        write_private(paths.record, self.model_dump_json(indent=2))


def read_record(paths: StatePaths) -> StackRecord | None:
    """The stack's record, or None where no stack was ever started (or by another version of this code)."""
    try:
        return StackRecord.model_validate_json(paths.record.read_text())
    except (FileNotFoundError, ValidationError):
        return None


def read_running(paths: StatePaths) -> StackRecord | None:
    """The record of a stack whose supervisor is alive, else None."""
    record = read_record(paths)
    return record if record is not None and record.supervisor.is_running() else None

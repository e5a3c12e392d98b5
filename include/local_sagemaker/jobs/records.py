"""What the server remembers of a job; stored as JSON, so a new field needs a default."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

JobStatus = Literal["InProgress", "Completed", "Failed", "Stopping", "Stopped"]
UNFINISHED: tuple[JobStatus, ...] = ("InProgress", "Stopping")


class Transition(BaseModel):
    """One secondary status, and from when to when; `ended` is None for the one the job is in."""

    model_config = ConfigDict(extra="forbid")

    status: str
    started: float
    ended: float | None = None
    message: str = ""


class Job(BaseModel):
    """A job of any kind: the request that made it, where it stands, and how it got there.

    Times are seconds since the epoch. `attempts` counts how often it was begun; `details` is the kind's
    own, in JSON.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    arn: str
    request: dict[str, Any]
    status: JobStatus = "InProgress"
    secondary: str = "Starting"
    transitions: list[Transition] = []
    failure_reason: str | None = None
    created: float
    modified: float
    started: float | None = None
    ended: float | None = None
    tags: dict[str, str] = {}
    attempts: int = 0
    details: dict[str, Any] = {}

    @property
    def unfinished(self) -> bool:
        """Whether it still runs, or is about to stop."""
        return self.status in UNFINISHED

    def advance(self, secondary: str, message: str, now: float) -> None:
        """Enter a secondary status; entering it again only changes the message."""
        self.modified = now
        if self.transitions and self.secondary == secondary:
            self.transitions[-1].message = message
            return
        if self.transitions:
            self.transitions[-1].ended = now
        self.secondary = secondary
        self.transitions.append(Transition(status=secondary, started=now, message=message))

"""What the server remembers of each resource; stored as JSON, so a new field needs a default."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Status = Literal[
    "OutOfService",
    "Creating",
    "Updating",
    "SystemUpdating",
    "RollingBack",
    "InService",
    "Deleting",
    "Failed",
    "UpdateRollbackFailed",
]
IN_PROGRESS: tuple[Status, ...] = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
SERVING: tuple[Status, ...] = (
    "InService",
    "Updating",
    "SystemUpdating",
    "RollingBack",
    # "You can still make inference requests" with a mix of the two configurations (hosting guide).
    "UpdateRollbackFailed",
)


class Record(BaseModel):
    """Common to all: refuse what it does not know, so that a state directory of another age is noticed."""

    model_config = ConfigDict(extra="forbid")


class Resource(Record):
    """A model or an endpoint configuration: the request that made it, kept as it was sent."""

    name: str
    arn: str
    created: float
    request: dict[str, Any]
    tags: dict[str, str] = {}


class Variant(Record):
    """One production variant as deployed: a copy of all it needs, since its model and its endpoint
    configuration may be deleted from under it."""

    name: str
    model_name: str
    image: str
    model_data_url: str | None
    environment: dict[str, str]
    instance_type: str | None = None
    serverless: dict[str, Any] | None = None
    startup_timeout: float
    weight: float
    count: int


class Deployment(Record):
    """A set of variants that serves, or is to serve, an endpoint.

    `in_place` is a change of weights and counts on the running fleet rather than a new fleet.
    """

    config_name: str
    variants: list[Variant]
    data_capture: dict[str, Any] | None = None
    started: float
    in_place: bool = False


class Endpoint(Record):
    """An endpoint: where it stands, what serves it (`live`) and what it is changing to (`pending`)."""

    name: str
    arn: str
    config_name: str
    status: Status
    failure_reason: str | None = None
    created: float
    modified: float
    live: Deployment | None = None
    pending: Deployment | None = None
    deployment_config: dict[str, Any] | None = None
    tags: dict[str, str] = {}

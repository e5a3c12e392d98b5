"""What the server remembers of each resource; stored as JSON, so a new field needs a default."""

from typing import Any, Literal

from pydantic import Field, model_validator

from local_sagemaker.record import Record

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

PRIMARY = "primary"  # the service's name for the only container of a model


class Resource(Record):
    """A model or an endpoint configuration: the request that made it, kept as it was sent."""

    name: str
    arn: str
    created: float
    request: dict[str, Any]
    tags: dict[str, str] = Field(default_factory=dict)


class Container(Record):
    """One container of a model. `model_data_url` is an archive, or with MultiModel a prefix of archives."""

    hostname: str
    image: str
    model_data_url: str | None = None
    environment: dict[str, str] = Field(default_factory=dict)
    mode: Literal["SingleModel", "MultiModel"] = "SingleModel"
    cache_models: bool = True


class Variant(Record):
    """One production variant as deployed: a copy of all it needs, since its model and its endpoint
    configuration may be deleted from under it.

    `mode` says how several containers are called: one after the other, or the one a request names.
    """

    name: str
    model_name: str
    containers: list[Container]
    mode: Literal["Serial", "Direct"] = "Serial"
    routing: str | None = None
    instance_type: str | None = None
    serverless: dict[str, Any] | None = None
    startup_timeout: float
    weight: float
    count: int

    @model_validator(mode="before")
    @classmethod
    def _one_container(cls, data: Any) -> Any:
        """State written before there were several containers has the only one's members here."""
        if isinstance(data, dict) and "image" in data:
            names = ("image", "model_data_url", "environment")
            only = {name: data[name] for name in names if name in data}
            rest = {name: value for name, value in data.items() if name not in names}
            return {**rest, "containers": [{"hostname": PRIMARY, **only}]}
        return data


class Deployment(Record):
    """A set of variants that serves, or is to serve, an endpoint.

    `in_place` is a change of weights and counts on the running fleet rather than a new fleet.
    `policy` is the DeploymentConfig by which it comes into service, if one was given.
    """

    config_name: str
    variants: list[Variant]
    shadows: list[Variant] = Field(default_factory=list)
    data_capture: dict[str, Any] | None = None
    async_inference: dict[str, Any] | None = None
    started: float
    in_place: bool = False
    policy: dict[str, Any] | None = None


class Endpoint(Record):
    """An endpoint: where it stands, what serves it (`live`) and what it is changing to (`pending`).

    `beside` also serves it, after a rolling deployment whose rollback failed. `deployment_config` is the
    last DeploymentConfig given.
    """

    name: str
    arn: str
    config_name: str
    status: Status
    failure_reason: str | None = None
    created: float
    modified: float
    live: Deployment | None = None
    pending: Deployment | None = None
    beside: Deployment | None = None
    deployment_config: dict[str, Any] | None = None
    tags: dict[str, str] = Field(default_factory=dict)

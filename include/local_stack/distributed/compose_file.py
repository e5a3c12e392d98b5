"""`docker-compose.yaml`, as far as it says what runs: read as Docker Compose reads it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

_VARIABLE: Final = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\})")
Condition = Literal["service_healthy", "service_completed_successfully"]


class Dependency(BaseModel):
    """What is awaited of another service."""

    model_config = ConfigDict(frozen=True)

    condition: Condition


class HealthCheck(BaseModel):
    """How a service's health is found out; `test` begins with CMD or CMD-SHELL."""

    model_config = ConfigDict(frozen=True)

    test: list[str] = Field(min_length=2)


class Service(BaseModel):
    """One service; what is said of its container alone (image, user, limits) is left out."""

    model_config = ConfigDict(frozen=True)

    build: dict[str, Any] | None = None
    """None for an image of somebody else's."""
    entrypoint: list[str] = []
    command: list[str] = []
    environment: dict[str, str] = {}
    healthcheck: HealthCheck | None = None
    depends_on: dict[str, Dependency] = {}
    ports: list[str] = []
    """Each as address:port:container port."""
    volumes: list[str] = []
    """Each as volume:directory, with options after another colon."""
    restart: Literal["no", "unless-stopped"] = "no"

    @property
    def once(self) -> bool:
        """Whether it runs once, and others wait for its end."""
        return self.restart == "no"

    def published(self) -> list[tuple[str, str]]:
        """Port of the machine and port of the container, of each that is published."""
        return [(port.split(":")[1], port.split(":")[2]) for port in self.ports]

    def mounts(self) -> dict[str, str]:
        """Directory in the container to name of the volume."""
        return {mount.split(":")[1]: mount.split(":")[0] for mount in self.volumes}


def read_services(file: Path, variables: Mapping[str, str]) -> dict[str, Service]:
    """The services by name, with variables replaced; raises `pydantic.ValidationError`."""
    services = yaml.safe_load(file.read_text())["services"]
    return {name: Service.model_validate(_replaced(body, variables)) for name, body in services.items()}


def _replaced(value: Any, variables: Mapping[str, str]) -> Any:
    """The same with `${NAME:-default}` replaced in each of its strings, and `$$` by a dollar."""
    if isinstance(value, dict):
        return {key: _replaced(each, variables) for key, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each, variables) for each in value]
    if not isinstance(value, str):
        return value

    def one(found: re.Match[str]) -> str:
        return "$" if found["dollar"] else variables.get(found["name"]) or found["default"] or ""

    return _VARIABLE.sub(one, value)

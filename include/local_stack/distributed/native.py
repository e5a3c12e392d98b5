"""The services of `docker-compose.yaml` as processes of this machine: same commands, environments and checks.

What is a container's own is translated: names of hosts and their ports become ports of loopback, directories
become those of the checkout and of the state directory, and `python3` is the interpreter that runs this.
"""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local_stack.airflow_env import clean_environment
from local_stack.distributed.compose_file import Condition, Service
from local_stack.distributed.plan import ComposePlan
from local_stack.paths import REPO_ROOT
from local_stack.ports import LOOPBACK

_IN_IMAGE: Final = "/opt/airflow"
_EVERY_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - what a container listens on, and no process here


@dataclass(frozen=True)
class NativeProcess:
    """One service: what to start, how to find out that it is well, and what it waits for."""

    name: str
    command: list[str]
    environment: dict[str, str]
    check: list[str] | None
    after: dict[str, Condition]
    once: bool
    directories: tuple[Path, ...]
    """To be made before it starts."""


def native_processes(
    services: Mapping[str, Service], plan: ComposePlan, environment: Mapping[str, str]
) -> dict[str, NativeProcess]:
    """Every service that is built from the project, by name; PostgreSQL and Redis run already.

    `environment` is the caller's, of which they get what does not concern Airflow or AWS.
    """
    own = {name: service for name, service in services.items() if service.build is not None}
    hosts = {
        f"{name}:{inside}": f"{LOOPBACK}:{outside}"
        for name, service in own.items()
        for outside, inside in service.published()
    }
    found = {}
    for name, service in own.items():
        here = _Here(name, service, plan, hosts)
        found[name] = NativeProcess(
            name=name,
            command=here.command([*service.entrypoint, *service.command]),
            environment={**clean_environment(environment), **here.environment()},
            check=here.check(),
            after=_after(service, services),
            once=service.once,
            directories=here.directories,
        )
    return found


def _after(service: Service, services: Mapping[str, Service]) -> dict[str, Condition]:
    """What is waited for; in the place of a service that runs already stands what that one waits for."""
    found: dict[str, Condition] = {}
    for name, how in service.depends_on.items():
        if services[name].build is not None:
            found[name] = how.condition
        else:
            found = {**_after(services[name], services), **found}
    return found


class _Here:
    """What a service's container has, and what stands for it on this machine."""

    def __init__(self, name: str, service: Service, plan: ComposePlan, hosts: Mapping[str, str]) -> None:
        mounts = {inside: plan.volume(volume) for inside, volume in service.mounts().items()}
        private = plan.state_dir / "tmp" / name
        paths: dict[str, Path] = {
            f"{_IN_IMAGE}/include/deployments": plan.specs_dir,
            f"{_IN_IMAGE}/dags": plan.dags_dir,
            _IN_IMAGE: REPO_ROOT,
            "/tmp": private,  # noqa: S108 - the container's
            **mounts,
        }
        self.directories = (*mounts.values(), private)
        self._service = service
        self._given = {"DATABASE_URL": plan.database_url, "REDIS_URL": plan.redis_url}
        self._hosts = hosts
        self._paths = {inside: str(path) for inside, path in paths.items()}
        # The longest first: a volume may be mounted within another directory.
        known = "|".join(re.escape(inside) for inside in sorted(paths, key=len, reverse=True))
        self._path = re.compile(rf"(?<![\w./-])({known})(?![\w.-])")

    def command(self, words: list[str]) -> list[str]:
        """A command line, with the ports that this service itself listens on."""
        translated = [self._text(word).replace(_EVERY_ADDRESS, LOOPBACK) for word in words]
        for outside, inside in self._service.published():
            port = re.compile(rf"^(--port=)?{inside}$")
            translated = [port.sub(rf"\g<1>{outside}", word) for word in translated]
        return [sys.executable, *translated[1:]] if translated[0] == "python3" else translated

    def environment(self) -> dict[str, str]:
        """What the service says of its environment."""
        said = {name: self._text(value) for name, value in self._service.environment.items()}
        return {name: self._given.get(name, value) for name, value in said.items()}

    def check(self) -> list[str] | None:
        """The command of its health check, where it has one."""
        check = self._service.healthcheck
        if check is None:
            return None
        if check.test[0] != "CMD":
            raise ValueError(f"found a health check that is a {check.test[0]}, expected a CMD")
        return self.command(check.test[1:])

    def _text(self, text: str) -> str:
        for name, address in self._hosts.items():
            text = re.sub(rf"\b{re.escape(name)}\b", address, text)
        return self._path.sub(lambda found: self._paths[found[1]], text)

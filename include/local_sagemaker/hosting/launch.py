"""How an instance of a variant is put together and started."""

import contextlib
import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from local_sagemaker.clock import Clock
from local_sagemaker.faults.engine import Place
from local_sagemaker.faults.instances import InstanceFaults, NoCapacity
from local_sagemaker.hosting.instance import ContainerFailed, Host, Instance
from local_sagemaker.hosting.multi_model import DEFAULT_LIMIT, LIMIT_VARIABLE, ModelHost
from local_sagemaker.hosting.records import Container, Variant
from local_sagemaker.hosting.replica import Replica, ReplicaSpec

MINIMUM_STARTUP_SECONDS = 30.0


class FleetError(Exception):
    """A fleet did not come up; the message is the endpoint's FailureReason."""


class NoModelError(LookupError):
    """A multi-model container has no such model; the message is what the caller is told."""


def _no_metric(endpoint: str, variant: str, name: str, value: float, unit: str) -> None:
    del endpoint, variant, name, value, unit


def _no_log(group: str, stream: str, path: Path) -> None:
    del group, stream, path


@dataclass(frozen=True)
class FleetTools:
    """What every fleet needs of the server.

    `archive` gives the file of an object of S3; `measure` records a metric of an endpoint's variant: its
    name, value and unit. `follow` takes a process's log to the logs API: group, stream, file.
    """

    clock: Clock
    replicas_dir: Path
    logs_dir: Path
    archive: Callable[[str], Path | None]
    faults: InstanceFaults
    measure: Callable[[str, str, str, float, str], None] = field(default=_no_metric)
    follow: Callable[[str, str, Path], None] = field(default=_no_log)


class Launcher:
    """Starts instances of one variant of an endpoint, as the variant is defined at the moment."""

    def __init__(self, endpoint: str, config_name: str, tools: FleetTools) -> None:
        self._endpoint = endpoint
        self._config_name = config_name
        self._tools = tools
        self._started = itertools.count()

    async def launch(self, variant: Variant) -> Instance:
        """An instance that serves; raises FleetError when it does not come up."""
        place = Place(
            "endpoint",
            self._endpoint,
            variant.name,
            self._config_name,
            instance_type=variant.instance_type or "",
            index=next(self._started),
        )
        try:
            await self._tools.faults.before_start(place)
        except NoCapacity as error:
            raise FleetError(str(error)) from error
        instance = Instance({each.hostname: self._host(variant, each, place) for each in variant.containers})
        timeout = self._tools.clock.limit(variant.startup_timeout, MINIMUM_STARTUP_SECONDS)
        try:
            await instance.start(timeout)
        except ContainerFailed as error:
            raise FleetError(
                f"The {error.hostname} container for production variant {variant.name} did not pass the "
                "ping health check. Please check CloudWatch logs for this endpoint."
            ) from error
        return instance

    def _host(self, variant: Variant, container: Container, place: Place) -> Host:
        if container.mode == "MultiModel":
            return ModelHost(
                lambda target: self._model(variant, container, target, place),
                _limit(container),
                lambda name, value, unit: self._tools.measure(
                    self._endpoint, variant.name, name, value, unit
                ),
                cache=container.cache_models,
            )
        uri = container.model_data_url
        archive = self._tools.archive(uri) if uri else None
        if uri and archive is None:
            raise FleetError(
                f'Failed to download model data from URL "{uri}". Please ensure that there is an object '
                "located at the URL and that the role passed to CreateModel has permissions to download it."
            )
        return self._replica(variant, container, ReplicaSpec(archive, container.environment), place)

    def _model(self, variant: Variant, container: Container, target: str, place: Place) -> Replica:
        """A model of a multi-model container: the prefix and the path that the request gives make its key."""
        prefix = (container.model_data_url or "").rstrip("/")
        archive = self._tools.archive(f"{prefix}/{target.lstrip('/')}")
        if archive is None:
            bucket, _, key = prefix.removeprefix("s3://").partition("/")
            path = f"{key}/{target.lstrip('/')}".lstrip("/")
            raise NoModelError(
                f"Failed to download model data(bucket: {bucket}, key: {path}). Please ensure that there is "
                "an object located at the URL and that the role passed to CreateModel has permissions to "
                "download the model."
            )
        environment = {**container.environment, "SAGEMAKER_MULTI_MODEL": "true"}
        return self._replica(variant, container, ReplicaSpec(archive, environment), place)

    def _replica(self, variant: Variant, container: Container, spec: ReplicaSpec, place: Place) -> Replica:
        identity = uuid.uuid4().hex[:12]
        # The log of a pipeline's container names the container, as its log stream does.
        several = len(variant.containers) > 1
        name = f"{identity}-{container.hostname}" if several else identity
        log = self._tools.logs_dir / self._endpoint / f"{variant.name}-{name}.log"
        stream = f"{variant.name}/i-{identity}" + (f"/{container.hostname}" if several else "")
        self._tools.follow(f"/aws/sagemaker/Endpoints/{self._endpoint}", stream, log)
        return Replica(
            spec,
            self._tools.replicas_dir / identity,
            log,
            self._tools.faults.of_replica(replace(place, container=container.hostname)),
        )


def _limit(container: Container) -> int:
    with contextlib.suppress(KeyError, ValueError):
        return max(1, int(container.environment[LIMIT_VARIABLE]))
    return DEFAULT_LIMIT

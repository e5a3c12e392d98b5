"""The processes that serve a transform job's model, one instance each, and what they are asked."""

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from local_sagemaker.clock import Clock
from local_sagemaker.faults.engine import Place
from local_sagemaker.faults.instances import NoCapacity
from local_sagemaker.hosting.container import TIMED_OUT, Answer, Call, invoke
from local_sagemaker.hosting.instance import ContainerFailed, Instance
from local_sagemaker.hosting.launch import MINIMUM_STARTUP_SECONDS, FleetTools
from local_sagemaker.hosting.records import Container
from local_sagemaker.hosting.replica import HEALTHY, Replica, ReplicaSpec
from local_sagemaker.hosting.variant_fleet import MINIMUM_INVOCATION_SECONDS
from local_sagemaker.hosting.wire import ConnectionLost
from local_sagemaker.jobs.run import JobFailed
from local_sagemaker.jobs.transform_files import ALGORITHM_ERROR, CLIENT_ERROR, INTERNAL_ERROR, TransformError
from local_sagemaker.jobs.transform_settings import Exchange

# "Currently, the job will stop after 30 minutes" of failing pings (amazon-sagemaker-examples issue 815).
STARTUP_SECONDS = 1800.0


@dataclass(frozen=True)
class ModelInstance:
    """One instance of a job."""

    instance: Instance
    clock: Clock

    async def suggested(self) -> bytes | None:
        """What the container answers to GET /execution-parameters; None when it does not serve that."""
        first = self.instance.replicas[0]
        with contextlib.suppress(ConnectionLost, TimeoutError):
            status, body = await first.get("/execution-parameters", timeout=10)
            return body if status == HEALTHY else None
        return None

    async def ask(self, payload: bytes, headers: Mapping[str, str], exchange: Exchange) -> bytes:
        """The model's answer to one payload; raises TransformError.

        Asked again, as often as the job says, is a container that answers with a server's error or not
        at all; one that blames the payload is taken at its word.
        """
        timeout = self.clock.limit(exchange.timeout, MINIMUM_INVOCATION_SECONDS)
        call = Call(headers, payload, timeout)
        answer = await invoke(self.instance, call)
        for attempt in range(exchange.retries):
            if answer.good or answer.client_error or answer.lost:
                break
            await self.clock.sleep(2**attempt)
            answer = await invoke(self.instance, call)
        if not answer.good:
            raise _failure(answer)
        return answer.body


def _failure(answer: Answer) -> TransformError:
    """As the service's data log words it (public reports: amazon-sagemaker-examples 1620, 3948;
    sagemaker-python-sdk 1284, 1951)."""
    if answer.lost:
        return TransformError(ALGORITHM_ERROR, "Unable to get response from algorithm")
    if answer.status == TIMED_OUT:
        return TransformError(INTERNAL_ERROR, "Unable to get response from algorithm")
    text = answer.body.decode("utf-8", "replace")
    if answer.client_error:
        return TransformError(CLIENT_ERROR, f"ClientError: {answer.status}\n\nMessage:\n{text}")
    return TransformError(
        ALGORITHM_ERROR, f"Bad HTTP status received from algorithm: {answer.status}\n\nMessage:\n{text}"
    )


async def start_instances(
    tools: FleetTools,
    containers: Sequence[Container],
    environment: Mapping[str, str],
    logs: Sequence[Callable[[str], Path]],
    place: Place,
) -> list[ModelInstance]:
    """One instance for each of `logs`, all ready; raises JobFailed with none left running.

    `logs` give the log file of a container by its hostname, `environment` is added to the containers' own.
    `place` is the first instance's.
    """
    specs = {container.hostname: _spec(tools, container, environment) for container in containers}
    made = []
    for index, log in enumerate(logs):
        here = replace(place, index=index)
        try:
            await tools.faults.before_start(here)
        except NoCapacity as error:
            raise JobFailed(str(error)) from error
        made.append(
            Instance(
                {
                    hostname: _replica(tools, spec, log(hostname), replace(here, container=hostname))
                    for hostname, spec in specs.items()
                }
            )
        )
    timeout = tools.clock.limit(STARTUP_SECONDS, MINIMUM_STARTUP_SECONDS)
    starts = [asyncio.create_task(instance.start(timeout)) for instance in made]
    try:
        await asyncio.gather(*starts)
    except BaseException as error:
        for start in starts:
            start.cancel()
        await asyncio.gather(*starts, return_exceptions=True)
        await asyncio.gather(*(instance.stop() for instance in made))
        if isinstance(error, ContainerFailed):
            raise JobFailed(ALGORITHM_ERROR) from error
        raise
    return [ModelInstance(instance, tools.clock) for instance in made]


def _spec(tools: FleetTools, container: Container, environment: Mapping[str, str]) -> ReplicaSpec:
    uri = container.model_data_url
    archive = tools.archive(uri) if uri else None
    if uri and archive is None:
        raise JobFailed(
            f'ClientError: Failed to download model data from URL "{uri}". Please ensure that there is an '
            "object located at the URL and that the role passed to CreateModel has permissions to download "
            "it."
        )
    return ReplicaSpec(archive, {**container.environment, **environment})


def _replica(tools: FleetTools, spec: ReplicaSpec, log_path: Path, place: Place) -> Replica:
    base_dir = tools.replicas_dir / uuid.uuid4().hex[:12]
    return Replica(spec, base_dir, log_path, tools.faults.of_replica(place))

"""What the service measures of instances (SageMaker guide, Endpoint metrics): CPU and memory."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable

from local_sagemaker.clock import Clock
from local_sagemaker.cloudwatch.metrics import Metrics

NAMESPACE = "/aws/sagemaker/Endpoints"
_SAMPLE_SECONDS = 20
_LEAST_SAMPLE = 0.25
# Endpoint, variant, and the processes of one of its instances.
Instance = tuple[str, str, list[int]]
logger = logging.getLogger(__name__)


class InstanceMetrics:
    """Samples the processes of every instance; three times a minute of the service's, if it is not too short.

    CPUUtilization is of one CPU, so that four busy ones are 400 %; MemoryUtilization is of this machine.
    """

    def __init__(self, metrics: Metrics, clock: Clock, instances: Callable[[], Iterable[Instance]]) -> None:
        self._metrics = metrics
        self._clock = clock
        self._instances = instances
        self._used: dict[int, float] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Sample from now on."""
        self._task = asyncio.create_task(self._sample_for_ever(), name="instance metrics")

    async def stop(self) -> None:
        """Stop sampling."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _sample_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(self._clock.limit(_SAMPLE_SECONDS, _LEAST_SAMPLE))
            now = loop.time()
            try:
                self._sample(now - last)
            except Exception:
                logger.exception("measuring instances failed; going on")
            last = now

    def _sample(self, elapsed: float) -> None:
        before, self._used = self._used, {}
        for endpoint, variant, processes in self._instances():
            busy, memory, measured = 0.0, 0.0, False
            for pid in processes:
                used = _used(pid)
                if used is None:
                    continue
                self._used[pid], share = used
                memory += share
                if pid in before:
                    busy += self._used[pid] - before[pid]
                    measured = True
            if measured:
                dimensions = {"EndpointName": endpoint, "VariantName": variant}
                percent = 100 * busy / elapsed
                self._metrics.put(NAMESPACE, "CPUUtilization", dimensions, percent, unit="Percent")
                self._metrics.put(NAMESPACE, "MemoryUtilization", dimensions, memory, unit="Percent")


def _used(pid: int) -> tuple[float, float] | None:
    """Seconds of CPU and percent of memory that a process has used; None when it is gone."""
    import psutil  # noqa: PLC0415 - not needed before there are instances

    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        with process.oneshot():
            times = process.cpu_times()
            return times.user + times.system, process.memory_percent()
    return None

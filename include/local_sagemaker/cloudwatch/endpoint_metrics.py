"""The endpoint metrics the service puts to CloudWatch, gathered in memory and sent in the background."""

import asyncio
import logging
from dataclasses import dataclass

from local_sagemaker.backing.moto import Moto
from local_sagemaker.hosting.container import Answer

FLUSH_SECONDS = 1.0
logger = logging.getLogger(__name__)


@dataclass
class _Statistic:
    count: int = 0
    total: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.low = min(self.low, value)
        self.high = max(self.high, value)


_Key = tuple[str, str, str]


class Metrics:
    """Counts and latencies by endpoint and variant, in namespace AWS/SageMaker."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        self._statistics: dict[_Key, _Statistic] = {}
        self._task: asyncio.Task[None] | None = None

    def record(
        self, endpoint: str, variant: str, answer: Answer, model_us: float, overhead_us: float
    ) -> None:
        """One invocation: what came of it, the container's time and the front's own, in microseconds."""
        for name, value in (
            ("Invocations", 1.0),
            ("Invocation4XXErrors", float(answer.client_error)),
            ("Invocation5XXErrors", float(not answer.good and not answer.client_error)),
            ("ModelLatency", model_us),
            ("OverheadLatency", overhead_us),
        ):
            self._statistics.setdefault((endpoint, variant, name), _Statistic()).add(value)

    def start(self) -> None:
        """Send what is gathered every second from now on."""
        self._task = asyncio.create_task(self._flush_for_ever(), name="metrics")

    async def stop(self) -> None:
        """Stop sending; what is gathered is dropped, as CloudWatch's content is with moto."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _flush_for_ever(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            try:
                await self._flush()
            except Exception:
                logger.exception("sending metrics to CloudWatch failed; going on")

    async def _flush(self) -> None:
        statistics, self._statistics = self._statistics, {}
        if not statistics:
            return
        parameters = {"Action": "PutMetricData", "Version": "2010-08-01", "Namespace": "AWS/SageMaker"}
        for position, ((endpoint, variant, name), statistic) in enumerate(statistics.items(), start=1):
            prefix = f"MetricData.member.{position}"
            parameters |= {
                f"{prefix}.MetricName": name,
                f"{prefix}.Unit": "Microseconds" if name.endswith("Latency") else "None",
                f"{prefix}.Dimensions.member.1.Name": "EndpointName",
                f"{prefix}.Dimensions.member.1.Value": endpoint,
                f"{prefix}.Dimensions.member.2.Name": "VariantName",
                f"{prefix}.Dimensions.member.2.Value": variant,
                f"{prefix}.StatisticValues.SampleCount": str(statistic.count),
                f"{prefix}.StatisticValues.Sum": str(statistic.total),
                f"{prefix}.StatisticValues.Minimum": str(statistic.low),
                f"{prefix}.StatisticValues.Maximum": str(statistic.high),
            }
        await self._moto.query("monitoring", parameters)

"""CloudWatch as a whole: metrics, alarms and their operations."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Self

from local_sagemaker.api.control import Operation
from local_sagemaker.api.protocols import AwsService
from local_sagemaker.backing.moto import Moto
from local_sagemaker.clock import Clock
from local_sagemaker.cloudwatch.alarm_evaluation import recent_values
from local_sagemaker.cloudwatch.alarm_operations import AlarmOperations
from local_sagemaker.cloudwatch.alarm_records import Alarm
from local_sagemaker.cloudwatch.alarm_watch import AlarmWatch
from local_sagemaker.cloudwatch.alarms import Alarms
from local_sagemaker.cloudwatch.composite_alarms import CompositeAlarms
from local_sagemaker.cloudwatch.endpoint_metrics import EndpointMetrics
from local_sagemaker.cloudwatch.instance_metrics import Instance, InstanceMetrics
from local_sagemaker.cloudwatch.metric_data import MetricData
from local_sagemaker.cloudwatch.metric_reads import MetricReads
from local_sagemaker.cloudwatch.metrics import Metrics
from local_sagemaker.cloudwatch.query_operations import QueryOperations
from local_sagemaker.events.bus import Events
from local_sagemaker.store import Store


class CloudWatch:
    """What the other parts use of CloudWatch, and what its clients call."""

    def __init__(self, store: Store, clock: Clock, moto: Moto, events: Events, region: str) -> None:
        self.metrics = Metrics(clock)
        self.endpoint_metrics = EndpointMetrics(self.metrics)
        self.alarms = Alarms(store)
        self.watch = AlarmWatch(self.alarms, self.metrics, clock, moto=moto, events=events, region=region)
        self.alarm_operations = AlarmOperations(self.alarms, CompositeAlarms(self.alarms), region)
        self._region = region
        self._clock = clock
        self._instance_metrics: InstanceMetrics | None = None

    async def __aenter__(self) -> Self:
        """Read the alarms and evaluate them from now on."""
        self.alarms.load()
        self.watch.start()
        return self

    def sample(self, instances: Callable[[], Iterable[Instance]]) -> None:
        """Measure these instances' processes from now on."""
        self._instance_metrics = InstanceMetrics(self.metrics, self._clock, instances)
        self._instance_metrics.start()

    async def __aexit__(self, *_: object) -> None:
        """Stop evaluating and measuring."""
        await self.watch.stop()
        if self._instance_metrics is not None:
            await self._instance_metrics.stop()

    async def states(self, names: Sequence[str]) -> dict[str, str]:
        """The states of these alarms; names that do not exist are absent."""
        return self.alarms.states(names)

    def recent_values(self, alarm: Alarm) -> list[float]:
        """The real data points that the alarm would be judged by now, the newest last."""
        return recent_values(alarm, self.metrics, self._clock, time.time())

    def service(self) -> AwsService:
        """The API."""
        data, reads = MetricData(self.metrics), MetricReads(self.metrics)
        operations: dict[str, Operation] = {
            "PutMetricData": data.put,
            "ListMetrics": data.list_page,
            "GetMetricStatistics": reads.statistics,
            "GetMetricData": QueryOperations(self.metrics).get_metric_data,
            **self.alarm_operations.operations(),
        }
        return AwsService("cloudwatch", operations, self._region, "ValidationError")

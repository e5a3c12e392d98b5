"""What the service measures of each invocation (SageMaker guide, Endpoint invocation metrics)."""

import time
from collections import defaultdict
from typing import NamedTuple

from local_sagemaker.cloudwatch.histogram import Histogram
from local_sagemaker.cloudwatch.metrics import Dimensions, Metrics, dimensions_of

NAMESPACE = "AWS/SageMaker"
_FOLD_AT = 2000  # invocations: what waits to be put stays small without a read, too


class Invocation(NamedTuple):
    """One invocation of a variant that `instances` share; times are in microseconds.

    `config` is the endpoint configuration that the variant is of, `status` what the container answered,
    `model_us` its time and `overhead_us` the front's own.
    """

    endpoint: str
    variant: str
    config: str
    instances: int
    status: int
    model_us: float
    overhead_us: float


class EndpointMetrics:
    """Counts, errors and latencies by variant, and by variant and endpoint configuration.

    The latter tell a new fleet from the one it replaces (hosting guide, Auto-Rollback Configuration).
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._gathered: list[tuple[float, Invocation]] = []
        metrics.feed_from(self._fold)

    def record(self, invocation: Invocation) -> None:
        """One invocation, now."""
        self._gathered.append((time.time(), invocation))
        if len(self._gathered) >= _FOLD_AT:
            self._fold()

    def measure(self, endpoint: str, variant: str, name: str, value: float, unit: str) -> None:
        """Any other metric of a variant, or with an empty `variant` of an endpoint."""
        named = {"EndpointName": endpoint, "VariantName": variant}
        dimensions = {key: given for key, given in named.items() if given}
        self._metrics.put(NAMESPACE, name, dimensions, value, unit=unit)

    def _fold(self) -> None:
        gathered, self._gathered = self._gathered, []
        alike: dict[tuple[str, str, str, int], list[Invocation]] = defaultdict(list)
        finest = self._metrics.finest
        for at, one in gathered:
            alike[one.endpoint, one.variant, one.config, int(at / finest)].append(one)
        for (endpoint, variant, config, moment), invocations in alike.items():
            named = {"EndpointName": endpoint, "VariantName": variant}
            at = (moment + 0.5) * finest
            self._put(dimensions_of(named), at, invocations)
            self._put(dimensions_of({**named, "EndpointConfigName": config}), at, invocations)

    def _put(self, dimensions: Dimensions, at: float, invocations: list[Invocation]) -> None:
        """Put invocations of one fleet and of one moment."""

        def values(name: str, unit: str = "None") -> Histogram:
            return self._metrics.span((NAMESPACE, name, dimensions), unit, at)

        total = len(invocations)
        values("Invocations").add(1.0, total)
        for name, count in _failures(invocations).items():
            # Successes count too, as zeros: the average is the share of failures.
            for value, times in ((1.0, count), (0.0, total - count)):
                if times:
                    values(name).add(value, times)
        per_instance = values("InvocationsPerInstance")
        model, overhead = values("ModelLatency", "Microseconds"), values("OverheadLatency", "Microseconds")
        for one in invocations:
            per_instance.add(1.0 / max(one.instances, 1))
            model.add(one.model_us)
            overhead.add(one.overhead_us)


def _failures(invocations: list[Invocation]) -> dict[str, int]:
    failed = [one.status for one in invocations if not 200 <= one.status < 300]  # noqa: PLR2004 - HTTP's own lines
    refused = sum(400 <= status < 500 for status in failed)  # noqa: PLR2004 - HTTP's own lines
    return {
        "Invocation4XXErrors": refused,
        "Invocation5XXErrors": len(failed) - refused,
        "InvocationModelErrors": len(failed),
    }

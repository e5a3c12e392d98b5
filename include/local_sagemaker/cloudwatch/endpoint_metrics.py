"""What the service measures of each invocation (SageMaker guide, Endpoint invocation metrics)."""

import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from local_sagemaker.cloudwatch.histogram import Histogram
from local_sagemaker.cloudwatch.metrics import Metrics, dimensions_of

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
            both = (dimensions_of(named), dimensions_of({**named, "EndpointConfigName": config}))
            at = (moment + 0.5) * finest
            for (name, unit), values in _measures(invocations).items():
                for dimensions in both:
                    self._metrics.span((NAMESPACE, name, dimensions), unit, at).merge(values)


def _measures(invocations: list[Invocation]) -> dict[tuple[str, str], Histogram]:
    """The values of each metric, by its name and unit."""
    total = len(invocations)
    failed = [one.status for one in invocations if not 200 <= one.status < 300]  # noqa: PLR2004 - HTTP's own lines
    refused = sum(400 <= status < 500 for status in failed)  # noqa: PLR2004 - HTTP's own lines
    shares = Counter(1.0 / max(one.instances, 1) for one in invocations)
    return {
        ("Invocations", "None"): _counted({1.0: total}),
        ("InvocationsPerInstance", "None"): _counted(shares),
        # Successes count too, as zeros: the average is the share of failures.
        ("Invocation4XXErrors", "None"): _counted({0.0: total - refused, 1.0: refused}),
        ("Invocation5XXErrors", "None"): _counted(
            {0.0: total - len(failed) + refused, 1.0: len(failed) - refused}
        ),
        ("InvocationModelErrors", "None"): _counted({0.0: total - len(failed), 1.0: len(failed)}),
        ("ModelLatency", "Microseconds"): _counted(Counter(one.model_us for one in invocations)),
        ("OverheadLatency", "Microseconds"): _counted(Counter(one.overhead_us for one in invocations)),
    }


def _counted(counts: Mapping[float, int]) -> Histogram:
    values = Histogram()
    for value, times in counts.items():
        if times:
            values.add(value, times)
    return values

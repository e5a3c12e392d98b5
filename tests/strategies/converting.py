"""A team that publishes a metric of its own: whether each answer has led to what was wanted."""

import random
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from tests.strategies.traffic import Record, Traffic

NAMESPACE, NAME = "Shop/Recommendations", "Converted"
_PAUSE = 0.2


class Conversions:
    """Publishes 1 or 0 for each answer of the traffic, for as long as the block lasts.

    rates: how probably a right answer of a release converts, by the release's number; a wrong one, and an
    error, never does. dimensions: further ones.
    """

    def __init__(
        self,
        cloudwatch: Any,
        endpoint: str,
        asking: Traffic,
        rates: Mapping[int, float],
        dimensions: Mapping[str, str] | None = None,
    ) -> None:
        self._cloudwatch = cloudwatch
        self._endpoint = endpoint
        self._asking = asking
        self._rates = rates
        self._dimensions = dict(dimensions or {})
        self._random = random.Random(7)
        self._published = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._over.wait(_PAUSE):
            records = self._asking.answered()
            self._publish(records[self._published :])
            self._published = len(records)

    def _publish(self, records: list[Record]) -> None:
        values: dict[str, list[float]] = defaultdict(list)
        for record in records:
            if record.variant is not None:
                values[record.variant].append(float(self._converts(record)))
        for variant, found in values.items():
            dimensions = {"EndpointName": self._endpoint, "VariantName": variant, **self._dimensions}
            counts = Counter(found)
            datum = {
                "MetricName": NAME,
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
                "Values": list(counts),
                "Counts": [float(count) for count in counts.values()],
            }
            self._cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=[datum])

    def _converts(self, record: Record) -> bool:
        return record.right and self._random.random() < self._rates[record.release or 0]

"""GetMetricStatistics."""

import math
from typing import Any

from local_sagemaker.cloudwatch.metric_data import key_of
from local_sagemaker.cloudwatch.metrics import Metrics
from local_sagemaker.cloudwatch.queries import measured
from local_sagemaker.cloudwatch.query_checks import check_period
from local_sagemaker.cloudwatch.refusals import invalid_combination, invalid_value, missing
from local_sagemaker.cloudwatch.statistics import SIMPLE, statistic

Request = dict[str, Any]
MAX_DATAPOINTS = 1440


def check_statistic(name: str, parameter: str) -> None:
    """Raise the service's error for a statistic there is none of."""
    try:
        statistic(name)
    except ValueError as error:
        raise invalid_value(f"The value {name} for parameter {parameter} is not supported.") from error


class MetricReads:
    """Reads single metrics."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def statistics(self, request: Request) -> dict[str, Any]:
        """GetMetricStatistics: in no order, as the reference says; here by time."""
        period, start, end = request["Period"], request["StartTime"], request["EndTime"]
        simple, extended = request.get("Statistics", []), request.get("ExtendedStatistics", [])
        if not simple and not extended:
            raise missing("Statistics")
        if start >= end:
            raise invalid_value("The parameter StartTime must be less than the parameter EndTime.")
        check_period(period)
        for name in extended:
            check_statistic(name, "ExtendedStatistics.member.1")
        # Periods begin at whole multiples of themselves.
        first = math.floor(start / period) * period
        asked = math.ceil((end - first) / period)
        if asked > MAX_DATAPOINTS:
            raise invalid_combination(
                f"You have requested up to {asked:,} datapoints, which exceeds the limit of "
                f"{MAX_DATAPOINTS:,}. You may reduce the datapoints requested by increasing Period, or "
                "decreasing the time range."
            )
        stat: Request = {"Metric": request, **({"Unit": request["Unit"]} if "Unit" in request else {})}
        found: dict[float, dict[str, Any]] = {}
        unit = self._unit(request)
        for name in (*simple, *extended):
            for point in measured(self._metrics, {**stat, "Stat": name}, first, end, period).values():
                datum = found.setdefault(point.start, {"Timestamp": point.start, "Unit": unit})
                if name in SIMPLE:
                    datum[name] = point.value
                else:
                    datum.setdefault("ExtendedStatistics", {})[name] = point.value
        return {"Label": request["MetricName"], "Datapoints": [found[at] for at in sorted(found)]}

    def _unit(self, request: Request) -> str:
        series = self._metrics.find(key_of(request))
        return series.unit if series else "None"

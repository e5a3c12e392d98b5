"""PutMetricData and ListMetrics."""

import base64
import binascii
import time
from typing import Any

from local_sagemaker.cloudwatch.metrics import Key, Metrics, dimensions_of, is_value
from local_sagemaker.cloudwatch.refusals import invalid_combination, invalid_value, missing

Request = dict[str, Any]
# PutMetricData's reference: what a request and a datum may hold.
MAX_DATA = 1000
MAX_VALUES = 150
_OLDEST = 14 * 86_400
_NEWEST = 2 * 3600
_PAGE = 500
_RECENT = 3 * 3600


class MetricData:
    """The operations that put metrics and list them."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def put(self, request: Request) -> dict[str, Any]:
        """PutMetricData: all of it, or, where a datum is refused, nothing."""
        namespace = request["Namespace"]
        if namespace.startswith("AWS/"):
            raise invalid_value("The value AWS/ for parameter Namespace is invalid.")
        data = request.get("MetricData", [])
        if not data:
            raise missing("MetricData")
        if len(data) > MAX_DATA:
            raise invalid_value(f"The collection MetricData must not have a size greater than {MAX_DATA}.")
        for position, datum in enumerate(data, start=1):
            _check(f"MetricData.member.{position}", datum)
        for datum in data:
            self._put(namespace, datum)
        return {}

    def _put(self, namespace: str, datum: Request) -> None:
        key = (namespace, datum["MetricName"], _dimensions(datum))
        span = self._metrics.span(key, datum.get("Unit", "None"), datum.get("Timestamp"))
        if "StatisticValues" in datum:
            summary = datum["StatisticValues"]
            span.add_summary(summary["SampleCount"], summary["Sum"], summary["Minimum"], summary["Maximum"])
        elif "Values" in datum:
            counts = datum.get("Counts", [1.0] * len(datum["Values"]))
            for value, count in zip(datum["Values"], counts, strict=True):
                span.add(value, count)
        else:
            span.add(datum["Value"])

    def list_page(self, request: Request) -> dict[str, Any]:
        """ListMetrics: 500 a page, by namespace, name and dimensions."""
        now = time.time()
        kept = [
            key
            for key, series in self._metrics.all()
            if _matches(key, request) and ("RecentlyActive" not in request or now - series.updated < _RECENT)
        ]
        start = position(request.get("NextToken"))
        answer: dict[str, Any] = {"Metrics": [described(key) for key in kept[start : start + _PAGE]]}
        if start + _PAGE < len(kept):
            answer["NextToken"] = token(start + _PAGE)
        return answer


def described(key: Key) -> dict[str, Any]:
    """A metric as the API names it."""
    namespace, name, dimensions = key
    return {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions],
    }


def key_of(metric: Request) -> Key:
    """The metric that a request names."""
    return (metric["Namespace"], metric["MetricName"], _dimensions(metric))


def token(position: int) -> str:
    """A NextToken for what follows the first `position`."""
    return base64.b64encode(str(position).encode()).decode()


def position(token: str | None) -> int:
    """How many have been returned before; raises the service's error for a token that is none of ours."""
    if token is None:
        return 0
    try:
        return int(base64.b64decode(token, validate=True))
    except (binascii.Error, ValueError) as error:
        raise invalid_value("Invalid NextToken: it is not one that this operation returned.") from error


def _dimensions(metric: Request) -> tuple[tuple[str, str], ...]:
    return dimensions_of({each["Name"]: each["Value"] for each in metric.get("Dimensions", [])})


def _matches(key: Key, request: Request) -> bool:
    namespace, name, dimensions = key
    if request.get("Namespace", namespace) != namespace or request.get("MetricName", name) != name:
        return False
    found = dict(dimensions)
    return all(
        wanted["Name"] in found and wanted.get("Value", found[wanted["Name"]]) == found[wanted["Name"]]
        for wanted in request.get("Dimensions", [])
    )


def _check(where: str, datum: Request) -> None:
    given = [name for name in ("Value", "Values", "StatisticValues") if name in datum]
    if not given:
        raise missing(f"{where}.Value")
    if len(given) > 1:
        raise invalid_combination(
            f"The parameters {where}.{given[0]} and {where}.{given[1]} are mutually exclusive and you have "
            "specified both."
        )
    _check_values(where, datum)
    age = time.time() - datum.get("Timestamp", time.time())
    if age > _OLDEST or age < -_NEWEST:
        raise invalid_value(
            f"The parameter {where}.Timestamp must specify a time no more than two weeks in the past and no "
            "more than two hours in the future."
        )
    if datum.get("StorageResolution", 60) not in (1, 60):
        raise invalid_value(f"The parameter {where}.StorageResolution must be 1 or 60.")


def _check_values(where: str, datum: Request) -> None:
    values: list[float] = datum.get("Values", [])
    counts: list[float] = datum.get("Counts", values)
    if "Values" in datum and not values:
        raise missing(f"{where}.Values.member.1")
    if len(values) > MAX_VALUES:
        raise invalid_value(f"The collection {where}.Values must not have a size greater than {MAX_VALUES}.")
    if len(counts) != len(values):
        raise invalid_value(f"The collections {where}.Values and {where}.Counts must be of the same size.")
    summary = datum.get("StatisticValues", {})
    for value in (*values, *counts, *summary.values(), datum.get("Value", 0.0)):
        if not is_value(value):
            raise invalid_value(f"The value {value} for parameter {where}.Value is invalid.")
    if summary and summary["SampleCount"] <= 0:
        raise invalid_value(f"The parameter {where}.StatisticValues.SampleCount must be greater than 0.")
    if summary and summary["Maximum"] < summary["Minimum"]:
        raise invalid_value(f"The parameter {where}.StatisticValues.Maximum must not be less than Minimum.")

"""What CloudWatch knows of an endpoint's variants, by GetMetricData: all of it, or nothing.

Metrics of an invocation stand in `AWS/SageMaker` by EndpointName and VariantName, a shadow's like any
variant's (SageMaker guide, Monitoring SageMaker AI with Amazon CloudWatch).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from endpoint_deploy.aws import errors
from endpoint_deploy.errors import EndpointDeployError

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

Statistic = tuple[str, str]
# By variant and statistic, the value of each period by its beginning. A period without a value is absent:
# nobody was asked then, or CloudWatch has not heard of it yet.
Data = Mapping[tuple[str, Statistic], Mapping[datetime, float]]

_LOST = frozenset({"InternalError", "Forbidden"})  # whatever another page says of the rest
_MOST_QUERIES = 500  # that one GetMetricData takes (API reference)


class Unreadable(EndpointDeployError):
    """CloudWatch did not say all that it was asked for; in that there are no errors, and no requests."""


def metric_data(
    cloudwatch: "CloudWatchClient",
    endpoint: str,
    variants: Sequence[str],
    statistics: Sequence[Statistic],
    *,
    period: int,
    span: tuple[datetime, datetime],
    namespace: str = "AWS/SageMaker",
    dimensions: Mapping[str, str] | None = None,
) -> Data:
    """Statistics of metrics with the dimensions EndpointName and VariantName, and further ones.

    statistics: a metric's name, and which statistic of it; period: in seconds; span: from when to when, the
    end excluded.

    Raises Unreadable for whatever CloudWatch refuses, does not answer, or answers in part.
    """
    of_all = {endpoint: variants}
    asked = _asked(of_all, statistics, period, namespace=namespace, dimensions=dimensions or {})
    return _read(cloudwatch, asked, span)[endpoint]


def metric_data_of_all(
    cloudwatch: "CloudWatchClient",
    variants: Mapping[str, Sequence[str]],
    statistics: Sequence[Statistic],
    *,
    period: int,
    span: tuple[datetime, datetime],
) -> dict[str, Data]:
    """As `metric_data`, of several endpoints at once, by endpoint: as few calls as their metrics take.

    variants: by endpoint.
    """
    return _read(cloudwatch, _asked(variants, statistics, period), span)


def periods(data: Data) -> list[datetime]:
    """The beginnings of all periods of which there is anything, the oldest first."""
    return sorted({at for values in data.values() for at in values})


@dataclass(frozen=True)
class _Asked:
    """One metric's statistic, and the query for it."""

    endpoint: str
    variant: str
    statistic: Statistic
    query: dict[str, Any]


def _asked(
    variants: Mapping[str, Sequence[str]],
    statistics: Sequence[Statistic],
    period: int,
    *,
    namespace: str = "AWS/SageMaker",
    dimensions: Mapping[str, str] = MappingProxyType({}),
) -> list[_Asked]:
    asked = []
    for endpoint, names in variants.items():
        for variant in names:
            its = {"EndpointName": endpoint, "VariantName": variant, **dimensions}
            for statistic in statistics:
                query = {"MetricStat": _stat(namespace, its, statistic, period)}
                asked.append(_Asked(endpoint, variant, statistic, query))
    return asked


def _stat(namespace: str, dimensions: Mapping[str, str], wanted: Statistic, period: int) -> dict[str, Any]:
    name, statistic = wanted
    its = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": its}
    return {"Metric": metric, "Period": period, "Stat": statistic}


def _read(
    cloudwatch: "CloudWatchClient", asked: Sequence[_Asked], span: tuple[datetime, datetime]
) -> dict[str, Data]:
    """By endpoint, all that was asked."""
    found: dict[str, dict[tuple[str, Statistic], dict[datetime, float]]] = {}
    for each in asked:
        found.setdefault(each.endpoint, {})[each.variant, each.statistic] = {}
    for start in range(0, len(asked), _MOST_QUERIES):
        some = asked[start : start + _MOST_QUERIES]
        for each, values in zip(some, _values(cloudwatch, some, span), strict=True):
            found[each.endpoint][each.variant, each.statistic] = values
    return dict(found)


def _values(
    cloudwatch: "CloudWatchClient", asked: Sequence[_Asked], span: tuple[datetime, datetime]
) -> list[dict[datetime, float]]:
    found: list[dict[datetime, float]] = [{} for _ in asked]
    said = ["nothing"] * len(asked)
    queries: Any = [{"Id": f"q{number}", **each.query} for number, each in enumerate(asked)]
    try:
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries, StartTime=span[0], EndTime=span[1]
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                number = int(result["Id"][1:])
                # PartialData: the next page goes on (API reference, MetricDataResult).
                if said[number] not in _LOST:
                    said[number] = result.get("StatusCode", "Complete")
                found[number].update(zip(result["Timestamps"], result["Values"], strict=True))
    except ClientError as error:
        raise Unreadable(f"CloudWatch answered {errors.code(error)}: {errors.message(error)}") from error
    except BotoCoreError as error:
        raise Unreadable(f"CloudWatch did not answer: {error}") from error
    for each, status in zip(asked, said, strict=True):
        if status != "Complete":
            metric = each.statistic[0]
            raise Unreadable(f"CloudWatch did not answer in full: {metric} of {each.variant}: {status}")
    return found

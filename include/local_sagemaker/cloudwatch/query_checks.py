"""What GetMetricData and alarms on expressions refuse of their queries (MetricDataQuery's reference)."""

import re
from collections.abc import Sequence
from typing import Any

from local_sagemaker.cloudwatch.expressions import ExpressionError, names_in, parsed
from local_sagemaker.cloudwatch.refusals import validation
from local_sagemaker.cloudwatch.statistics import statistic

Request = dict[str, Any]
_ID = re.compile(r"[a-z][A-Za-z0-9_]*")
_HIGH_RESOLUTION = (1, 5, 10, 20, 30)
_MINUTE = 60


def check_period(period: int, name: str = "Period") -> None:
    """Raise the service's error for a period that no metric is kept by."""
    if period not in _HIGH_RESOLUTION and period % _MINUTE:
        raise validation(f"The parameter {name} must be 1, 5, 10, 20, 30 or a multiple of 60.")


def check_queries(queries: Sequence[Request], where: str) -> None:
    """Raise the service's error for queries that cannot be answered; `where` is the parameter's name."""
    ids = [query["Id"] for query in queries]
    for position, (query, identity) in enumerate(zip(queries, ids, strict=True), start=1):
        if ids.count(identity) > 1:
            raise validation(f"The values for parameter id in MetricDataQueries are not unique: {identity}")
        if not _ID.fullmatch(identity):
            raise validation(
                f"Invalid value for {where}.member.{position}.Id: {identity}. It must begin with a lower "
                "case letter, and be of letters, digits and underscores."
            )
        if ("MetricStat" in query) == ("Expression" in query):
            raise validation(
                f"Either MetricStat or Expression of {where}.member.{position} must be given, and not both."
            )
        _check_query(query, ids, f"{where}.member.{position}")
    if not any(query.get("ReturnData", True) for query in queries):
        raise validation("At least one element of the metrics list should return data.")


def _check_query(query: Request, ids: Sequence[str], where: str) -> None:
    if "Expression" in query:
        try:
            unknown = sorted(names_in(parsed(query["Expression"])).difference(ids))
        except ExpressionError as error:
            raise validation(f"Error in expression '{query['Id']}': {error}") from error
        if unknown:
            raise validation(f"Error in expression '{query['Id']}': there is no query {', '.join(unknown)}")
        if "Period" in query:
            check_period(query["Period"], f"{where}.Period")
        return
    stat = query["MetricStat"]
    check_period(stat["Period"], f"{where}.MetricStat.Period")
    for member in ("Namespace", "MetricName"):
        if member not in stat["Metric"]:
            raise validation(f"The parameter {where}.MetricStat.Metric.{member} is required.")
    try:
        statistic(stat["Stat"])
    except ValueError as error:
        raise validation(f"The value {stat['Stat']} for {where}.MetricStat.Stat is not supported.") from error

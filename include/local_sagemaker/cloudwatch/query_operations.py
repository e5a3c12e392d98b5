"""GetMetricData."""

import base64
import binascii
import json
from typing import Any

from local_sagemaker.api.errors import ServiceError
from local_sagemaker.cloudwatch.expressions import ExpressionError
from local_sagemaker.cloudwatch.math_functions import Series
from local_sagemaker.cloudwatch.metrics import Metrics
from local_sagemaker.cloudwatch.queries import Queries
from local_sagemaker.cloudwatch.query_checks import check_queries
from local_sagemaker.cloudwatch.refusals import validation

Request = dict[str, Any]
MAX_QUERIES = 500
MAX_DATAPOINTS = 100_800


class QueryOperations:
    """Answers queries on several metrics, and expressions over them."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def get_metric_data(self, request: Request) -> dict[str, Any]:
        """GetMetricData: the newest data points first, unless ScanBy says otherwise."""
        queries = request["MetricDataQueries"]
        if len(queries) > MAX_QUERIES:
            raise validation(f"MetricDataQueries must not have a size greater than {MAX_QUERIES}.")
        if request["StartTime"] >= request["EndTime"]:
            raise validation("The parameter StartTime must be less than the parameter EndTime.")
        check_queries(queries, "MetricDataQueries")
        limit = request.get("MaxDatapoints", MAX_DATAPOINTS)
        if not 1 <= limit <= MAX_DATAPOINTS:
            raise validation(f"The parameter MaxDatapoints must be between 1 and {MAX_DATAPOINTS}.")
        results = self._results(request)
        page, following = _page(results, _position(request.get("NextToken")), limit)
        answer: dict[str, Any] = {"MetricDataResults": page, "Messages": []}
        if following is not None:
            answer["NextToken"] = base64.b64encode(json.dumps(following).encode()).decode()
        return answer

    def _results(self, request: Request) -> list[dict[str, Any]]:
        queries = Queries(
            self._metrics, request["MetricDataQueries"], start=request["StartTime"], end=request["EndTime"]
        )
        results = []
        for query in request["MetricDataQueries"]:
            if query.get("ReturnData", True):
                for label, series in self._series(queries, query):
                    order = sorted(series, reverse=request.get("ScanBy") != "TimestampAscending")
                    results.append(
                        {
                            "Id": query["Id"],
                            "Label": label,
                            "Timestamps": order,
                            "Values": [series[at] for at in order],
                        }
                    )
        return results

    def _series(self, queries: Queries, query: Request) -> list[tuple[str, Series]]:
        try:
            value = queries.value(query["Id"])
        except ExpressionError as error:
            raise validation(f"Error in expression '{query['Id']}': {error}") from error
        label = query.get("Label") or (
            query["MetricStat"]["Metric"]["MetricName"] if "MetricStat" in query else query["Id"]
        )
        if isinstance(value, dict):
            return [(label, value)]
        if isinstance(value, list):
            return [
                (f"{query['Label']} {each}" if "Label" in query else each, series) for each, series in value
            ]
        raise validation(f"Error in expression '{query['Id']}': it gives a number, not a time series.")


def _page(
    results: list[dict[str, Any]], begin: tuple[int, int], limit: int
) -> tuple[list[dict[str, Any]], tuple[int, int] | None]:
    """The results from a position (result, data point) on, `limit` data points at most, and what follows."""
    page: list[dict[str, Any]] = []
    number, offset = begin
    while number < len(results):
        whole = results[number]
        end = offset + limit
        part = {name: whole[name][offset:end] for name in ("Timestamps", "Values")}
        limit -= len(part["Values"])
        complete = end >= len(whole["Values"])
        page.append({**whole, **part, "StatusCode": "Complete" if complete else "PartialData"})
        if not complete:
            return page, (number, end)
        number, offset = number + 1, 0
        if limit == 0 and number < len(results):
            return page, (number, 0)
    return page, None


def _position(token: str | None) -> tuple[int, int]:
    if token is None:
        return 0, 0
    try:
        number, offset = json.loads(base64.b64decode(token, validate=True))
        return int(number), int(offset)
    except (binascii.Error, ValueError, TypeError) as error:
        raise ServiceError("InvalidNextToken", "The next token is not one of GetMetricData's.") from error

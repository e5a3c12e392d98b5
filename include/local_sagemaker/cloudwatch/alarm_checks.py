"""What PutMetricAlarm refuses beyond the form of the request (PutMetricAlarm's reference)."""

from typing import Any, get_args

from local_sagemaker.cloudwatch.alarm_rules import COMPARISONS, Treatment
from local_sagemaker.cloudwatch.query_checks import check_queries
from local_sagemaker.cloudwatch.refusals import invalid_combination, invalid_value, missing, validation
from local_sagemaker.cloudwatch.statistics import percentile_of, statistic

Request = dict[str, Any]
_MINUTE = 60
_HOUR = 3600
_DAY = 86_400
_HIGH_RESOLUTION = (10, 20, 30)
_OF_ONE_METRIC = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
_NOT_SERVED = (
    "ThresholdMetricId",
    "EvaluationWindow",
    "WarmUpConfiguration",
    "EvaluationCriteria",
    "EvaluationInterval",
    "ActionConfiguration",
)


def check_metric_alarm(request: Request) -> None:
    """Raise the service's error for an alarm that cannot be evaluated."""
    for member in _NOT_SERVED:
        if member in request:
            raise invalid_value(f"{member} is not served by the local SageMaker.")
    for member in ("EvaluationPeriods", "ComparisonOperator", "Threshold"):
        if member not in request:
            raise missing(member)
    if request["ComparisonOperator"] not in COMPARISONS:
        raise invalid_value(
            f"{request['ComparisonOperator']} needs anomaly detection, "
            "which is not served by the local SageMaker."
        )
    _check_choice(request, "TreatMissingData", get_args(Treatment))
    _check_choice(request, "EvaluateLowSampleCountPercentile", ("evaluate", "ignore"))
    if "Metrics" in request:
        _check_queries(request)
    else:
        _check_metric(request)
    _check_span(request)
    for member in ("OKActions", "AlarmActions", "InsufficientDataActions"):
        for action in request.get(member, []):
            if not action.startswith("arn:"):
                raise validation(f"Invalid arn syntax: {action}")


def period_of(request: Request) -> int:
    """The alarm's period, in the service's seconds; that of its metrics, which all have the same."""
    if "Metrics" not in request:
        period: int = request["Period"]
        return period
    periods = [query["MetricStat"]["Period"] for query in request["Metrics"] if "MetricStat" in query]
    return max(periods, default=_MINUTE)


def _check_choice(request: Request, member: str, allowed: tuple[str, ...]) -> None:
    if member in request and request[member] not in allowed:
        raise validation(
            f"Option {request[member]} is not supported for {member}; it must be one of {', '.join(allowed)}."
        )


def _check_metric(request: Request) -> None:
    for member in ("MetricName", "Namespace", "Period"):
        if member not in request:
            raise missing(member)
    if "Statistic" in request and "ExtendedStatistic" in request:
        raise invalid_combination(
            "The parameters Statistic and ExtendedStatistic are mutually exclusive and you have "
            "specified both."
        )
    if "Statistic" not in request and "ExtendedStatistic" not in request:
        raise missing("Statistic")
    if "ExtendedStatistic" in request:
        _check_statistic(request["ExtendedStatistic"])
    elif "EvaluateLowSampleCountPercentile" in request:
        raise invalid_combination("EvaluateLowSampleCountPercentile is for alarms on percentiles only.")


def _check_queries(request: Request) -> None:
    for member in _OF_ONE_METRIC:
        if member in request:
            raise invalid_combination(
                f"The parameters Metrics and {member} are mutually exclusive and you have specified both."
            )
    check_queries(request["Metrics"], "Metrics")
    if len([query for query in request["Metrics"] if query.get("ReturnData", True)]) != 1:
        raise validation("Exactly one element of the metrics list should return data.")
    periods = {query["MetricStat"]["Period"] for query in request["Metrics"] if "MetricStat" in query}
    if len(periods) != 1:
        raise validation("Metrics of an alarm must be there, and must all have the same period.")


def _check_statistic(name: str) -> None:
    try:
        statistic(name)
    except ValueError as error:
        raise invalid_value(f"The value {name} for parameter ExtendedStatistic is not supported.") from error
    if percentile_of(name) in (0.0, 1.0):
        raise invalid_value("A percentile must be between p0.0 and p100, both excluded.")


def _check_span(request: Request) -> None:
    period, periods = period_of(request), request["EvaluationPeriods"]
    if period not in _HIGH_RESOLUTION and period % _MINUTE:
        raise validation("The period must be 10, 20, 30 or a multiple of 60.")
    longest, named = (_DAY, "a day") if period < _HOUR else (7 * _DAY, "a week")
    if period * periods > longest:
        raise validation(
            f"Metrics cannot be checked across more than {named} "
            f"(EvaluationPeriods * Period must be <= {longest})."
        )
    if request.get("DatapointsToAlarm", periods) > periods:
        raise validation("DatapointsToAlarm must be less than or equal to EvaluationPeriods.")

"""What CloudWatch says of an alarm's change of state: to SNS, to EventBridge and in the alarm's history."""

import functools
import json
from typing import Any

from botocore.loaders import Loader

from local_sagemaker.account import ACCOUNT_ID
from local_sagemaker.cloudwatch.alarm_evaluation import moment
from local_sagemaker.cloudwatch.alarm_records import Alarm
from local_sagemaker.cloudwatch.alarm_rules import State

_STATISTICS = {"SampleCount": "SAMPLE_COUNT"}


def subject(alarm: Alarm, region: str) -> str:
    """The subject of the notification; SNS takes at most 100 characters."""
    return f'{alarm.state}: "{alarm.name}" in {region_name(region)}'[:100]


def notification(alarm: Alarm, before: State, region: str) -> str:
    """The JSON message that subscribers of an alarm's SNS topic receive."""
    message: dict[str, Any] = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.request.get("AlarmDescription"),
        "AWSAccountId": ACCOUNT_ID,
        "AlarmConfigurationUpdatedTimestamp": moment(alarm.configured),
        "NewStateValue": alarm.state,
        "NewStateReason": alarm.reason,
        "StateChangeTime": moment(alarm.state_updated),
        "Region": region_name(region),
        "AlarmArn": alarm.arn,
        "OldStateValue": before,
        "OKActions": alarm.actions("OK"),
        "AlarmActions": alarm.actions("ALARM"),
        "InsufficientDataActions": alarm.actions("INSUFFICIENT_DATA"),
    }
    if alarm.composite:
        message["AlarmRule"] = alarm.request["AlarmRule"]
    else:
        message["Trigger"] = _trigger(alarm.request)
    return json.dumps(message)


def event(alarm: Alarm, before: "Alarm") -> dict[str, Any]:
    """The detail of EventBridge's `CloudWatch Alarm State Change`."""
    detail = {"alarmName": alarm.name, "state": state_of(alarm), "previousState": state_of(before)}
    configuration: dict[str, Any] = {}
    if alarm.composite:
        configuration["alarmRule"] = alarm.request["AlarmRule"]
    else:
        configuration["metrics"] = _metrics(alarm)
    if "AlarmDescription" in alarm.request:
        configuration["description"] = alarm.request["AlarmDescription"]
    return {**detail, "configuration": configuration}


def state_of(alarm: Alarm) -> dict[str, Any]:
    """A state with its reason and time."""
    state: dict[str, Any] = {"value": alarm.state, "reason": alarm.reason}
    if alarm.reason_data:
        state["reasonData"] = alarm.reason_data
    return {**state, "timestamp": moment(alarm.state_updated)}


@functools.cache
def region_name(region: str) -> str:
    """A region's name as notifications give it, such as `EU (Ireland)`."""
    partitions = Loader().load_data("endpoints")["partitions"]
    names = {name: known["description"] for each in partitions for name, known in each["regions"].items()}
    return str(names.get(region, region)).replace("Europe (", "EU (")


def _trigger(request: dict[str, Any]) -> dict[str, Any]:
    trigger: dict[str, Any] = {
        "Period": request.get("Period"),
        "EvaluationPeriods": request["EvaluationPeriods"],
        "DatapointsToAlarm": request.get("DatapointsToAlarm", request["EvaluationPeriods"]),
        "ComparisonOperator": request["ComparisonOperator"],
        "Threshold": float(request["Threshold"]),
        "TreatMissingData": request.get("TreatMissingData", "missing"),
        "EvaluateLowSampleCountPercentile": request.get("EvaluateLowSampleCountPercentile", ""),
    }
    if "Metrics" in request:
        return trigger | {"Metrics": request["Metrics"]}
    kind, name = "Statistic", request.get("Statistic", "")
    if "ExtendedStatistic" in request:
        kind, name = "ExtendedStatistic", request["ExtendedStatistic"]
    return trigger | {
        "MetricName": request["MetricName"],
        "Namespace": request["Namespace"],
        "StatisticType": kind,
        kind: _STATISTICS.get(name, name.upper()) if kind == "Statistic" else name,
        "Unit": request.get("Unit"),
        "Dimensions": [
            {"value": each["Value"], "name": each["Name"]} for each in request.get("Dimensions", [])
        ],
    }


def _metrics(alarm: Alarm) -> list[dict[str, Any]]:
    request = alarm.request
    queries = request.get("Metrics") or [
        {
            "Id": "m1",
            "MetricStat": {
                "Metric": request,
                "Period": request["Period"],
                "Stat": request.get("Statistic") or request["ExtendedStatistic"],
            },
        }
    ]
    return [_query(query) for query in queries]


def _query(query: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": query["Id"], "returnData": query.get("ReturnData", True)}
    if "Expression" in query:
        return shown | {"expression": query["Expression"]}
    metric = query["MetricStat"]["Metric"]
    return shown | {
        "metricStat": {
            "metric": {
                "namespace": metric["Namespace"],
                "name": metric["MetricName"],
                "dimensions": {each["Name"]: each["Value"] for each in metric.get("Dimensions", [])},
            },
            "period": query["MetricStat"]["Period"],
            "stat": query["MetricStat"]["Stat"],
        }
    }

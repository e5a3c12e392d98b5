"""CloudWatch's operations on alarms."""

import time
from collections.abc import Callable
from typing import Any

from local_sagemaker.account import ACCOUNT_ID
from local_sagemaker.cloudwatch.alarm_checks import check_metric_alarm
from local_sagemaker.cloudwatch.alarm_records import Alarm
from local_sagemaker.cloudwatch.alarms import Alarms
from local_sagemaker.cloudwatch.composite_alarms import CompositeAlarms
from local_sagemaker.cloudwatch.metric_data import key_of, position, token
from local_sagemaker.cloudwatch.refusals import invalid_value, not_found, validation

Request = dict[str, Any]
DEFAULT_PAGE = 50
MAX_HISTORY_PAGE = 100
_TYPES = ("MetricAlarm", "CompositeAlarm")


class AlarmOperations:
    """Puts, describes and switches alarms."""

    def __init__(self, alarms: Alarms, composites: CompositeAlarms, region: str) -> None:
        self._alarms = alarms
        self._composites = composites
        self._region = region

    def put_metric_alarm(self, request: Request) -> dict[str, Any]:
        """PutMetricAlarm."""
        check_metric_alarm(request)
        self._put(request, composite=False)
        return {}

    def put_composite_alarm(self, request: Request) -> dict[str, Any]:
        """PutCompositeAlarm."""
        self._composites.check(request)
        self._put(request, composite=True)
        self._composites.evaluate(request["AlarmName"])
        return {}

    def describe(self, request: Request) -> dict[str, Any]:
        """DescribeAlarms: metric alarms, unless others are asked for."""
        related = self._related(request)
        types = request.get("AlarmTypes", ["MetricAlarm"] if related is None else list(_TYPES))
        kept = [
            alarm
            for alarm in self._alarms.all()
            if alarm.alarm_type in types
            and (related is None or alarm.name in related)
            and _wanted(alarm, request)
        ]
        start = position(request.get("NextToken"))
        end = start + request.get("MaxRecords", DEFAULT_PAGE)
        answer: dict[str, Any] = {"MetricAlarms": [], "CompositeAlarms": []}
        for alarm in kept[start:end]:
            answer["CompositeAlarms" if alarm.composite else "MetricAlarms"].append(alarm.described())
        if end < len(kept):
            answer["NextToken"] = token(end)
        return answer

    def describe_for_metric(self, request: Request) -> dict[str, Any]:
        """DescribeAlarmsForMetric: those of exactly this metric."""
        wanted = key_of(request)
        compared = [name for name in ("Statistic", "ExtendedStatistic", "Period", "Unit") if name in request]
        found = [
            alarm.described()
            for alarm in self._alarms.all()
            if "MetricName" in alarm.request
            and key_of(alarm.request) == wanted
            and all(alarm.request.get(name) == request[name] for name in compared)
        ]
        return {"MetricAlarms": found}

    def delete(self, request: Request) -> dict[str, Any]:
        """DeleteAlarms: names that are not there do not matter."""
        for name in request["AlarmNames"]:
            self._alarms.delete(name)
        return {}

    def set_state(self, request: Request) -> dict[str, Any]:
        """SetAlarmState: until the next evaluation."""
        alarm = self._get(request["AlarmName"])
        self._alarms.change(
            alarm, request["StateValue"], request["StateReason"], request.get("StateReasonData")
        )
        return {}

    def enable_actions(self, request: Request) -> dict[str, Any]:
        """EnableAlarmActions."""
        return self._switch(request["AlarmNames"], enabled=True)

    def disable_actions(self, request: Request) -> dict[str, Any]:
        """DisableAlarmActions."""
        return self._switch(request["AlarmNames"], enabled=False)

    def history(self, request: Request) -> dict[str, Any]:
        """DescribeAlarmHistory: the newest first, unless ScanBy says otherwise."""
        first, last = request.get("StartDate", 0.0), request.get("EndDate", time.time() + 1)
        types = request.get("AlarmTypes", ["MetricAlarm"])
        items = [
            item
            for item in self._alarms.history(request.get("AlarmName"))
            if item.alarm_type in types
            and first <= item.timestamp <= last
            and request.get("HistoryItemType", item.kind) == item.kind
        ]
        if request.get("ScanBy", "TimestampDescending") == "TimestampDescending":
            items.reverse()
        start = position(request.get("NextToken"))
        end = start + request.get("MaxRecords", MAX_HISTORY_PAGE)
        answer: dict[str, Any] = {
            "AlarmHistoryItems": [
                {
                    "AlarmName": item.alarm,
                    "AlarmType": item.alarm_type,
                    "Timestamp": item.timestamp,
                    "HistoryItemType": item.kind,
                    "HistorySummary": item.summary,
                    "HistoryData": item.data,
                }
                for item in items[start:end]
            ]
        }
        if end < len(items):
            answer["NextToken"] = token(end)
        return answer

    def tag(self, request: Request) -> dict[str, Any]:
        """TagResource: those given replace those of the same key."""
        alarm = self._tagged(request)
        alarm.tags |= {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        self._alarms.save(alarm)
        return {}

    def untag(self, request: Request) -> dict[str, Any]:
        """UntagResource: keys that are not there do not matter."""
        alarm = self._tagged(request)
        alarm.tags = {key: value for key, value in alarm.tags.items() if key not in request["TagKeys"]}
        self._alarms.save(alarm)
        return {}

    def list_tags(self, request: Request) -> dict[str, Any]:
        """ListTagsForResource."""
        tags = self._tagged(request).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def operations(self) -> dict[str, Callable[[Request], dict[str, Any]]]:
        """The API's operations on alarms, by name."""
        return {
            "PutMetricAlarm": self.put_metric_alarm,
            "PutCompositeAlarm": self.put_composite_alarm,
            "DescribeAlarms": self.describe,
            "DescribeAlarmsForMetric": self.describe_for_metric,
            "DeleteAlarms": self.delete,
            "SetAlarmState": self.set_state,
            "EnableAlarmActions": self.enable_actions,
            "DisableAlarmActions": self.disable_actions,
            "DescribeAlarmHistory": self.history,
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTagsForResource": self.list_tags,
        }

    def _put(self, request: Request, *, composite: bool) -> None:
        name = request["AlarmName"]
        known = self._alarms.get(name)
        if known is not None and known.composite != composite:
            raise validation(f"An alarm of another type is already named {name}.")
        now = time.time()
        kept = {
            member: value for member, value in request.items() if member not in ("ActionsEnabled", "Tags")
        }
        self._alarms.put(
            Alarm(
                name=name,
                arn=f"arn:aws:cloudwatch:{self._region}:{ACCOUNT_ID}:alarm:{name}",
                composite=composite,
                request=kept,
                actions_enabled=request.get("ActionsEnabled", True),
                configured=now,
                state_updated=now,
                transitioned=now,
                tags={tag["Key"]: tag["Value"] for tag in request.get("Tags", [])},
            )
        )

    def _related(self, request: Request) -> list[str] | None:
        """The names that ChildrenOfAlarmName and ParentsOfAlarmName ask for; None: all."""
        if "ChildrenOfAlarmName" in request:
            return self._composites.children(request["ChildrenOfAlarmName"])
        if "ParentsOfAlarmName" in request:
            return self._composites.parents(request["ParentsOfAlarmName"])
        return None

    def _get(self, name: str) -> Alarm:
        alarm = self._alarms.get(name)
        if alarm is None:
            raise not_found(f"Alarm {name} does not exist.")
        return alarm

    def _switch(self, names: list[str], *, enabled: bool) -> dict[str, Any]:
        for name in names:
            alarm = self._alarms.get(name)
            if alarm is not None:
                alarm.actions_enabled = enabled
                self._alarms.save(alarm)
        return {}

    def _tagged(self, request: Request) -> Alarm:
        arn: str = request["ResourceARN"]
        if ":alarm:" not in arn:
            raise invalid_value(f"{arn} is not the ARN of an alarm.")
        return self._get(arn.partition(":alarm:")[2])


def _wanted(alarm: Alarm, request: Request) -> bool:
    if "AlarmNames" in request and alarm.name not in request["AlarmNames"]:
        return False
    if not alarm.name.startswith(request.get("AlarmNamePrefix", "")):
        return False
    if request.get("StateValue", alarm.state) != alarm.state:
        return False
    prefix = request.get("ActionPrefix")
    actions = [*alarm.actions("OK"), *alarm.actions("ALARM"), *alarm.actions("INSUFFICIENT_DATA")]
    return prefix is None or any(action.startswith(prefix) for action in actions)

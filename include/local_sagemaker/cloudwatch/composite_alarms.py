"""Composite alarms: put, and put into their states whenever one of theirs changes."""

import json
from datetime import UTC, datetime
from typing import Any

from local_sagemaker.cloudwatch.alarm_evaluation import moment
from local_sagemaker.cloudwatch.alarm_records import Alarm
from local_sagemaker.cloudwatch.alarm_rules import State
from local_sagemaker.cloudwatch.alarms import Alarms
from local_sagemaker.cloudwatch.composite_rules import RuleError, read_rule
from local_sagemaker.cloudwatch.refusals import invalid_value, validation

Request = dict[str, Any]
MAX_CHILDREN = 100
_NOT_SERVED = (
    "ActionsSuppressor",
    "ActionsSuppressorWaitPeriod",
    "ActionsSuppressorExtensionPeriod",
    "ActionConfiguration",
)


class CompositeAlarms:
    """Keeps the states of composite alarms as their rules say."""

    def __init__(self, alarms: Alarms) -> None:
        self._alarms = alarms
        alarms.on_change(lambda alarm, _: self._child_changed(alarm))

    def check(self, request: Request) -> None:
        """Raise the service's error for a composite alarm that cannot be evaluated."""
        for member in _NOT_SERVED:
            if member in request:
                raise invalid_value(f"{member} is not served by the local SageMaker.")
        try:
            rule = read_rule(request["AlarmRule"])
        except RuleError as error:
            raise validation(f"AlarmRule is invalid: {error}") from error
        if len(rule.children) > MAX_CHILDREN:
            raise validation(f"AlarmRule names more than {MAX_CHILDREN} alarms.")
        missing = [name for name in rule.children if self._alarms.get(name) is None]
        if missing:
            raise validation(f"AlarmRule names alarms that do not exist: {', '.join(missing)}")
        if request["AlarmName"] in self.descendants(rule.children):
            raise validation(f"AlarmRule of {request['AlarmName']} refers to itself.")

    def descendants(self, names: tuple[str, ...]) -> set[str]:
        """These alarms and all that their rules name."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self.children(name)
        return found

    def children(self, name: str) -> list[str]:
        """The alarms that the rule of this one names; none for a metric alarm."""
        alarm = self._alarms.get(name)
        if alarm is None or not alarm.composite:
            return []
        return list(read_rule(alarm.request["AlarmRule"]).children)

    def parents(self, name: str) -> list[str]:
        """The composite alarms whose rules name this one."""
        return [alarm.name for alarm in self._alarms.all() if name in self.children(alarm.name)]

    def evaluate(self, name: str, trigger: Alarm | None = None) -> None:
        """Put the alarm into the state that its rule gives; `trigger` is what made it change."""
        alarm = self._alarms.get(name)
        if alarm is None:
            return
        rule = read_rule(alarm.request["AlarmRule"])
        known = self._alarms.states(rule.children)
        state: State = "ALARM" if rule.holds(known.get) else "OK"
        if state == alarm.state:
            return
        trigger = trigger or next((self._alarms.get(child) for child in rule.children), None)
        if trigger is None:
            self._alarms.change(alarm, state, f"The rule is {state == 'ALARM'} for any alarm.", None)
            return
        at = datetime.fromtimestamp(trigger.transitioned, UTC).strftime("%A %d %B, %Y %H:%M:%S UTC")
        data = {
            "triggeringAlarms": [
                {
                    "arn": trigger.arn,
                    "state": {"value": trigger.state, "timestamp": moment(trigger.transitioned)},
                }
            ]
        }
        reason = f"{trigger.arn} transitioned to {trigger.state} at {at}"
        self._alarms.change(alarm, state, reason, json.dumps(data))

    def _child_changed(self, child: Alarm) -> None:
        for parent in self.parents(child.name):
            self.evaluate(parent, child)

"""What is kept of an alarm and of its history; stored as JSON, so a new field needs a default."""

from typing import Any

from pydantic import Field

from local_sagemaker.cloudwatch.alarm_rules import State
from local_sagemaker.record import Record

KIND = "alarm"
HISTORY_KIND = "alarm-history"


class Alarm(Record):
    """A metric or composite alarm: `request` as it was put, and where it stands."""

    name: str
    arn: str
    composite: bool
    request: dict[str, Any]
    actions_enabled: bool
    configured: float
    state: State = "INSUFFICIENT_DATA"
    reason: str = "Unchecked: Initial alarm creation"
    reason_data: str | None = None
    state_updated: float
    transitioned: float
    tags: dict[str, str] = Field(default_factory=dict)

    @property
    def alarm_type(self) -> str:
        """What the API calls this kind of alarm."""
        return "CompositeAlarm" if self.composite else "MetricAlarm"

    def actions(self, state: State) -> list[str]:
        """The ARNs of what is to be done on a change to `state`."""
        member = {"OK": "OKActions", "ALARM": "AlarmActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
        actions: list[str] = self.request.get(member[state], [])
        return actions

    def described(self) -> dict[str, Any]:
        """The alarm as DescribeAlarms shows it."""
        shown = {name: value for name, value in self.request.items() if name != "Tags"}
        shown |= {
            "AlarmArn": self.arn,
            "ActionsEnabled": self.actions_enabled,
            "AlarmConfigurationUpdatedTimestamp": self.configured,
            "StateValue": self.state,
            "StateReason": self.reason,
            "StateUpdatedTimestamp": self.state_updated,
            "StateTransitionedTimestamp": self.transitioned,
        }
        if self.reason_data is not None:
            shown["StateReasonData"] = self.reason_data
        for member in ("OKActions", "AlarmActions", "InsufficientDataActions"):
            shown.setdefault(member, [])
        if not self.composite and "Metrics" not in shown:
            shown.setdefault("Dimensions", [])
        return shown


class HistoryItem(Record):
    """One entry of DescribeAlarmHistory; `data` is JSON."""

    alarm: str
    alarm_type: str
    timestamp: float
    kind: str
    summary: str
    data: str

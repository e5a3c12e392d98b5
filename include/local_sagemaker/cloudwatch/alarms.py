"""The alarms there are, their states and their history."""

import itertools
import json
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Any

from local_sagemaker.cloudwatch.alarm_records import HISTORY_KIND, KIND, Alarm, HistoryItem
from local_sagemaker.cloudwatch.alarm_rules import State
from local_sagemaker.store import Store

MAX_HISTORY = 200
# What is to be done about a change: the alarm as it is and as it was.
OnChange = Callable[[Alarm, Alarm], None]


class Alarms:
    """Alarms by name, kept in the store: a restarted server goes on watching."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_name: dict[str, Alarm] = {}
        self._history: dict[str, deque[tuple[str, HistoryItem]]] = defaultdict(deque)
        self._on_change: list[OnChange] = []
        self._numbers = itertools.count()

    def load(self) -> None:
        """Read every alarm and its history from the store."""
        for name, document in self._store.all(KIND):
            self._by_name[name] = Alarm.model_validate(document)
        for key, document in self._store.all(HISTORY_KIND):
            item = HistoryItem.model_validate(document)
            self._history[item.alarm].append((key, item))

    def on_change(self, call: OnChange) -> None:
        """Have `call` called after each change of a state."""
        self._on_change.append(call)

    def all(self) -> list[Alarm]:
        """Every alarm, by name."""
        return [self._by_name[name] for name in sorted(self._by_name)]

    def get(self, name: str) -> Alarm | None:
        """The alarm of that name."""
        return self._by_name.get(name)

    def tags_of(self, arn: str) -> dict[str, str]:
        """The tags of an alarm; none of one that is not there."""
        alarm = self._by_name.get(arn.partition(":alarm:")[2])
        return dict(alarm.tags) if alarm else {}

    def states(self, names: Sequence[str]) -> dict[str, str]:
        """The states of these alarms; names that do not exist are absent."""
        return {name: self._by_name[name].state for name in names if name in self._by_name}

    def save(self, alarm: Alarm) -> None:
        """Create the alarm or put it in the place of that of its name."""
        self._by_name[alarm.name] = alarm
        self._store.put(KIND, alarm.name, alarm.model_dump())

    def put(self, alarm: Alarm) -> None:
        """PutMetricAlarm or PutCompositeAlarm: a new alarm, or a new configuration of an old one."""
        known = self._by_name.get(alarm.name)
        if known is not None:
            # "the state is left unchanged, but the update completely overwrites the previous
            # configuration" (PutMetricAlarm's reference); so are the tags.
            kept = ("state", "reason", "reason_data", "state_updated", "transitioned", "tags")
            alarm = alarm.model_copy(update={name: getattr(known, name) for name in kept})
        self.save(alarm)
        change = "Create" if known is None else "Update"
        self._note(
            alarm,
            "ConfigurationUpdate",
            f'Alarm "{alarm.name}" {"created" if known is None else "updated"}',
            {"version": "1.0", "type": change},
        )

    def delete(self, name: str) -> None:
        """Remove the alarm, if it is there; its history stays, as the service's does."""
        alarm = self._by_name.pop(name, None)
        if alarm is not None:
            self._store.delete(KIND, name)
            self._note(
                alarm, "ConfigurationUpdate", f'Alarm "{name}" deleted', {"version": "1.0", "type": "Delete"}
            )

    def change(self, alarm: Alarm, state: State, reason: str, data: str | None) -> None:
        """Put the alarm into `state`; a change is noted, and what waits for one is told."""
        before = alarm.model_copy()
        now = time.time()
        alarm.state, alarm.reason, alarm.reason_data, alarm.state_updated = state, reason, data, now
        if before.state != state:
            alarm.transitioned = now
        self.save(alarm)
        if before.state == state:
            return
        self._note(
            alarm,
            "StateUpdate",
            f"Alarm updated from {before.state} to {state}",
            {"version": "1.0", "oldState": _told(before), "newState": _told(alarm)},
        )
        for call in self._on_change:
            call(alarm, before)

    def note_action(self, alarm: Alarm, action: str, error: str | None) -> None:
        """An action was done, or failed."""
        done = "Successfully executed" if error is None else "Failed to execute"
        data: dict[str, Any] = {
            "actionState": "Succeeded" if error is None else "Failed",
            "stateUpdateTimestamp": int(alarm.state_updated * 1000),
            "notificationResource": action,
        }
        if error is not None:
            data["error"] = error
        self._note(alarm, "Action", f"{done} action {action}", data)

    def history(self, name: str | None) -> list[HistoryItem]:
        """What happened to the alarm, or to all, the oldest first."""
        kept = [self._history[name]] if name is not None else list(self._history.values())
        return sorted((item for items in kept for _, item in items), key=lambda item: item.timestamp)

    def _note(self, alarm: Alarm, kind: str, summary: str, data: dict[str, Any]) -> None:
        item = HistoryItem(
            alarm=alarm.name,
            alarm_type=alarm.alarm_type,
            timestamp=time.time(),
            kind=kind,
            summary=summary[:255],
            data=json.dumps(data)[:4095],
        )
        key = f"{item.timestamp:.6f}-{next(self._numbers):06d}"
        items = self._history[alarm.name]
        items.append((key, item))
        self._store.put(HISTORY_KIND, key, item.model_dump())
        while len(items) > MAX_HISTORY:
            self._store.delete(HISTORY_KIND, items.popleft()[0])


def _told(alarm: Alarm) -> dict[str, Any]:
    told: dict[str, Any] = {"stateValue": alarm.state, "stateReason": alarm.reason}
    if alarm.reason_data and len(alarm.reason_data) < 1500:  # noqa: PLR2004 - HistoryData takes 4,095 characters
        told["stateReasonData"] = json.loads(alarm.reason_data)
    return told

"""Evaluates the alarms on time, and does what they ask for when their states change."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable

from local_sagemaker.backing.moto import Moto
from local_sagemaker.clock import Clock
from local_sagemaker.cloudwatch.alarm_evaluation import (
    HIGH_RESOLUTION_SECONDS,
    STANDARD_SECONDS,
    evaluate,
    interval_of,
)
from local_sagemaker.cloudwatch.alarm_messages import event, notification, subject
from local_sagemaker.cloudwatch.alarm_records import Alarm
from local_sagemaker.cloudwatch.alarms import Alarms
from local_sagemaker.cloudwatch.metrics import Metrics
from local_sagemaker.events.bus import Events

_LEAST_STEP = 0.02
_SETTLING = 0.005  # so that what was put in the period's last moment is in
# Does the action of that ARN for the alarm; raises RuntimeError with what went wrong.
Action = Callable[[str, Alarm], Awaitable[None]]
logger = logging.getLogger(__name__)


class AlarmWatch:
    """The timer of all alarms; times of evaluation are the service's own, divided by the time scale."""

    def __init__(
        self, alarms: Alarms, metrics: Metrics, clock: Clock, *, moto: Moto, events: Events, region: str
    ) -> None:
        self._alarms = alarms
        self._metrics = metrics
        self._clock = clock
        self._moto = moto
        self._events = events
        self._region = region
        self._scaling: Action | None = None
        self._waiting: asyncio.Queue[tuple[str, Alarm, Alarm]] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        alarms.on_change(self._changed)

    def scale_by(self, action: Action) -> None:
        """Have `action` called for the ARNs of scaling policies."""
        self._scaling = action

    def start(self) -> None:
        """Evaluate from now on."""
        self._tasks = [
            asyncio.create_task(self._evaluate_for_ever(), name="alarms"),
            asyncio.create_task(self._act_for_ever(), name="alarm actions"),
        ]

    async def stop(self) -> None:
        """Stop evaluating; states are kept."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _evaluate_for_ever(self) -> None:
        step = max(self._clock.real(HIGH_RESOLUTION_SECONDS), _LEAST_STEP)
        minute = self._clock.real(STANDARD_SECONDS)
        last_minute = math.floor(time.time() / minute)
        while True:
            now = time.time()
            await asyncio.sleep((math.floor(now / step) + 1) * step - now + _SETTLING)
            now = time.time()
            whole_minute = math.floor(now / minute) > last_minute
            last_minute = math.floor(now / minute)
            for alarm in self._alarms.all():
                if not alarm.composite and (whole_minute or interval_of(alarm) < STANDARD_SECONDS):
                    self._evaluate(alarm, now)

    def _evaluate(self, alarm: Alarm, now: float) -> None:
        try:
            verdict = evaluate(alarm, self._metrics, self._clock, now)
        except Exception:
            logger.exception("alarm %s could not be evaluated; going on", alarm.name)
            return
        if verdict is None:
            return
        if verdict.state != alarm.state:
            self._alarms.change(alarm, verdict.state, verdict.reason, verdict.data)
        elif interval_of(alarm) == STANDARD_SECONDS:
            # "For Auto Scaling, the alarm continues to invoke the action once per minute that the alarm
            # remains in the new state" (CloudWatch guide, Alarm actions).
            for action in _scaling_actions(alarm):
                self._waiting.put_nowait((action, alarm.model_copy(), alarm.model_copy()))

    def _changed(self, alarm: Alarm, before: Alarm) -> None:
        self._events.emit(
            "CloudWatch Alarm State Change", event(alarm, before), [alarm.arn], source="aws.cloudwatch"
        )
        if alarm.actions_enabled:
            for action in alarm.actions(alarm.state):
                self._waiting.put_nowait((action, alarm.model_copy(), before))

    async def _act_for_ever(self) -> None:
        while True:
            action, alarm, before = await self._waiting.get()
            try:
                await self._act(action, alarm, before)
            except Exception as error:
                logger.warning("alarm %s: action %s failed: %s", alarm.name, action, error)
                self._alarms.note_action(alarm, action, str(error))
            else:
                if before.state != alarm.state:
                    self._alarms.note_action(alarm, action, None)

    async def _act(self, action: str, alarm: Alarm, before: Alarm) -> None:
        service = action.split(":")[2]
        if service == "sns":
            parameters = {
                "Action": "Publish",
                "Version": "2010-03-31",
                "TopicArn": action,
                "Subject": subject(alarm, self._region),
                "Message": notification(alarm, before.state, self._region),
            }
            await self._moto.query("sns", parameters)
        elif service == "autoscaling" and self._scaling is not None:
            await self._scaling(action, alarm)
        else:
            raise RuntimeError(f"actions of {service} are not served by the local SageMaker")


def _scaling_actions(alarm: Alarm) -> list[str]:
    if not alarm.actions_enabled:
        return []
    return [action for action in alarm.actions(alarm.state) if action.startswith("arn:aws:autoscaling:")]

"""Waiting while alarms are watched."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from local_sagemaker.clock import Clock

# States of CloudWatch alarms by name: OK, ALARM or INSUFFICIENT_DATA; names of no alarm are not in it.
AlarmStates = Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]

LOOK_SECONDS = 10.0
SHORTEST_LOOK = 0.05  # real seconds
logger = logging.getLogger(__name__)


class AlarmTripped(Exception):
    """An alarm of the AutoRollbackConfiguration is in ALARM; the message is the FailureReason."""


class Bake:
    """Baking periods of one deployment, guarded by its alarms."""

    def __init__(self, clock: Clock, alarm_states: AlarmStates, alarms: Sequence[str]) -> None:
        self._clock = clock
        self._alarm_states = alarm_states
        self._alarms = alarms

    async def wait(self, seconds: float) -> None:
        """Wait that much of the service's time; raises AlarmTripped as soon as an alarm is seen in ALARM.

        The alarms are looked at when the period begins, every 10 s of it, and when it is over.
        """
        if not self._alarms:
            await self._clock.sleep(seconds)
            return
        loop = asyncio.get_running_loop()
        end = loop.time() + self._clock.real(seconds)
        while True:
            await self._look()
            left = end - loop.time()
            if left <= 0:
                return
            await asyncio.sleep(min(left, self._clock.limit(LOOK_SECONDS, SHORTEST_LOOK)))

    async def _look(self) -> None:
        try:
            states = await self._alarm_states(self._alarms)
        except Exception:
            # A look that fails says nothing about the new fleet; the next one is soon.
            logger.exception("reading the states of alarms %s failed; going on", ", ".join(self._alarms))
            return
        tripped = [name for name in self._alarms if states.get(name) == "ALARM"]
        if tripped:
            raise AlarmTripped(
                f"The deployment was rolled back because the following CloudWatch alarm(s) went into ALARM "
                f"state: {', '.join(tripped)}."
            )

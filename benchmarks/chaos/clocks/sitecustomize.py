"""Clocks that go wrong: Python imports this by its name in every process of a stack under chaos.

A task that is started while the file CHAOS_CLOCK holds a number has its clock that many seconds ahead of
all others: the triggerer's, the scheduler's, other tasks'. What Airflow itself notes of the task comes
from its parent, a worker, and stays right, as does what a monotonic clock says.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

_CLOCK = os.environ.get("CHAOS_CLOCK")
_SCHEDULER = os.getpid()
_skewed = False


def _skew() -> None:
    global _skewed  # noqa: PLW0603 - what a task forks has its clock already
    if os.getppid() == _SCHEDULER or _skewed:
        return
    clock = Path(str(_CLOCK))
    try:
        ahead = float(clock.read_text() or "0")
        if ahead:
            time_machine.travel(datetime.now(UTC) + timedelta(seconds=ahead), tick=True).start()
            _skewed = True
            with clock.with_suffix(".met").open("a") as met:
                met.write(f"{os.getpid()} {ahead}\n")
    except (OSError, ValueError):
        return  # a full disk, or a number that is half written


if _CLOCK and "scheduler" in sys.argv:
    import time_machine

    os.register_at_fork(after_in_child=_skew)

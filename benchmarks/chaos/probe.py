"""A liveness probe, as an orchestrator has one: what runs but does nothing any more is ended."""

import math
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from benchmarks.chaos.account import Account
from benchmarks.chaos.victims import Victims, kill

_JOBS: Final = {"scheduler": "scheduler", "triggerer": "triggerer", "dag_processor": "dag-processor"}
_EVERY_SECONDS: Final = 3.0
_SILENT_SECONDS: Final = 40.0  # without a heartbeat, which comes every 2 s
_HTTP_SECONDS: Final = 5.0
_WELL_SECONDS: Final = 7.0
_BEGINS_SECONDS: Final = 120.0  # in which a process may still be starting, on a busy machine


@dataclass
class Probe:
    """Kills services without a heartbeat, from `start` until `stop`.

    A scheduler that meets an error ends, but first waits for workers that never end: its process stays.
    """

    url: str
    victims: Victims
    account: Account
    well_since: float = math.inf
    """Since when, by the monotonic clock, everything has a heartbeat; infinity while something has none."""
    _silent_since: float | None = None
    _end: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        threading.Thread(target=self._look_on, name="probe", daemon=True).start()

    def stop(self) -> None:
        self._end.set()

    def _look_on(self) -> None:
        http = httpx.Client(base_url=self.url, timeout=_HTTP_SECONDS)
        while not self._end.wait(_EVERY_SECONDS):
            try:
                answer = http.get("/api/v2/monitor/health")
                health: dict[str, Any] = answer.raise_for_status().json()
            except (httpx.HTTPError, ValueError):
                self._unanswered()
                continue
            self._silent_since = None
            beats = {job: _age(health.get(job, {}).get(f"latest_{job}_heartbeat")) for job in _JOBS}
            well = max(beats.values()) < _WELL_SECONDS and self.victims.all_up()
            self.well_since = min(self.well_since, time.monotonic()) if well else math.inf
            for job, service in _JOBS.items():
                if beats[job] > _SILENT_SECONDS:
                    self._restart(service)

    def _unanswered(self) -> None:
        self.well_since = math.inf
        self._silent_since = self._silent_since or time.monotonic()
        if time.monotonic() - self._silent_since > _BEGINS_SECONDS:
            self._restart("api-server")

    def _restart(self, service: str) -> None:
        process = self.victims.service(service)
        if process is not None and time.time() - process.create_time() > _BEGINS_SECONDS:
            kill(self.victims.tree(service))
            self.account.probed[service] += 1
            self.account.tell("probe", service=service)


def _age(heartbeat: str | None) -> float:
    """Seconds since a heartbeat; infinity where there was none."""
    if heartbeat is None:
        return math.inf
    return (datetime.now(UTC) - datetime.fromisoformat(heartbeat)).total_seconds()

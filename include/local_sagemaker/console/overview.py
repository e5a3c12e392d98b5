"""Everything the page shows, as JSON; nothing that models or jobs are given in confidence."""

import time
from collections.abc import Sequence
from typing import Any

from local_sagemaker.account import ACCOUNT_ID
from local_sagemaker.console.endpoint_view import endpoint_view
from local_sagemaker.console.log_files import LogFiles
from local_sagemaker.console.sources import Sources

_MAX_JOBS = 50
_FRESH_SECONDS = 0.4
# Fields of a rule that say how it is counted, and not where it applies.
_COUNTERS = ("id", "fault", "seen", "hits", "in_force")


class Overview:
    """One view of each part, and all of them together."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self.logs = LogFiles(sources.logs_dir, sources.job_logs_dir)
        self._whole: tuple[float, dict[str, Any]] = (0.0, {})

    def whole(self) -> dict[str, Any]:
        """What the page shows; looked up anew at most every 0.4 s, however many look on."""
        made, view = self._whole
        if not view or time.monotonic() - made >= _FRESH_SECONDS:
            view = {
                "server": self.server(),
                "endpoints": self.endpoints(),
                "jobs": self.jobs()[:_MAX_JOBS],
                "alarms": self.alarms(),
                "targets": self.targets(),
                "faults": self.faults(),
                "quotas": self._sources.quotas.view(),
                "changes": self.changes(),
            }
            self._whole = (time.monotonic(), view)
        return view

    def server(self) -> dict[str, Any]:
        """What the server was told."""
        settings = self._sources.settings
        return {
            "region": settings.region,
            "account": ACCOUNT_ID,
            "time_scale": settings.time_scale,
            "state_dir": str(settings.state_dir),
        }

    def endpoints(self) -> list[dict[str, Any]]:
        """Every endpoint, by name."""
        metrics = self._sources.cloudwatch.metrics
        views = [endpoint_view(endpoint, metrics, self.logs) for endpoint in self._sources.endpoints.all()]
        return sorted(views, key=lambda view: str(view["name"]))

    def jobs(self) -> list[dict[str, Any]]:
        """Every job, the newest first."""
        views = [
            {
                "kind": book.kind.arn_kind,
                "name": job.name,
                "status": job.status,
                "secondary_status": job.secondary,
                "failure_reason": job.failure_reason,
                "attempts": job.attempts,
                "created": job.created,
                "started": job.started,
                "ended": job.ended,
                "logs": self.logs.of_job(book.kind.arn_kind, job.name),
            }
            for book in self._sources.jobs.books
            for job in book.all()
        ]
        return sorted(views, key=lambda view: float(view["created"]), reverse=True)

    def alarms(self) -> list[dict[str, Any]]:
        """Every alarm, by name."""
        return [
            {"name": alarm.name, "state": alarm.state, "since": alarm.transitioned, "reason": alarm.reason}
            for alarm in self._sources.cloudwatch.alarms.all()
        ]

    def targets(self) -> list[dict[str, Any]]:
        """Every variant that Application Auto Scaling may scale."""
        return [
            {"resource": target.resource_id, "minimum": target.minimum, "maximum": target.maximum}
            for target in self._sources.autoscaling.targets()
        ]

    def faults(self) -> list[dict[str, Any]]:
        """Every fault, with where it applies in one line."""
        return [
            {
                **{name: view[name] for name in _COUNTERS},
                "members": ", ".join(
                    f"{name} {_shown(value)}" for name, value in view.items() if name not in _COUNTERS
                ),
            }
            for view in self._sources.faults.rules.view()
        ]

    def changes(self) -> list[dict[str, Any]]:
        """The last changes of states, the newest first."""
        return [
            {
                "time": at.timestamp(),
                "kind": event["detail-type"],
                "resource": _resource(event["resources"], event["detail"]),
                "state": _state(event["detail"]),
            }
            for at, event in reversed(self._sources.events.recent)
        ]


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _resource(arns: Sequence[str], detail: dict[str, Any]) -> str:
    if arns:
        return arns[0].split(":", 5)[-1]
    return next((str(value) for name, value in detail.items() if name.endswith("Name")), "")


def _state(detail: dict[str, Any]) -> str | None:
    """The status that a detail tells, as the API spells it (IN_SERVICE is InService)."""
    state = detail.get("state")
    if isinstance(state, dict):
        return str(state.get("value"))
    found = next((value for name, value in detail.items() if name.endswith("Status") and value), None)
    if not isinstance(found, str):
        return None
    return "".join(word.title() for word in found.split("_")) if found.isupper() else found

"""How jobs are spoken of: in their transitions' messages and in events."""

from typing import Any

_ENDINGS = {
    "Completed": "{label} completed",
    "Failed": "{label} failed",
    "Stopped": "{label} stopped",
    "MaxRuntimeExceeded": "{label} runtime exceeded MaxRuntimeInSeconds provided",
    "MaxWaitTimeExceeded": "{label} exceeded MaxWaitTimeInSeconds provided",
}


def ending_message(label: str, secondary: str) -> str:
    """The message of a job's last transition; `label` is the kind's, as in "training job"."""
    return _ENDINGS[secondary].format(label=label.capitalize())


def event_detail(shown: Any) -> Any:
    """What describe shows, as events have it: times in milliseconds."""
    if isinstance(shown, dict):
        return {
            name: int(value * 1000)
            if name.endswith("Time") and isinstance(value, float)
            else event_detail(value)
            for name, value in shown.items()
        }
    return [event_detail(item) for item in shown] if isinstance(shown, list) else shown

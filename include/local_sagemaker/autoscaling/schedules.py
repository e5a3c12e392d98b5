"""When scheduled actions run: at a time, at a rate, or by cron (PutScheduledAction's reference)."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from local_sagemaker.api.errors import invalid
from local_sagemaker.clock import Clock

_FORM = re.compile(r"(at|rate|cron)\((.+)\)")
_RATE = re.compile(r"(\d+) (minute|hour|day)s?")
_UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
_CRON_FIELDS = 6


def next_time(schedule: str, timezone: str | None, clock: Clock, after: float, begun: float) -> float | None:
    """When the schedule is due next after `after`; None when it is not any more.

    Times are seconds since the epoch. `at` and `cron` name times of day, which are real; `rate` is a
    wait since `begun`, divided by the time scale. Raises ValidationException for a schedule that cannot
    be read.
    """
    found = _FORM.fullmatch(schedule)
    if found is None:
        raise _bad(schedule)
    kind, expression = found.groups()
    zone = _zone(timezone)
    if kind == "at":
        due = _moment(schedule, expression, zone)
        return due if due > after else None
    if kind == "rate":
        period = clock.real(_rate(schedule, expression))
        return begun + (int((after - begun) / period) + 1) * period
    return _cron(schedule, expression, zone, after)


def _zone(timezone: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise invalid(f"Invalid time zone: {timezone}") from error


def _moment(schedule: str, expression: str, zone: ZoneInfo) -> float:
    try:
        return datetime.strptime(expression, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=zone).timestamp()
    except ValueError as error:
        raise _bad(schedule) from error


def _rate(schedule: str, expression: str) -> int:
    found = _RATE.fullmatch(expression)
    if found is None or int(found[1]) == 0:
        raise _bad(schedule)
    return int(found[1]) * _UNITS[found[2]]


def _cron(schedule: str, expression: str, zone: ZoneInfo, after: float) -> float | None:
    """AWS writes minute, hour, day, month, day of the week from 1 (Sunday) and year."""
    from croniter import CroniterBadDateError, CroniterError, croniter  # noqa: PLC0415 - few need it

    fields = expression.replace("?", "*").split()
    if len(fields) != _CRON_FIELDS:
        raise _bad(schedule)
    minute, hour, day, month, weekday, year = fields
    weekday = re.sub(r"(?<![#/\d])[1-7]", lambda digit: str(int(digit[0]) - 1), weekday)
    try:
        moments = croniter(
            f"{minute} {hour} {day} {month} {weekday} 0 {year}", datetime.fromtimestamp(after, zone)
        )
        due: datetime = moments.get_next(datetime)
    except CroniterBadDateError:
        return None
    except (CroniterError, ValueError) as error:
        raise _bad(schedule) from error
    return due.astimezone(UTC).timestamp()


def _bad(schedule: str) -> Exception:
    return invalid(f"Invalid schedule expression: {schedule}")

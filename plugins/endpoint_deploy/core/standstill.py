"""Whether a deployment may be changed now: frozen by a person, or out of its change window."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock

from endpoint_deploy.core.change_spec import DAYS, ChangesSpec
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.strict import Strict
from endpoint_deploy.errors import EndpointDeployError

_DAY = timedelta(days=1)
# How far ahead an opening is looked for: as many closed days as a spec may name, and a week of windows.
_HORIZON_DAYS = 410


class Freeze(Strict):
    """What a person has said: nothing is released here until it is thawed, or until a time.

    Times are UTC, ISO 8601. One that was thawed is kept, to say who it was.
    """

    reason: str
    by: str
    since: str
    until: str | None = None
    thawed_at: str | None = None
    thawed_by: str | None = None
    thawed_because: str = ""

    def holds(self, now: datetime) -> bool:
        """Whether it is in force; `now` knows its time zone."""
        return self.thawed_at is None and (self.until is None or now < datetime.fromisoformat(self.until))

    @property
    def sentence(self) -> str:
        """Who has frozen it, why and for how long, without a full stop."""
        until = f" until {self.until}" if self.until else ""
        said = f"frozen by {self.by} since {self.since}{until}: {self.reason}"
        if self.thawed_at is None:
            return said
        because = f": {self.thawed_because}" if self.thawed_because else ""
        return f"{said}; thawed by {self.thawed_by} at {self.thawed_at}{because}"


class Standstill(Strict):
    """Why nothing may be changed now. `until`: UTC, ISO 8601; None where a person has to end it."""

    reason: str
    until: str | None = None
    frozen: bool = False


def standstill(changes: ChangesSpec, freeze: Freeze | None, now: datetime) -> Standstill | None:
    """Why a release is held at this time; None where it may go on. `now` knows its time zone."""
    if freeze is not None and freeze.holds(now):
        return Standstill(reason=freeze.sentence, until=freeze.until, frozen=True)
    if _is_open(changes, now):
        return None
    here = now.astimezone(changes.zone)
    opening = _opening(changes, now)
    at = f"opens {_said(opening.astimezone(changes.zone))}" if opening else "does not open in a year"
    day = f"{here.date().isoformat()} is a closed day, " if _closed(changes, here) else ""
    return Standstill(
        reason=f"out of its change window: {day}it {at}",
        until=opening.isoformat(timespec="seconds") if opening else None,
    )


def with_standstill(plan: Plan, found: Standstill | None) -> Plan:
    """The plan, with a warning where its release would be held."""
    if found is None or plan.action == "nothing":
        return plan
    warning = f"the release is held before anything is made: {plan.endpoint} is {found.reason}"
    return plan.model_copy(update={"warnings": (*plan.warnings, warning)})


def _is_open(changes: ChangesSpec, now: datetime) -> bool:
    here = now.astimezone(changes.zone)
    if _closed(changes, here):
        return False
    if not changes.windows:
        return True
    # Compared as the clock on the wall shows it: 08:00 is 08:00 in summer and in winter.
    wall = here.replace(tzinfo=None)
    days = (here.date() - _DAY, here.date())
    return any(opens <= wall < closes for day in days for opens, closes in _hours(changes, day))


def _closed(changes: ChangesSpec, here: datetime) -> bool:
    return here.date().isoformat() in changes.closed


def _hours(changes: ChangesSpec, day: date) -> Iterator[tuple[datetime, datetime]]:
    """The windows that open on a day, as the clock on the wall shows them."""
    for window in changes.windows:
        if DAYS[day.weekday()] in window.days:
            opens, closes = window.hours
            ends = day if closes > opens else day + _DAY
            yield datetime.combine(day, opens), datetime.combine(ends, closes)


def _opening(changes: ChangesSpec, now: datetime) -> datetime | None:
    """The next moment at which it is open, in UTC: where hours begin, or a closed day ends."""
    first = now.astimezone(changes.zone).date()
    for ahead in range(_HORIZON_DAYS):
        day = first + ahead * _DAY
        starts = {datetime.combine(day, clock()), *(opens for opens, _ in _hours(changes, day))}
        for wall in sorted(starts):
            moment = wall.replace(tzinfo=changes.zone)
            # An hour that summer time skips is one that the clock never shows: what it becomes is looked at.
            moment = datetime.fromtimestamp(moment.timestamp(), tz=now.tzinfo)
            if moment > now and _is_open(changes, moment):
                return moment
    return None


def _said(moment: datetime) -> str:
    return f"{DAYS[moment.weekday()]} {moment:%Y-%m-%d %H:%M %Z}"


def until_of(said: str | None, *, now: datetime) -> str | None:
    """When a freeze ends, as it is kept: UTC; a time without a zone is UTC's. Raises EndpointDeployError.

    said: ISO 8601, or None or empty for as long as nobody thaws it.
    """
    if not said:
        return None
    try:
        given = datetime.fromisoformat(said)
    except ValueError:
        given = None
    if given is not None:
        given = given if given.tzinfo else given.replace(tzinfo=UTC)
    if given is None or given <= now:
        raise EndpointDeployError(f"found until {said!r}, expected a later time, e.g. 2026-12-27T06:00+01:00")
    return given.astimezone(UTC).isoformat(timespec="seconds")

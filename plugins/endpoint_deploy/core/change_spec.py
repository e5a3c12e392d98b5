"""When a deployment may be changed: weekly windows, closed days, and how long a release waits for either."""

from datetime import date, time
from typing import Annotated, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from endpoint_deploy.core import fields as f
from endpoint_deploy.core.problems import Unfit
from endpoint_deploy.core.strict import Strict

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)
_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"
_CLOCK_SAYS = "a time of day, e.g. 08:00"
_DATE = r"^\d{4}-\d{2}-\d{2}$"
_DATE_SAYS = "a date, e.g. 2026-12-24"


def _in_calendar(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise Unfit(found=repr(text), expected="a day that there is, e.g. 2026-12-24") from None
    return text


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise Unfit(found=repr(name), expected="a time zone's name, e.g. Europe/Berlin, or UTC") from None
    return name


Clock = Annotated[str, Field(pattern=_CLOCK, json_schema_extra={"patternErrorMessage": _CLOCK_SAYS})]
ClosedDate = Annotated[
    str,
    Field(pattern=_DATE, json_schema_extra={"patternErrorMessage": _DATE_SAYS}),
    AfterValidator(_in_calendar),
]
TimeZone = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_known_zone)]


class ChangeWindow(Strict):
    """The same hours of days of the week. Hours that end before they begin last into the next day."""

    days: Annotated[tuple[Day, ...], Field(min_length=1, max_length=7), f.unique("day")] = DAYS
    opens: Clock = Field(description="Time of day, such as 08:00.")
    closes: Clock = Field(description="Time of day; at or before `opens` it is that of the next day.")

    @property
    def hours(self) -> tuple[time, time]:
        """Opening and closing time."""
        return time.fromisoformat(self.opens), time.fromisoformat(self.closes)


class ChangesSpec(Strict):
    """When releases may change the endpoint. The way back is always open."""

    timezone: TimeZone = Field("UTC", description="Of the windows and the closed days, with its summer time.")
    windows: Annotated[tuple[ChangeWindow, ...], Field(max_length=50)] = Field(
        (), description="When releases may go on; without any, always."
    )
    closed: Annotated[tuple[ClosedDate, ...], Field(max_length=400), f.unique("date")] = Field(
        (), description="Days, such as 2026-12-24, on which no release goes on."
    )
    hold_timeout_seconds: Annotated[int, Field(ge=10, le=7_776_000)] = Field(
        1_209_600, description="A release that is held for longer, by a freeze or out of its window, fails."
    )
    poll_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        60, description="How often a held release looks whether it may go on."
    )

    @model_validator(mode="after")
    def _each_window_once(self) -> Self:
        for index, window in enumerate(self.windows):
            if window in self.windows[:index]:
                raise Unfit(
                    at=("windows", index), found="the same window again", expected="each of them once"
                )
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.timezone)

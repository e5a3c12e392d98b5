"""When a deployment may be changed: freezes, windows, closed days, summer time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoint_deploy.core.change_spec import DAYS, ChangesSpec
from endpoint_deploy.core.standstill import Freeze, standstill, until_of
from endpoint_deploy.errors import EndpointDeployError

BERLIN = {"timezone": "Europe/Berlin"}
OFFICE = {"days": ["mon", "tue", "wed", "thu", "fri"], "opens": "08:00", "closes": "17:00"}


def changes(**section: Any) -> ChangesSpec:
    return ChangesSpec.model_validate(section)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def opens(spec: ChangesSpec, now: str) -> str | None:
    """When it opens next; "now" where it is open."""
    found = standstill(spec, None, utc(now))
    return found.until if found else "now"


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-01-05T07:00:00", "now"),  # a Monday, 08:00 in Berlin
        ("2026-01-05T06:59:59", "2026-01-05T07:00:00+00:00"),
        ("2026-01-05T16:00:00", "2026-01-06T07:00:00+00:00"),
        ("2026-01-09T18:00:00", "2026-01-12T07:00:00+00:00"),  # Friday evening: Monday
        ("2026-07-06T06:00:00", "now"),  # in summer 08:00 is two hours from UTC
        ("2026-03-27T16:30:00", "2026-03-30T06:00:00+00:00"),  # over the change to summer time
    ],
)
def test_hours_are_those_of_the_clock_on_the_wall(now: str, until: str) -> None:
    assert opens(changes(**BERLIN, windows=[OFFICE]), now) == until


def test_hours_may_last_into_the_next_day() -> None:
    nights = changes(windows=[{"days": ["fri"], "opens": "22:00", "closes": "04:00"}])
    assert opens(nights, "2026-01-09T21:00:00") == "2026-01-09T22:00:00+00:00"
    assert opens(nights, "2026-01-10T03:59:00") == "now"  # Saturday, in Friday's window
    assert opens(nights, "2026-01-10T04:00:00") == "2026-01-16T22:00:00+00:00"


def test_a_closed_day_is_closed_from_midnight_to_midnight() -> None:
    always = changes(**BERLIN, closed=["2026-12-24", "2026-12-25"])
    assert opens(always, "2026-12-23T22:59:00") == "now"
    assert opens(always, "2026-12-23T23:00:00") == "2026-12-25T23:00:00+00:00"
    found = standstill(always, None, utc("2026-12-24T10:00:00"))
    assert found is not None
    assert "2026-12-24 is a closed day" in found.reason
    assert "opens sat 2026-12-26 00:00 CET" in found.reason


def test_an_hour_that_summer_time_skips_opens_when_it_is_over() -> None:
    skipped = changes(**BERLIN, windows=[{"days": ["sun"], "opens": "02:30", "closes": "04:00"}])
    # On 2026-03-29 the clock goes from 02:00 to 03:00.
    assert opens(skipped, "2026-03-29T00:00:00") == "2026-03-29T01:30:00+00:00"


def test_what_never_opens_says_so() -> None:
    days = [(utc("2026-01-01T00:00:00") + timedelta(days=n)).date().isoformat() for n in range(400)]
    only_then = changes(closed=days, windows=[{"days": ["thu"], "opens": "08:00", "closes": "09:00"}])
    found = standstill(only_then, None, utc("2026-01-01T08:30:00"))
    assert found is not None
    assert found.until == "2027-02-11T08:00:00+00:00"


MOMENTS = st.integers(0, 3 * 366 * 86_400).map(lambda s: utc("2025-01-01T00:00:00") + timedelta(seconds=s))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "Asia/Tokyo"])
CLOCKS = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda t: f"{t[0]:02}:{t[1]:02}")
WINDOWS = st.fixed_dictionaries(
    {"days": st.lists(st.sampled_from(DAYS), min_size=1, unique=True), "opens": CLOCKS, "closes": CLOCKS}
)


@given(MOMENTS, st.lists(WINDOWS, min_size=1, max_size=3), ZONES)
def test_it_is_closed_until_it_opens_and_open_then(
    now: datetime, windows: list[dict[str, Any]], zone: str
) -> None:
    unique = [window for index, window in enumerate(windows) if window not in windows[:index]]
    spec = changes(timezone=zone, windows=unique)
    found = standstill(spec, None, now)
    if found is None:
        return
    assert found.until is not None
    opening = datetime.fromisoformat(found.until)
    assert opening > now
    assert standstill(spec, None, opening) is None
    for part in range(1, 5):
        between = now + (opening - now) * part / 5
        assert standstill(spec, None, between) is not None


def test_a_freeze_holds_until_its_time_or_until_it_is_thawed() -> None:
    freeze = Freeze(
        reason="audit", by="ann", since="2026-01-01T00:00:00+00:00", until="2026-01-02T00:00:00+00:00"
    )
    found = standstill(ChangesSpec(), freeze, utc("2026-01-01T12:00:00"))
    assert found is not None
    assert found.frozen
    assert found.reason == (
        "frozen by ann since 2026-01-01T00:00:00+00:00 until 2026-01-02T00:00:00+00:00: audit"
    )
    assert standstill(ChangesSpec(), freeze, utc("2026-01-02T00:00:00")) is None
    thawed = freeze.model_copy(update={"thawed_at": "2026-01-01T01:00:00+00:00", "thawed_by": "bob"})
    assert standstill(ChangesSpec(), thawed, utc("2026-01-01T12:00:00")) is None
    assert thawed.sentence.endswith("audit; thawed by bob at 2026-01-01T01:00:00+00:00")


@pytest.mark.parametrize("said", ["tomorrow", "2026-01-01", "2025-12-31T23:00"])
def test_a_freeze_that_ends_before_it_begins_is_refused(said: str) -> None:
    with pytest.raises(EndpointDeployError, match="expected a later time"):
        until_of(said, now=utc("2026-01-01T00:00:00"))


def test_the_end_of_a_freeze_is_kept_in_utc() -> None:
    now = utc("2026-01-01T00:00:00")
    assert until_of("2026-01-02T06:00+01:00", now=now) == "2026-01-02T05:00:00+00:00"
    assert until_of("2026-01-02T06:00", now=now) == "2026-01-02T06:00:00+00:00"
    assert until_of("", now=now) is None

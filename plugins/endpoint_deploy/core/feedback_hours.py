"""The hours of captured requests and ground truth: `…/YYYY/MM/DD/HH/…`, in UTC."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from pydantic import Field

from endpoint_deploy.core import naming
from endpoint_deploy.core.feedback import Figures
from endpoint_deploy.core.retrain import DataFile
from endpoint_deploy.core.strict import Strict

_HOUR = re.compile(r"(?:^|/)(\d{4})/(\d\d)/(\d\d)/(\d\d)/[^/]+$")


class MergedHour(Strict):
    """What an hour's file was made of: `digest` covers all of it but the captured requests.

    `content` is the file's SHA-256 in hex: S3's ETag is not the bytes', and is another one with every put
    of the same bytes where the bucket encrypts with KMS (API reference, "Object": ETag).
    """

    digest: str
    figures: Figures
    content: str | None = None


class Merged(Strict):
    """Every hour of truth that was merged, by its name `YYYY-MM-DD-HH`."""

    hours: dict[str, MergedHour] = Field(default={})


def hour_of(key: str) -> datetime | None:
    """The hour that an object's key names; None where it names none."""
    match = _HOUR.search(key)
    if match is None:
        return None
    try:
        return datetime(*(int(part) for part in match.groups()), tzinfo=UTC)  # type: ignore[arg-type, misc]
    except ValueError:
        return None


def by_hour(files: Iterable[DataFile]) -> dict[datetime, tuple[DataFile, ...]]:
    """JSON lines by their hour, in the order of hours and keys; what has no hour is left out."""
    found: defaultdict[datetime, list[DataFile]] = defaultdict(list)
    for file in files:
        hour = hour_of(file.key)
        if hour is not None and file.key.endswith(".jsonl"):
            found[hour].append(file)
    return {hour: tuple(sorted(found[hour], key=lambda file: file.key)) for hour in sorted(found)}


def name_of(hour: datetime) -> str:
    """The hour as it stands in names."""
    return f"{hour:%Y-%m-%d-%H}"


def before(hour: datetime, delay: int) -> datetime:
    """The first hour whose requests the truth of an hour may be about."""
    return hour - timedelta(hours=delay)


def days(first: datetime, last: datetime) -> Iterator[str]:
    """`YYYY/MM/DD` of each day from the first hour to the last."""
    day = first.date()
    while day <= last.date():
        yield f"{day:%Y/%m/%d}"
        day += timedelta(days=1)


def hours_to_merge(
    truth: Mapping[datetime, tuple[DataFile, ...]],
    done: Merged,
    there: frozenset[str],
    settings: object,
    delay: int,
) -> dict[datetime, str]:
    """The hours whose file is missing, or was made of other truth, with the digest of what they are made of.

    Earlier truth counts, too, since what had its truth before is left out. An hour with truth of unknown
    requests is tried again as long as truth is delivered within `delay` hours of it: a request may be
    captured late. there: names of the hours that have a file; settings: what else the file depends on.
    """
    found: dict[datetime, str] = {}
    newest = max(truth, default=None)
    for hour in truth:
        first = before(hour, delay)
        made_of = [[f.key, f.etag] for other, files in truth.items() if first <= other <= hour for f in files]
        digest = naming.digest([made_of, settings])
        name = name_of(hour)
        known = done.hours.get(name)
        if known is not None and known.digest == digest:
            complete = known.figures.unknown == 0 or newest is None or hour < before(newest, delay)
            if complete and (name in there or known.figures.rows == 0):
                continue
        found[hour] = digest
    return found


def lost(known: MergedHour | None, now: Figures) -> bool:
    """Whether an hour would lose rows because requests that were found before are no longer captured.

    Captures are deleted after a while, by the bucket's lifecycle; the rows that were made of them are all
    that is left. Rows of truth that was taken back are not lost: their requests are not unknown.
    """
    return known is not None and now.joined < known.figures.joined and now.unknown > known.figures.unknown

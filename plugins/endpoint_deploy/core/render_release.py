"""Records of the ledger as text: a row of a history, one record in full, what tells two apart."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from endpoint_deploy.core.release import Release
from endpoint_deploy.core.render_analysis import analysis_lines, taken_out

_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60
_DIGEST = 12  # as git shortens: enough to find a release by


def one_line(text: str) -> str:
    """Text that somebody else wrote, without what would move a terminal's cursor or begin a new line."""
    return "".join(each if each.isprintable() else " " for each in text).strip()


def duration(seconds: float) -> str:
    """Seconds in the two largest units that matter: `3d 4h`, `2m 5s`, `0.4s`."""
    if seconds < _MINUTE:
        return f"{seconds:.3g}s"
    whole = timedelta(seconds=int(seconds))
    hours, rest = divmod(whole.seconds, _HOUR)
    minutes, left = divmod(rest, _MINUTE)
    if seconds >= _DAY:
        return f"{whole.days}d {hours}h"
    return f"{hours}h {minutes}m" if seconds >= _HOUR else f"{minutes}m {left}s"


def age(finished_at: str, now: datetime) -> float:
    """Seconds since a record's time; `now` knows its time zone."""
    return max(0.0, (now - datetime.fromisoformat(finished_at)).total_seconds())


def who(release: Release) -> str:
    """Who started the run, and who approved or rejected its plan."""
    by = release.run.triggered_by or release.run.run_type
    decided = release.approval
    if decided is None:
        return by
    return f"{by}, {decided.verdict} by {decided.user or decided.by}"


def short_digest(release: Release) -> str:
    """The artifact's SHA-256, shortened; empty where the record has none."""
    return (release.artifact_sha256 or "")[:_DIGEST]


def why(release: Release) -> str:
    """Why it was asked for, and where it failed, what was said."""
    failed = f"{release.failure.task_id}: {release.failure.message}" if release.failure else ""
    return one_line("; ".join(part for part in (release.asked_because, failed) if part))


def render_release(release: Release) -> str:
    """One record in full, a `path: value` a line; ends with a newline, no colours. Empty fields left out."""
    head = f"{release.endpoint} #{release.sequence}: {release.kind} {release.outcome}"
    record = release.model_dump(mode="json")
    judged, rest = taken_out(record["evidence"])
    rows = flattened({**record, "evidence": rest})
    shown = (f"  {path}: {one_line(value)}" for path, value in rows if path not in _IN_HEAD)
    said = ("  " * depth + one_line(line) for depth, line in analysis_lines(judged))
    return "\n".join([head, *shown, *said]) + "\n"


def render_comparison(one: Release, other: Release) -> str:
    """What two records differ in, in the form of a plan's differences; ends with a newline."""
    lines = [f"{one.endpoint} #{one.sequence} -> #{other.sequence}"]
    lines += [f"  {_difference(path, *both)}" for path, both in compared(one, other).items()]
    return "\n".join(lines) + "\n"


def compared(one: Release, other: Release) -> dict[str, tuple[str | None, str | None]]:
    """Path to before and after of everything in which two records differ; None: not there."""
    before, after = (dict(flattened(each.model_dump(mode="json"))) for each in (one, other))
    paths = [*before, *(path for path in after if path not in before)]
    return {p: (before.get(p), after.get(p)) for p in paths if before.get(p) != after.get(p)}


_IN_HEAD = frozenset({"schema_version", "sequence", "endpoint", "kind", "outcome"})


def _difference(path: str, before: str | None, after: str | None) -> str:
    if before is None:
        return f"+ {path}: {one_line(after or '')}"
    if after is None:
        return f"- {path}: {one_line(before)}"
    return f"~ {path}: {one_line(before)} -> {one_line(after)}"


def flattened(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every leaf of a JSON document with its path, such as `live.variants[0].name`; empty ones left out."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from flattened(each, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from flattened(each, f"{path}[{index}]")
    elif value not in (None, ""):
        yield path, str(value)

"""Where a member would land: names and link targets, judged by their spelling alone.

An extractor follows these paths; nothing here touches a file system.
"""

import posixpath
import re
from collections.abc import Mapping

_DRIVE = re.compile(r"^[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def normalise(name: str) -> str:
    """Return the name as an extractor resolves it: no `.`, no doubled slashes; `.` for the root."""
    return posixpath.normpath(name)


def why_unsafe(name: str) -> str | None:
    """Return why a member of that name could land outside the archive's directory, or None.

    Backslashes and drive letters are refused although Linux takes them for letters: the archive may be
    unpacked elsewhere, and no training job writes them.
    """
    if not name:
        return "an empty name"
    if _CONTROL.search(name):
        return "control characters, or bytes that are not UTF-8, in its name"
    if name.startswith(("/", "\\")):
        return "an absolute path"
    if _DRIVE.match(name):
        return "a path with a drive letter"
    if ".." in re.split(r"[/\\]", name):
        return "a path with `..` in it"
    if "\\" in name:
        return "a path with backslashes in it"
    return None


def why_link_leaves(member: str, target: str, *, is_symlink: bool) -> str | None:
    """Return why a link may lead out of the archive's directory, or None.

    A symlink's target is relative to its own directory, a hard link's to the archive's root. `..` is
    taken only at the start of a symlink's target: after a name it may climb out of wherever another
    link has led, which no spelling shows.
    """
    unsafe = why_unsafe(target)
    if not is_symlink or unsafe is None:
        return unsafe
    if unsafe != "a path with `..` in it" or "\\" in target:
        return unsafe
    parts = [part for part in target.split("/") if part not in ("", ".")]
    climbs = len(parts) - len([part for part in parts if part != ".."])
    if ".." in parts[climbs:]:
        return "a path that climbs with `..` after descending"
    if climbs > len(parents(member)):
        return "a path that climbs out of the archive"
    return None


def parents(name: str) -> list[str]:
    """Return the directories above a normalised name, outermost first, without the root."""
    parts = normalise(name).split("/")[:-1]
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


def clash(name: str, seen: Mapping[str, str]) -> str | None:
    """Return how a member collides with those before it (normalised name to type), or None.

    The same directory twice is harmless; the same file twice means that what was looked at first is not
    what lies there in the end.
    """
    here = normalise(name)
    return next(
        (
            f"it would be written through {above!r}, which is a {seen[above]}"
            for above in parents(here)
            if seen.get(above, "dir") != "dir"
        ),
        None,
    )

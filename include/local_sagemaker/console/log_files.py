"""The logs of endpoints' containers and of jobs: what there is, its end, and what is added to it."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

TAIL_BYTES = 256 * 1024
_EVERY_SECONDS = 0.25
_ENDPOINTS, _JOBS = "endpoints", "jobs"


class LogFiles:
    """Log files by name: `endpoints/NAME/FILE`, `jobs/KIND/NAME/FILE`."""

    def __init__(self, endpoints: Path, jobs: Path) -> None:
        self._roots = {_ENDPOINTS: endpoints, _JOBS: jobs}

    def name_of(self, path: Path) -> str:
        """The name of a log by its file."""
        for prefix, root in self._roots.items():
            if path.is_relative_to(root):
                return f"{prefix}/{path.relative_to(root)}"
        raise ValueError(f"{path} is no log")

    def of_endpoint(self, name: str) -> list[str]:
        """The names of an endpoint's logs, the oldest first; also of one that is gone."""
        root = self._roots[_ENDPOINTS]
        return self._named(path for path in root.glob("*/*.log") if path.parent.name.lower() == name.lower())

    def of_job(self, kind: str, name: str) -> list[str]:
        """The names of a job's logs, the oldest first."""
        root = self._roots[_JOBS] / kind
        return self._named(
            path
            for directory in root.glob("*")
            if directory.name.lower() == name.lower()
            for path in directory.rglob("*.log")
        )

    def find(self, name: str) -> Path | None:
        """The file of that name; None when there is none, or it is not a log's name."""
        prefix, _, rest = name.partition("/")
        root = self._roots.get(prefix)
        if root is None or "\0" in rest:
            return None
        path = (root / rest).resolve()
        inside = path.is_relative_to(root.resolve()) and path.suffix == ".log"
        return path if inside and path.is_file() else None

    def _named(self, paths: Iterable[Path]) -> list[str]:
        return [self.name_of(path) for path in sorted(paths, key=lambda path: path.stat().st_mtime)]


def tail(path: Path, size: int = TAIL_BYTES) -> str:
    """The last `size` bytes of a file, as text."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read().decode("utf-8", "replace")


async def follow(path: Path, size: int, ending: asyncio.Event) -> AsyncIterator[bytes]:
    """The last `size` bytes, and what is added from then on, until nobody reads any more or `ending`."""
    position = max(0, path.stat().st_size - size)
    while path.exists() and not ending.is_set():
        with path.open("rb") as file:
            file.seek(position)
            added = file.read(TAIL_BYTES)
        if added:
            position += len(added)
            yield added
        else:
            await asyncio.sleep(_EVERY_SECONDS)

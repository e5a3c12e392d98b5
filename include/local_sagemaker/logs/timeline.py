"""When the lines of a log file were written, kept beside it: the file itself does not say."""

import bisect
from pathlib import Path


class Timeline:
    """Times, in milliseconds since the epoch, by position in the file."""

    def __init__(self, log: Path) -> None:
        self._path = log.with_suffix(".times")
        self._offsets: list[int] = []
        self._times: list[int] = []
        if self._path.exists():
            for line in self._path.read_text().splitlines():
                offset, _, time = line.partition(" ")
                if offset.isdigit() and time.isdigit():  # the last line may be cut short by a kill
                    self._offsets.append(int(offset))
                    self._times.append(int(time))

    def at(self, offset: int, now: int) -> int:
        """When the byte at `offset` was first seen; from now on that is `now`, if nobody has seen it yet."""
        known = bisect.bisect_right(self._offsets, offset) - 1
        return self._times[known] if known >= 0 else now

    def seen(self, start: int, now: int) -> None:
        """What lies from `start` to the end of the file was seen for the first time."""
        if self._offsets and start <= self._offsets[-1]:
            return
        self._offsets.append(start)
        self._times.append(now)
        with self._path.open("a") as file:
            file.write(f"{start} {now}\n")

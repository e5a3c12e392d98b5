"""Takes log files to the logs API, line by line, while they are written and again after a restart."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local_sagemaker.backing.moto import Moto
from local_sagemaker.logs.timeline import Timeline
from local_sagemaker.store import Store

_KIND = "log-stream"
_EVERY_SECONDS = 0.5
_UNFINISHED_LINE_SECONDS = 2.0  # without an end, after which a line is sent as it is
# PutLogEvents takes 1 MiB and 10,000 events at a time, 26 bytes being counted for each event.
_BATCH_BYTES, _BATCH_EVENTS, _EVENT_OVERHEAD = 1_000_000, 10_000, 26
_LONGEST_LINE = 250_000  # of an event, as long as CloudWatch Logs has taken them everywhere
logger = logging.getLogger(__name__)


class _Stream:
    """One file on its way into one stream."""

    def __init__(self, group: str, name: str, path: Path) -> None:
        self.group = group
        self.name = name
        self.path = path
        self.offset = 0
        self.finished = False
        self.settled = False
        self.seen_size = 0
        self.created = False
        self.sending = asyncio.Lock()
        self._still_since = 0.0
        self._timeline = Timeline(path)
        self._known = path.stat().st_size if path.exists() and path.with_suffix(".times").exists() else 0

    def has_more(self, now: float) -> bool:
        """Whether there is something to send; a line that stays without an end for a while counts as one."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if size > self.seen_size:
            self.seen_size, self._still_since = size, now
            self.settled = False
            return True
        self.settled = now - self._still_since > _UNFINISHED_LINE_SECONDS
        return size > self.offset and self.settled

    def batch(self) -> tuple[list[dict[str, Any]], int]:
        """The next events, and the position after them; a line without an end waits until it has one,
        or until the file is finished."""
        now = int(time.time() * 1000)
        events: list[dict[str, Any]] = []
        position, size = self.offset, 0
        if not self.path.exists() or self.path.stat().st_size <= position:
            return events, position
        if position >= self._known:
            self._timeline.seen(position, now)
        with self.path.open("rb") as file:
            file.seek(position)
            chunk = file.read(_BATCH_BYTES)
            last = (self.finished or self.settled) and len(chunk) < _BATCH_BYTES
            for line in _lines(chunk, whole_only=not last):
                cost = len(line) + _EVENT_OVERHEAD
                if len(events) == _BATCH_EVENTS or size + cost > _BATCH_BYTES:
                    break
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                if text.strip():  # an event must say something
                    events.append({"timestamp": self._timeline.at(position, now), "message": text})
                size += cost
                position += len(line)
        return events, position


class LogShipper:
    """Every followed log file, in its group and stream of CloudWatch Logs.

    What was followed is remembered: moto's logs start empty, and the files are sent again.
    """

    def __init__(self, moto: Moto, store: Store) -> None:
        self._moto = moto
        self._store = store
        self._streams: dict[Path, _Stream] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Send again what earlier runs of the server followed, and from now on what is written."""
        for key, document in self._store.all(_KIND):
            path = Path(document["path"])
            if path.exists():
                stream = self._streams[path] = _Stream(document["group"], document["stream"], path)
                stream.finished = True  # who wrote it went with the server; follow() says otherwise
            else:
                self._store.delete(_KIND, key)
        self._task = asyncio.create_task(self._send_for_ever(), name="logs")

    async def stop(self) -> None:
        """Stop sending."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def follow(self, group: str, stream: str, path: Path) -> None:
        """Send what is, and will be, written to `path`; the file need not be there yet."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._store.put(_KIND, f"{group}:{stream}", {"group": group, "stream": stream, "path": str(path)})
        self._streams[path] = _Stream(group, stream, path)

    async def finish(self, path: Path) -> None:
        """Nothing more will be written to `path`: return when all of it is sent, or cannot be."""
        stream = self._streams.get(path)
        if stream is None:
            return
        stream.finished = True
        with contextlib.suppress(Exception):  # a job does not fail over its log; the loop tries again
            await self._send(stream)

    async def _send_for_ever(self) -> None:
        failing = False
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            for path, stream in list(self._streams.items()):
                try:
                    if stream.finished or stream.has_more(time.monotonic()):
                        await self._send(stream)
                except Exception as error:
                    if not failing:
                        logger.warning("sending %s to the logs API failed (%s); trying again", path, error)
                    failing = True
                    break
                if stream.finished and self._streams.get(path) is stream:
                    del self._streams[path]
            else:
                failing = False

    async def _send(self, stream: _Stream) -> None:
        async with stream.sending:
            while True:
                events, position = await asyncio.to_thread(stream.batch)
                if not stream.created and (events or stream.finished):
                    await self._create(stream)
                if events:
                    await self._moto.json(
                        "logs",
                        "Logs_20140328.PutLogEvents",
                        {"logGroupName": stream.group, "logStreamName": stream.name, "logEvents": events},
                    )
                if position == stream.offset:
                    return
                stream.offset = position

    async def _create(self, stream: _Stream) -> None:
        names = {"logGroupName": stream.group}
        with contextlib.suppress(RuntimeError):  # it is there already
            await self._moto.json("logs", "Logs_20140328.CreateLogGroup", names)
        with contextlib.suppress(RuntimeError):
            await self._moto.json(
                "logs", "Logs_20140328.CreateLogStream", {**names, "logStreamName": stream.name}
            )
        stream.created = True


def _lines(chunk: bytes, *, whole_only: bool) -> Iterator[bytes]:
    """The chunk cut into lines, ends included; overlong ones are cut into several."""
    for line in _split(chunk):
        pieces = [line[start : start + _LONGEST_LINE] for start in range(0, len(line), _LONGEST_LINE)]
        for piece in pieces:
            if whole_only and not piece.endswith(b"\n") and len(piece) < _LONGEST_LINE:
                return
            yield piece


def _split(chunk: bytes) -> list[bytes]:
    """Lines end at a line feed only: a progress bar's carriage returns make one line."""
    parts = chunk.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])

"""A transform job's files through one instance: read, sent, assembled in their order.

What is held of a file is a window of payloads and their answers: no more than twice the requests in
flight. Answers are written in the file's order, whatever order they come in.
"""

import asyncio
import gzip
import zlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from local_sagemaker.jobs.transform_joining import JoinError, Processing, assembled
from local_sagemaker.jobs.transform_paths import FilterError
from local_sagemaker.jobs.transform_records import RecordError, payloads

# Sends one payload to the model and gives its answer; raises TransformError.
Invoke = Callable[[bytes], Awaitable[bytes]]


class TransformError(Exception):
    """A file could not be transformed; `reason` is the job's FailureReason, the message for its log."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


# Seen in public reports as FailureReason, with the cause in the job's log: the data or the request at
# fault, the container at fault, no answer from the container.
CLIENT_ERROR = "ClientError: See job logs for more information"
ALGORITHM_ERROR = "AlgorithmError: See job logs for more information"
INTERNAL_ERROR = "InternalServerError: We encountered an internal error.  Please try again."


@dataclass(frozen=True)
class Reading:
    """How every file of a job is read and its output assembled; `limit` is the most bytes in a payload."""

    compressed: bool
    split_type: str
    strategy: str
    limit: int
    processing: Processing
    assemble_with: str


class Lane:
    """One instance's place for work: as many requests at a time as the job allows it."""

    def __init__(self, reading: Reading, concurrency: int, invoke: Invoke) -> None:
        self.reading = reading
        self.invoke = invoke
        self.requests = asyncio.Semaphore(concurrency)
        # A file's payloads hold a prefix of what it has left, so the next one to be written is never
        # waiting for room that later ones take: the window cannot lock up, however many files share it.
        self.window = asyncio.Semaphore(2 * concurrency)

    async def transform(self, source: Path, target: Path) -> None:
        """Write to `target` what the model answers to the file `source`.

        Raises TransformError; `target` is then not to be used.
        """
        await _File(self, source, target).run()


class _File:
    """One file on its way."""

    def __init__(self, lane: Lane, source: Path, target: Path) -> None:
        self._lane = lane
        self._source = source
        self._target = target
        self._held = 0  # of the window
        self._answers: asyncio.Queue[asyncio.Task[bytes] | None] = asyncio.Queue()

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._send_all(group))
                group.create_task(self._write_all())
        except BaseExceptionGroup as errors:
            raise _first(errors) from None
        finally:
            for _ in range(self._held):
                self._lane.window.release()

    async def _send_all(self, group: asyncio.TaskGroup) -> None:
        reading = self._lane.reading
        with _opened(self._source, compressed=reading.compressed) as file:
            bodies = payloads(file, reading.split_type, reading.strategy, reading.limit)
            while True:
                await self._lane.window.acquire()
                self._held += 1
                body = await asyncio.to_thread(_next, bodies)
                if body is None:
                    break
                self._answers.put_nowait(group.create_task(self._send(body)))
        self._answers.put_nowait(None)

    async def _send(self, payload: bytes) -> bytes:
        reading = self._lane.reading
        async with self._lane.requests:
            try:
                answer = await self._lane.invoke(reading.processing.before(payload))
                kept = reading.processing.after(payload, answer)
            except (JoinError, FilterError) as error:
                raise TransformError(CLIENT_ERROR, str(error)) from error
        return assembled(kept, reading.assemble_with)

    async def _write_all(self) -> None:
        with self._target.open("wb") as output:
            while task := await self._answers.get():
                output.write(await task)
                self._held -= 1
                self._lane.window.release()


def _opened(source: Path, *, compressed: bool) -> BinaryIO:
    return cast("BinaryIO", gzip.open(source)) if compressed else source.open("rb")


def _next(bodies: Iterator[bytes]) -> bytes | None:
    """The next payload, or None after the last."""
    try:
        return next(bodies, None)
    except RecordError as error:
        raise TransformError(CLIENT_ERROR, str(error)) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise TransformError(CLIENT_ERROR, f"The file is not in gzip format: {error}") from error


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The failure to tell of: the file's, if that is what went wrong."""
    failures = errors.subgroup(TransformError)
    found: BaseException = failures or errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found

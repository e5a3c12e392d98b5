"""What a processing job writes, on its way to S3: while it runs, or once it has succeeded."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from local_sagemaker.clock import Clock
from local_sagemaker.jobs.run import JobFailed
from local_sagemaker.s3.objects import S3Error, S3Objects, files_below

_LOOK_SECONDS = 5.0
_LEAST_REAL_SECONDS = 0.2


@dataclass(frozen=True)
class Upload:
    """A directory of one instance, and the S3 prefix its files go under."""

    directory: Path
    bucket: str
    prefix: str
    continuous: bool


class Uploads:
    """Every output of a job. Symbolic links are not followed (guide, How Processing Configures Output)."""

    def __init__(self, s3: S3Objects, clock: Clock, uploads: Sequence[Upload]) -> None:
        self._s3 = s3
        self._clock = clock
        self._uploads = uploads
        self._seen: dict[Path, tuple[int, int]] = {}
        self._stored: dict[Path, tuple[int, int]] = {}

    @contextlib.asynccontextmanager
    async def continuing(self) -> AsyncIterator[None]:
        """While the block runs, store what its program writes to the continuous outputs; at the end the rest.

        A file is stored when it has not changed between two looks, and again when it changes later.
        Raises JobFailed at the end when S3 refuses.
        """
        task = asyncio.create_task(self._look_for_ever())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._store(continuous=True, settled_only=False)

    async def at_end(self) -> None:
        """Store the other outputs; raises JobFailed when S3 refuses."""
        await self._store(continuous=False, settled_only=False)

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(max(self._clock.real(_LOOK_SECONDS), _LEAST_REAL_SECONDS))
            with contextlib.suppress(JobFailed):  # tried again at the next look, and told of at the end
                await self._store(continuous=True, settled_only=True)

    async def _store(self, *, continuous: bool, settled_only: bool) -> None:
        for upload in self._uploads:
            if upload.continuous != continuous:
                continue
            prefix = f"{upload.prefix.rstrip('/')}/".lstrip("/")
            for path in await asyncio.to_thread(list, files_below(upload.directory)):
                if not path.is_symlink() and self._due(path, settled_only=settled_only):
                    key = prefix + path.relative_to(upload.directory).as_posix()
                    await self._upload(path, upload.bucket, key)

    def _due(self, path: Path, *, settled_only: bool) -> bool:
        try:
            found = path.stat()
        except FileNotFoundError:  # the program has taken it away again
            return False
        now = (found.st_mtime_ns, found.st_size)
        before, self._seen[path] = self._seen.get(path), now
        return self._stored.get(path) != now and (before == now or not settled_only)

    async def _upload(self, path: Path, bucket: str, key: str) -> None:
        version = self._seen[path]
        try:
            await self._s3.upload(path, bucket, key)
        except FileNotFoundError:
            return
        except (S3Error, aiohttp.ClientError) as error:
            raise JobFailed(f"ClientError: Failed to upload to s3://{bucket}/{key}: {error}") from error
        self._stored[path] = version

"""Checkpoints: restored from S3 before a job runs, and copied there while it does."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from local_sagemaker.s3.objects import S3Error, S3Objects, files_below, split_prefix

_EVERY_SECONDS = 1.0
logger = logging.getLogger(__name__)
_Stamp = tuple[int, int]


class Checkpoints:
    """The checkpoint directories of a job's hosts, and their one place in S3."""

    def __init__(self, s3: S3Objects, uri: str, directories: Sequence[Path]) -> None:
        self._s3 = s3
        self._bucket, prefix = split_prefix(uri)
        self._prefix = f"{prefix.rstrip('/')}/" if prefix else ""
        self._directories = directories
        self._sent: dict[Path, _Stamp] = {}
        self._seen: dict[Path, _Stamp] = {}

    async def restore(self) -> None:
        """Put what is in S3 into each directory."""
        for directory in self._directories:
            directory.mkdir(parents=True, exist_ok=True)
            for key in self._s3.list(self._bucket, self._prefix):
                path = directory / key.removeprefix(self._prefix)
                if not key.endswith("/") and path.resolve().is_relative_to(directory.resolve()):
                    await self._s3.download(self._bucket, key, path)
                    self._sent[path] = _stamp(path)

    async def copy_for_ever(self) -> None:
        """Copy what is written, file by file, once it has stopped changing."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            try:
                await self._copy(settled_only=True)
            except (OSError, S3Error) as error:  # it was replaced meanwhile, or S3 refuses: next time
                logger.debug("copying checkpoints: %s", error)

    async def copy_rest(self) -> None:
        """Copy all that has not been copied, now that nothing writes any more; raises S3Error."""
        await self._copy(settled_only=False)

    async def _copy(self, *, settled_only: bool) -> None:
        for directory in self._directories:
            for path in list(files_below(directory)):
                stamp = _stamp(path)
                settled = not settled_only or self._seen.get(path) == stamp
                self._seen[path] = stamp
                if settled and self._sent.get(path) != stamp:
                    key = self._prefix + path.relative_to(directory).as_posix()
                    await self._s3.upload(path, self._bucket, key)
                    self._sent[path] = stamp


def _stamp(path: Path) -> _Stamp:
    status = path.stat()
    return status.st_mtime_ns, status.st_size

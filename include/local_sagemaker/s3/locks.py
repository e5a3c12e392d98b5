"""One writer at a time for an object."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class KeyLocks:
    """One writer at a time for an object, so that its copy follows S3 in the same order.

    It also makes moto's conditional writes atomic: moto checks, then writes, in different moments.
    """

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @contextlib.asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        """Hold the key; nobody else does until the block is left."""
        lock, users = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks.pop(key)
            if users > 1:
                self._locks[key] = (lock, users - 1)

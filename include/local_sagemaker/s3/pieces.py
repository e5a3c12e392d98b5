"""Files in pieces that are small beside the memory, and large beside what each costs."""

import asyncio
from collections.abc import AsyncIterator
from typing import IO

_PIECE = 1 << 20


async def pieces(content: IO[bytes], first: int = 0, count: int | None = None) -> AsyncIterator[bytes]:
    """`count` bytes of a file from `first` on, or all to its end."""
    content.seek(first)
    left = count
    while left is None or left > 0:
        piece = await asyncio.to_thread(content.read, _PIECE if left is None else min(left, _PIECE))
        if not piece:
            return
        if left is not None:
            left -= len(piece)
        yield piece

"""One hostile archive, and what several are built of."""

import gzip
from dataclasses import dataclass, field

from endpoint_deploy.artifacts import Limits


@dataclass(frozen=True)
class Hostile:
    """An archive; the code and words of the finding it must get; whether it is held rather than refused."""

    data: bytes
    code: str
    words: str
    held: bool = False
    limits: Limits = field(default_factory=Limits)


def compress(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def text(value: str) -> bytes:
    """SHORT_BINUNICODE."""
    return b"\x8c" + bytes([len(value)]) + value.encode()

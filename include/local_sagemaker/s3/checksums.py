"""The checksums S3 holds an upload to, computed as it comes."""

import base64
import binascii
import functools
import hashlib
import zlib
from collections.abc import Callable
from typing import Any, Protocol

import anycrc

PREFIX = "x-amz-checksum-"


class Digest(Protocol):
    """What hashlib's objects do."""

    def update(self, data: bytes, /) -> None:
        """Take more of the content."""

    def digest(self) -> bytes:
        """The checksum of all that was taken."""


class _Crc:
    def __init__(self, size: int, step: Callable[[bytes, int], int]) -> None:
        self._size = size
        self._step = step
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._step(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


@functools.cache
def _model(name: str) -> Any:
    return anycrc.Model(name)


# Those of PutObject's reference; content that comes with another is taken unchecked.
ALGORITHMS: dict[str, tuple[int, Callable[[], Digest]]] = {
    "crc32": (4, lambda: _Crc(4, zlib.crc32)),
    "crc32c": (4, lambda: _Crc(4, _model("CRC32C").calc)),
    "crc64nvme": (8, lambda: _Crc(8, _model("CRC64-NVME").calc)),
    "sha1": (20, lambda: hashlib.sha1(usedforsecurity=False)),
    "sha256": (32, hashlib.sha256),
    "sha512": (64, hashlib.sha512),
    "md5": (16, lambda: hashlib.md5(usedforsecurity=False)),
}


def decoded(value: str, size: int) -> bytes | None:
    """The checksum in its Base64 form, or None when it is no such of `size` bytes."""
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == size else None


def encoded(value: bytes) -> str:
    """A checksum as headers carry it."""
    return base64.b64encode(value).decode()

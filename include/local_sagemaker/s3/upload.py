"""A request's body: received whole, held to what was said of it, and only then passed on.

It is kept in a file beyond a megabyte, so an object is never whole in this process's memory.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import IO

from starlette.requests import Request

from local_sagemaker.s3.checksums import ALGORITHMS, PREFIX, Digest, decoded, encoded
from local_sagemaker.s3.chunked import MalformedBody, Unchunker
from local_sagemaker.s3.errors import S3Refusal
from local_sagemaker.s3.pieces import pieces

_IN_MEMORY = 1 << 20
_PIECE = 1 << 20
_CONTENT_SHA256 = "x-amz-content-sha256"
_OF_THE_FORM = ("x-amz-trailer", "x-amz-decoded-content-length", "transfer-encoding")


class Upload:
    """The content of one request's body, and the headers that fit it."""

    def __init__(self, file: IO[bytes], size: int, headers: dict[str, str]) -> None:
        self._file = file
        self.size = size
        self.headers = headers

    def read(self) -> bytes:
        """All of it; for requests whose body is a document."""
        self._file.seek(0)
        return self._file.read()

    def pieces(self) -> AsyncIterator[bytes]:
        """The content from its start."""
        return pieces(self._file)


@contextlib.asynccontextmanager
async def received(request: Request) -> AsyncIterator[Upload]:
    """The request's content; raises S3Refusal when it is not what its checksums say."""
    said = {**request.query_params, **request.headers}
    said = {name.lower(): value for name, value in said.items()}
    chunked = said.get(_CONTENT_SHA256, "").startswith("STREAMING-")
    expected = _expected(said)
    digests = {name: ALGORITHMS[name][1]() for name in (*expected, *_announced(said))}
    if len(said.get(_CONTENT_SHA256, "")) == 64:  # noqa: PLR2004 - hexadecimal, not the name of a form
        digests.setdefault("sha256", ALGORITHMS["sha256"][1]())
    if "content-md5" in said:
        digests.setdefault("md5", ALGORITHMS["md5"][1]())
    unchunker = Unchunker() if chunked else None
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        size = await _receive(request, file, unchunker, digests)
        if unchunker:
            expected.update(_expected(unchunker.trailers))
            _check_length(said, size)
        _check(said, expected, digests)
        yield Upload(file, size, _onward(request.headers, expected, size))


async def _receive(
    request: Request, file: IO[bytes], unchunker: Unchunker | None, digests: Mapping[str, Digest]
) -> int:
    """Write the content to the file and into the digests; returns its length."""
    size = 0
    malformed: MalformedBody | None = None

    def take(data: bytes) -> None:
        nonlocal size, malformed
        try:
            content = unchunker.feed(data) if unchunker and not malformed else data
        except MalformedBody as error:
            malformed = error
            return
        for digest in digests.values():
            digest.update(content)
        file.write(content)
        size += len(content)

    pending = bytearray()
    # Read to its end also when it is refused: the connection is used again.
    async for data in request.stream():
        pending += data
        if len(pending) >= _PIECE:
            await asyncio.to_thread(take, bytes(pending))
            pending.clear()
    take(bytes(pending))
    if malformed:
        raise S3Refusal("InvalidRequest", f"The body is not well-formed aws-chunked: {malformed}.")
    if unchunker:
        try:
            unchunker.finish()
        except MalformedBody as error:
            raise S3Refusal(
                "IncompleteBody", "The request body terminated unexpectedly", Detail=str(error)
            ) from error
    return size


def _expected(said: Mapping[str, str]) -> dict[str, str]:
    """The checksums given, by algorithm."""
    return {
        name.removeprefix(PREFIX): value
        for name, value in said.items()
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) in ALGORITHMS
    }


def _announced(said: Mapping[str, str]) -> Iterator[str]:
    """Algorithms whose checksum is to come in a trailer."""
    for header in said.get("x-amz-trailer", "").split(","):
        name = header.strip().lower().removeprefix(PREFIX)
        if name in ALGORITHMS:
            yield name


def _check_length(said: Mapping[str, str], size: int) -> None:
    length = said.get("x-amz-decoded-content-length", str(size))
    if length != str(size):
        raise S3Refusal(
            "IncompleteBody",
            "You did not provide the number of bytes specified by the Content-Length HTTP header",
        )


def _check(said: Mapping[str, str], expected: Mapping[str, str], digests: Mapping[str, Digest]) -> None:
    content_md5 = said.get("content-md5")
    if content_md5 is not None:
        wanted = decoded(content_md5, 16)
        if wanted is None:
            raise S3Refusal("InvalidDigest", "The Content-MD5 you specified was invalid.")
        if digests["md5"].digest() != wanted:
            raise S3Refusal(
                "BadDigest",
                "The Content-MD5 you specified did not match what we received.",
                ExpectedDigest=wanted.hex(),
                CalculatedDigest=encoded(digests["md5"].digest()),
            )
    for name in _announced(said):
        if name not in expected:
            raise S3Refusal(
                "MalformedTrailerError",
                "The request contained trailing data that was not well-formed or did not conform to our "
                "published schema.",
            )
    for name, value in expected.items():
        if decoded(value, ALGORITHMS[name][0]) is None:
            raise S3Refusal("InvalidRequest", f"Value for {PREFIX}{name} header is invalid.")
        if name in digests and encoded(digests[name].digest()) != value:
            raise S3Refusal(
                "BadDigest", f"The {name.upper()} you specified did not match the calculated checksum."
            )
    sha256 = said.get(_CONTENT_SHA256, "").lower()
    if len(sha256) == 64 and digests["sha256"].digest().hex() != sha256:  # noqa: PLR2004
        raise S3Refusal(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ClientComputedContentSHA256=sha256,
            S3ComputedContentSHA256=digests["sha256"].digest().hex(),
        )


def _onward(headers: Mapping[str, str], expected: Mapping[str, str], size: int) -> dict[str, str]:
    """The headers of the content as it is passed on: plain, its checksums in headers."""
    kept = {name: value for name, value in headers.items() if name not in _OF_THE_FORM}
    encodings = [part.strip() for part in kept.pop("content-encoding", "").split(",")]
    encodings = [part for part in encodings if part not in ("", "aws-chunked")]
    if encodings:
        kept["content-encoding"] = ",".join(encodings)
    if kept.get(_CONTENT_SHA256, "").startswith("STREAMING-"):
        kept[_CONTENT_SHA256] = "UNSIGNED-PAYLOAD"
    for name, value in expected.items():
        kept[PREFIX + name] = value
        kept["x-amz-sdk-checksum-algorithm"] = name.upper()
    return {**kept, "content-length": str(size)}

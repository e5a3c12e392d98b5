"""The requests that are replayed: smoke tests' payloads, files of the spec, captured ones."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from endpoint_deploy.core.load import Deployment
from endpoint_deploy.errors import SpecError

_ID = 16  # hex digits: enough to tell requests of one pool apart


@dataclass(frozen=True)
class Request:
    """One request. `id` is its content's digest; bodies are never written anywhere."""

    id: str
    body: bytes
    content_type: str
    accept: str | None = None


def request_of(body: bytes, content_type: str, accept: str | None = None) -> Request:
    """A request with its id."""
    said = f"{content_type}\n{accept or ''}\n".encode()
    return Request(hashlib.sha256(said + body).hexdigest()[:_ID], body, content_type, accept)


def requests_in_files(deployment: Deployment) -> list[Request]:
    """The requests of the files that the spec names, each once; raises SpecError for a file not there."""
    replay = deployment.spec.analysis.replay if deployment.spec.analysis else None
    if replay is None:
        return []
    found = [
        request_of(body, payload.content_type, payload.accept)
        for payload in replay.payloads
        for body in _bodies(deployment.file(payload.payload), lines=payload.lines)
    ]
    if replay.smoke_tests:
        for test in deployment.spec.smoke_tests:
            (body,) = _bodies(deployment.file(test.payload), lines=False)
            found.append(request_of(body, test.content_type, test.accept))
    return list({each.id: each for each in found}.values())


def chosen(pool: Sequence[Request], sent: frozenset[str], count: int) -> list[Request]:
    """So many of the pool: first those that were never sent, since only they tell of new predictions."""
    fresh = [each for each in pool if each.id not in sent]
    return list(islice(_endless([*fresh, *(each for each in pool if each.id in sent)]), count))


def _endless(pool: Sequence[Request]) -> Iterator[Request]:
    return cycle(pool)


def _bodies(file: Path, *, lines: bool) -> list[bytes]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise SpecError(f"cannot read {file}: {error.strerror}; expected a payload of the spec") from error
    return [line for line in content.splitlines() if line.strip()] if lines else [content]

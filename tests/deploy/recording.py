"""The calls that change something at SageMaker, as a proxy has seen them: whose they are, and when."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

_CHANGES = re.compile(r"(SageMaker|AnyScaleFrontendService)\.(?!Describe|List|Get|Search|BatchDescribe)\w+")
_KEY = re.compile(r"Credential=([^/]+)/")  # of Signature Version 4's Authorization header


@dataclass
class Change:
    """A call. began: when its request was there; ended: when it was answered; in time.monotonic()'s seconds.

    caller: the id of the access key that it was signed with. about: its request's body.
    """

    operation: str
    caller: str
    about: str
    began: float
    ended: float

    def __str__(self) -> str:
        return f"{self.operation.partition('.')[2]} {self.began:.3f} to {self.ended:.3f}"


class Recording:
    """All changes, in the order of their requests."""

    def __init__(self) -> None:
        self._changes: list[Change] = []

    @contextmanager
    def call(self, said: str, headers: Mapping[str, str], body: bytes) -> Iterator[None]:
        """Record what happens inside the block, where it is a change. said: the X-Amz-Target."""
        if not _CHANGES.fullmatch(said):
            yield
            return
        key = _KEY.search(headers.get("Authorization", ""))
        change = Change(
            operation=said,
            caller=key[1] if key else "",
            about=body.decode(),
            began=time.monotonic(),
            ended=float("inf"),
        )
        self._changes.append(change)
        try:
            yield
        finally:
            change.ended = time.monotonic()

    def of(self, endpoint: str, since: float) -> list[Change]:
        """The changes of what carries an endpoint's name, from a moment on."""
        return [each for each in self._changes if each.began >= since and endpoint in each.about]

"""Steady traffic to an endpoint while something is done to it, each answer recorded; and what it proves."""

import json
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from scipy.stats import binom

REPO = Path(__file__).parents[2]
_PATIENCE = 120.0  # for what a machine under load may be late with
_UNLIKELY = 1e-6  # how often a true bound may be missed by chance


@dataclass(frozen=True)
class Record:
    """One request: when it was sent (seconds since the epoch), how long it took, and what came back.

    variant: who answered, or failed to, where the service says so; release: the number of the release that
    answered; status: of the HTTP answer, 0 where none came.
    """

    sent: float
    seconds: float
    request: list[float]
    status: int
    variant: str | None = None
    release: int | None = None
    answer: list[float] | None = None
    error: str | None = None

    @property
    def right(self) -> bool:
        """Whether the answer is the one that every good model gives."""
        return self.answer == [number + 1 for number in self.request]


class Traffic:
    """Requests from a process of their own for as long as the block lasts."""

    def __init__(
        self, url: str, endpoint: str, directory: Path, *, per_second: float = 20, workers: int = 8
    ) -> None:
        self._output = directory / f"traffic-{time.monotonic_ns()}.jsonl"
        asked = ["--url", url, "--endpoint", endpoint, "--output", str(self._output)]
        asked += ["--per-second", str(per_second), "--workers", str(workers)]
        self._command = [sys.executable, "-m", "tests.strategies.client", *asked]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, cwd=REPO)
        self.wait_for(5)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        self._process.communicate(timeout=_PATIENCE)

    def records(self) -> list[Record]:
        """What has been answered so far, in the order in which it was sent."""
        return sorted(self.answered(), key=lambda record: record.sent)

    def answered(self) -> list[Record]:
        """The same in the order in which it was answered: later ones only follow."""
        text = self._output.read_text(encoding="utf-8") if self._output.exists() else ""
        lines = text[: text.rfind("\n") + 1].splitlines()
        return [Record(**json.loads(line)) for line in lines]

    def wait_for(self, requests: int) -> None:
        """Wait until so many more requests have been answered."""
        assert self._process is not None
        wanted = len(self.records()) + requests
        deadline = time.monotonic() + _PATIENCE
        while len(self.records()) < wanted:
            assert self._process.poll() is None, "the client has ended"
            assert time.monotonic() < deadline, f"{requests} requests take longer than {_PATIENCE} s"
            time.sleep(0.1)


def failed(records: Iterable[Record]) -> list[Record]:
    """Those that did not end with status 200."""
    return [record for record in records if record.status != 200]


def most_by_chance(requests: int, share: float) -> int:
    """How many of so many requests may meet a variant with this share of the traffic, at the very most."""
    return int(binom.ppf(1 - _UNLIKELY, requests, share))


def check_share(records: Iterable[Record], variant: str, percent: float) -> int:
    """Assert that no more than `percent` of the requests met a variant, while it met any; returns how many.

    variant: its name, or a prefix of it.
    """
    known = list(records)
    met = [record for record in known if (record.variant or "").startswith(variant)]
    if met:
        between = [record for record in known if met[0].sent <= record.sent <= met[-1].sent]
        bound = most_by_chance(len(between), percent / 100) + 2  # the first and the last are not by chance
        assert len(met) <= bound, f"{len(met)} of {len(between)} met {variant}, expected {bound} at most"
    return len(met)

"""Tries inputs one after the other: none may crash, hang, or leave memory behind."""

import gc
import itertools
import os
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from endpoint_deploy.artifacts import Limits, inspect_archive
from endpoint_deploy.artifacts.model import MIB
from endpoint_deploy.core.load import load_spec
from endpoint_deploy.core.problems import InvalidSpec
from tests.fuzz.mutate import Archives, Specs

INPUT_SECONDS = 10.0  # what one input may take; the slowest sound one takes a hundredth
MOST_GROWTH = 64 * MIB  # of resident memory, after the first inputs have filled the caches
_WARM = 1000
_MEASURED_EVERY = 500
# So small that what grows is seen soon.
_LIMITS = Limits(
    max_members=1000,
    max_unpacked_size=20 * MIB,
    ratio_floor=MIB,
    max_pickle_opcodes=100_000,
    max_nested_size=20 * MIB,
)


class Hang(BaseException):
    """An input took too long; no Exception, which what is tried might catch."""


@dataclass
class Result:
    """What a run showed. `growth` in bytes; `problem` is None where nothing was found."""

    inputs: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    growth: int = 0
    seconds: float = 0.0
    problem: str | None = None
    kept: Path | None = None


def fuzz(seed: int, folder: Path, *, seconds: float = float("inf"), inputs: int | None = None) -> Result:
    """Try inputs until the time is over or their number is reached, or one of them does harm.

    That one is kept in `folder`. The same seed makes the same inputs.
    """
    random = Random(seed)
    archives, specs = Archives(random), Specs(random)
    result = Result()
    began = time.monotonic()
    base: int | None = None
    for number in itertools.count():
        result.seconds = time.monotonic() - began
        if result.seconds >= seconds or number == inputs:
            return result
        if number % 3:
            data = archives.make()
            _try(result, "archive", data, folder, lambda data=data: _inspected(data, random))
        else:
            text = specs.make()
            _try(
                result, "spec", text.encode("utf-8", "surrogatepass"), folder, lambda text=text: _loaded(text)
            )
        if number >= _WARM and number % _MEASURED_EVERY == 0:
            resident = _resident()
            base = resident if base is None else base
            result.growth = max(result.growth, resident - base)
            if result.growth > MOST_GROWTH:
                result.problem = f"memory grew by {result.growth / MIB:.0f} MiB"
        if result.problem:
            return result
    raise AssertionError("numbers do not end")


def _try(result: Result, kind: str, data: bytes, folder: Path, harm: Callable[[], list[str]]) -> None:
    began = time.monotonic()
    try:
        with _limited():
            result.refusals.update(f"{kind}: {reason}" for reason in set(harm()))
    except (Exception, Hang):
        folder.mkdir(parents=True, exist_ok=True)
        result.kept = folder / f"{kind}-{sum(result.inputs.values())}"
        result.kept.write_bytes(data)
        result.problem = traceback.format_exc()
    result.inputs[kind] += 1
    result.slowest = max(result.slowest, time.monotonic() - began)


def _inspected(data: bytes, random: Random) -> list[str]:
    size = random.choice((1000, 65_536, MIB))
    chunks = (data[at : at + size] for at in range(0, len(data), size))
    report = inspect_archive(chunks, script_mode=False, limits=_LIMITS)
    assert report.size == len(data), "the archive was not read to its end"
    assert all(each.code and each.message for each in report.findings)
    return [each.code for each in report.findings] or ["passed"]


def _loaded(text: str) -> list[str]:
    try:
        load_spec(text, source="fuzzed.yaml")
    except InvalidSpec as refused:
        return ["refused" if str(refused) else "refused without a word"]
    return ["passed"]


@contextmanager
def _limited() -> Iterator[None]:
    def over(*_: object) -> None:
        raise Hang(f"an input took more than {INPUT_SECONDS:g} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, INPUT_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _resident() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")

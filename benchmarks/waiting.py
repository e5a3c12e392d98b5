"""Waiting for endpoints: API calls, memory, and how soon it is seen that they settled.

Many endpoints stay in *Creating*, and one trigger waits for each: ours, which share one client and one list
of what is in progress, against the amazon provider's `SageMakerTrigger`. Each side has a process of its own
with Airflow's own `TriggerRunner`, the same local SageMaker and the same poll interval of 10 s, so that the
measurement stays short (on AWS it is 30 s by default on both sides, on which the ratios do not depend).
Calls are counted by the local SageMaker, on the mean of five poll intervals for each size; memory is the
resident memory that the triggers add to a process which has imported them, the median of as many readings.
In every interval, at a time drawn by a seed, one endpoint gets into service and one fails; *noticed* is the
longest time from then to a trigger's event.
"""

import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import IO, Any

import psutil

from benchmarks.local_sagemaker import running_server
from benchmarks.peers import before_all_else, installed
from benchmarks.results import Result, growth
from benchmarks.waiting_endpoints import Endpoints
from local_stack.airflow_env import aws_connection, aws_environment, clean_environment, python_path

SIZES = (50, 150, 500)  # endpoints in Creating
ROUNDS = 5
POLL = 10.0  # below that, the provider's side cannot keep up with itself on two busy cores
GOAL_CALLS = 1 / 50
GOAL_MEMORY = 1 / 10
_PATIENCE = 120.0
_MIB = 2**20


@dataclass(frozen=True)
class Waited:
    """API calls a poll interval, resident bytes added, and the longest time in s to an event."""

    calls: float
    memory: float
    noticed: float


def run() -> list[Result]:
    """Every figure of waiting."""
    found = {side: _measure(side) for side in ("ours", "provider")}
    results = []
    for size in SIZES:
        goal = size == SIZES[-1]
        ours, theirs = found["ours"][size], found["provider"][size]
        of = f"waiting for {size} endpoints"
        peer = "the provider's SageMakerTrigger"
        results += [
            Result(
                f"{of}: API calls a poll interval",
                ours.calls,
                theirs.calls,
                "",
                peer,
                GOAL_CALLS if goal else None,
                at_least=False,
            ),
            Result(
                f"{of}: memory added",
                ours.memory / _MIB,
                theirs.memory / _MIB,
                "MiB",
                peer,
                GOAL_MEMORY if goal else None,
                at_least=False,
            ),
            Result(
                f"{of}: noticed after, at most",
                ours.noticed,
                POLL,
                "s",
                f"the poll interval; {peer} takes {theirs.noticed:.3g} s",
                1.0 if goal else None,
                at_least=False,
            ),
        ]
    for side, whose in (("ours", "our"), ("provider", "the provider's")):
        each = found[side]
        results += [
            growth(f"{whose} API calls by endpoints waited for", SIZES, [each[size].calls for size in SIZES]),
            growth(f"{whose} memory by endpoints waited for", SIZES, [each[size].memory for size in SIZES]),
        ]
    return results


def _measure(side: str) -> dict[int, Waited]:
    with tempfile.TemporaryDirectory() as name, running_server(Path(name)) as ready:
        endpoints = Endpoints(ready["endpoint_url"], ready["execution_role_arn"])
        endpoints.create(SIZES[-1] + 2 * ROUNDS * len(SIZES))
        with _triggers(side, Path(name), ready["endpoint_url"]) as waiting:
            chance = random.Random(7)  # the same times for both sides
            found = {}
            for size in SIZES:
                before, more = endpoints.calls(), size - len(waiting.open)
                waiting.start(endpoints.take(more))
                # Every trigger of the provider's has asked once, and ours have looked once.
                least = more if side == "provider" else 1
                _await(lambda before=before, least=least: endpoints.calls() - before >= least)
                time.sleep(POLL)
                found[size] = _watch(waiting, endpoints, chance)
            return found


def _watch(waiting: "Waiting", endpoints: "Endpoints", chance: random.Random) -> Waited:
    """Some intervals, in each of which two endpoints settle and two others take their place."""
    settled: dict[str, float] = {}
    memory = []
    began, before = time.monotonic(), endpoints.calls()
    for number in range(ROUNDS):
        _sleep_until(began + (number + chance.random()) * POLL)
        for name, status in zip(
            sorted(waiting.open - settled.keys())[:2], ("InService", "Failed"), strict=True
        ):
            settled[name] = time.time()
            endpoints.settle(name, status)
        waiting.start(endpoints.take(2))
        _sleep_until(began + (number + 1) * POLL)
        memory.append(waiting.memory())
    calls = (endpoints.calls() - before) * POLL / (time.monotonic() - began)
    _await(lambda: settled.keys() <= waiting.events.keys())
    noticed = max(waiting.events[name] - at for name, at in settled.items())
    return Waited(calls, median(memory), noticed)


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


class Waiting:
    """A process of triggers: `open` are the endpoints it waits for, `events` when it said what ended."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self.open: set[str] = set()
        self.events: dict[str, float] = {}
        self._process = process
        self._log = log
        self._ready = threading.Event()
        assert process.stdin  # noqa: S101 - it was asked for
        assert process.stdout  # noqa: S101
        self._stdin = process.stdin
        threading.Thread(target=self._read, args=(process.stdout,), daemon=True).start()
        _await(self._is_ready)
        self._base = psutil.Process(process.pid).memory_info().rss

    def start(self, names: Sequence[str]) -> None:
        self.open |= set(names)
        self._stdin.write(json.dumps(list(names)) + "\n")
        self._stdin.flush()

    def memory(self) -> int:
        """Resident bytes beyond those with which it was ready."""
        added: int = psutil.Process(self._process.pid).memory_info().rss - self._base
        return added

    def _is_ready(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError(self._log.read_text()[-3000:])
        return self._ready.is_set()

    def _read(self, said: IO[str]) -> None:
        for line in said:
            try:
                told = json.loads(line)
            except ValueError:
                continue  # Airflow's own words
            if "endpoint" in told:
                self.events[told["endpoint"]] = told["at"]
                self.open.discard(told["endpoint"])
            else:
                self._ready.set()


@contextlib.contextmanager
def _triggers(side: str, directory: Path, url: str) -> Iterator[Waiting]:
    environment = {
        **clean_environment(os.environ),
        **aws_environment(url),
        "PYTHONPATH": python_path(os.environ),
        "AIRFLOW_HOME": str(directory / "airflow"),
        "AIRFLOW_CONN_AWS_DEFAULT": aws_connection(url),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    if side == "provider":
        environment = before_all_else(installed("aiobotocore"), environment)
    log = directory / "triggers.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.waiting_triggers", side, str(POLL)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        yield Waiting(process, log)
    except TimeoutError as error:
        raise RuntimeError(log.read_text()[-3000:]) from error
    finally:
        process.kill()
        process.wait()


def _await(holds: Any) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.05)

"""Draws faults, has them happen, counts those that met something, and ends them."""

import contextlib
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.chaos.account import Account
from benchmarks.chaos.probe import Probe
from benchmarks.chaos.victims import SERVICES, Victims, kill, limit_files, limited, one_of, signal_all
from benchmarks.chaos.world import Deployment

_OURS: Final = "*Caller/*"  # Airflow's hooks say so: the chaos's own clients meet no faults
_HEAVY_SECONDS: Final = 8.0  # nothing goes on meanwhile, so that the next fault would meet nothing
_WELL_SECONDS: Final = 5.0
_KILL_SECONDS: Final = 4.0  # so that tasks, which take some seconds, get anywhere between two kills
_BACK_AGAIN: Final = 2  # looks for what inherited a limit while it was being lifted
_HTTP_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Kinds:
    """Which faults there are: how often each is drawn, and what it does, told its own name.

    `heavy` stop everything for a while; those `at_work` end a task.
    """

    drawn: dict[str, tuple[float, Callable[["Injector", str], None]]]
    heavy: frozenset[str]
    at_work: frozenset[str]


@dataclass
class Injector:
    """Draws a fault and has it happen; `heal` ends all that lasts.

    A call's fault is put to the local SageMaker, whose rule says afterwards whether it met a call: `settle`
    asks, and only then is it counted.
    """

    account: Account
    victims: Victims
    url: str
    clock: Path
    world: list[Deployment]
    probe: Probe
    chance: random.Random
    kinds: Kinds
    now: Callable[[], float] = time.monotonic
    _http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=_HTTP_SECONDS))
    _rules: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    _timers: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    _number: int = 0
    _skewed: bool = False
    _heavy_again: float = 0.0
    _kill_again: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def draw(self) -> None:
        """Have one fault happen; one that stops everything, only once all has recovered from another."""
        now = self.now()
        up = now >= max(self._heavy_again, self.probe.well_since + _WELL_SECONDS)
        kinds = [each for each in self.kinds.drawn if up or each not in self.kinds.heavy]
        if now < self._kill_again:
            kinds = [each for each in kinds if each not in self.kinds.at_work]
        kind = self.chance.choices(kinds, [self.kinds.drawn[each][0] for each in kinds])[0]
        if kind in self.kinds.heavy:
            self._heavy_again = now + _HEAVY_SECONDS
        if kind in self.kinds.at_work:
            self._kill_again = now + _KILL_SECONDS
        self.kinds.drawn[kind][1](self, kind)

    def tick(self) -> None:
        """End what has lasted long enough; learn which calls were met."""
        now = self.now()
        due = [act for at, act in self._timers if at <= now]
        self._timers = [(at, act) for at, act in self._timers if at > now]
        for act in due:
            act()
        self._learn()

    def heal(self) -> None:
        """End every fault."""
        for _, act in self._timers:
            act()
        self._timers = []
        self._learn()
        with contextlib.suppress(httpx.HTTPError):
            self._http.delete(f"{self.url}/_local/faults")
        for kind, rule in self._rules.values():
            self.account.fault(kind, took_place=False, rule=rule)
        self._rules = {}
        kill(self.victims.left_behind())

    # What is done to processes.

    def kill_task(self, kind: str) -> None:
        found = [task for _, task in self.victims.at_work()]
        self.struck(kind, kill(one_of(self.chance, found)))

    def kill_worker(self, kind: str) -> None:
        found = [worker for worker, _ in self.victims.at_work()]
        self.struck(kind, kill(one_of(self.chance, found)))

    def kill_scheduler_alone(self, kind: str) -> None:
        process = self.victims.service("scheduler")
        self.struck(kind, kill([process] if process else []))

    def kill_backend(self, kind: str) -> None:
        self.struck(kind, kill(one_of(self.chance, self.victims.backends())))

    def pause(self, kind: str) -> None:
        name = self.chance.choice((*SERVICES, "worker"))
        if name == "worker":
            found = [process for pair in self.victims.at_work()[:1] for process in pair]
        else:
            found = self.victims.tree(name)
        seconds = self.chance.uniform(2, 6)
        struck = signal_all(found, signal.SIGSTOP)
        self._after(seconds, lambda: signal_all(found, signal.SIGCONT))
        self.struck(kind, struck, of=name, seconds=round(seconds, 1))

    def fill_disk(self, kind: str, name: str) -> None:
        """Let a service and all beneath it make no file longer, for a while."""
        took = limit_files(self.victims.tree(name), 0)
        seconds = self.chance.uniform(1, 4)
        self._after(seconds, self._empty_disk)
        self.account.fault(kind, took_place=took > 0, of=name, processes=took, seconds=round(seconds, 1))

    def _empty_disk(self) -> None:
        for _ in range(_BACK_AGAIN):
            limit_files(list(limited()), -1)

    def skew(self, kind: str) -> None:
        # Airflow reckons a retry from the end that the task tells: ahead, a clock delays it by as much.
        ahead = self.chance.choice((self.chance.uniform(-300, -5), self.chance.uniform(5, 45)))
        self._set_clock(kind, ahead)
        self._after(self.chance.uniform(6, 12), lambda: self._set_clock(kind, 0))

    def _set_clock(self, kind: str, ahead: float) -> None:
        """Counts the clock that was, where a process ran by it."""
        met = self.clock.with_suffix(".met")
        if self._skewed:
            processes = len(met.read_text().splitlines()) if met.exists() else 0
            was = self.clock.read_text()
            self.account.fault(kind, took_place=processes > 0, ahead=was, processes=processes)
        met.unlink(missing_ok=True)
        self.clock.write_text(f"{ahead:.1f}" if ahead else "0")
        self._skewed = bool(ahead)

    def struck(self, kind: str, pids: list[int], **more: Any) -> None:
        self.account.fault(kind, took_place=bool(pids), processes=pids[:3], **more)

    def _after(self, seconds: float, act: Callable[[], Any]) -> None:
        self._timers.append((self.now() + seconds, act))

    # What is done to calls.

    def calls(self, kind: str, **rule: Any) -> None:
        """Put a rule about the calls of Airflow's tasks and triggers."""
        self.rule(kind, user_agent=_OURS, **rule)

    def rule(self, kind: str, **rule: Any) -> None:
        """Put a rule to the local SageMaker."""
        self._number += 1
        name = f"chaos-{self._number}"
        try:
            answer = self._http.post(f"{self.url}/_local/faults", json={**rule, "id": name})
            answer.raise_for_status()
        except httpx.TransportError:  # it is down just now
            self.account.fault(kind, took_place=False, rule=rule)
            return
        self._rules[name] = (kind, rule)

    def _learn(self) -> None:
        """Count the rules that have met a call, and forget those that are over."""
        try:
            known = self._http.get(f"{self.url}/_local/faults").json()["faults"]
        except (httpx.HTTPError, ValueError, KeyError):
            return
        views = {view["id"]: view for view in known}
        for name, (kind, rule) in list(self._rules.items()):
            view = views.get(name)
            if view is not None and view["in_force"]:
                continue
            hits = view["hits"] if view else 0  # its server was killed, and took the count with it
            self.account.fault(kind, took_place=hits > 0, rule=rule, calls=hits)
            del self._rules[name]

"""The account of a chaos: every run, fault and violation, as they came, on disk and in tables."""

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ran:
    """A run that has ended: of which DAG, of what model, how; `reason` is what its outcome says."""

    endpoint: str
    kind: str
    model: str
    dag_id: str
    run_id: str
    state: str
    outcome: str | None
    reason: str

    @property
    def word(self) -> str:
        """How it ended, in a word."""
        if self.outcome is not None:
            return self.outcome
        return self.state if self.kind == "sentinel" else f"{self.state}, unrecorded"


@dataclass(frozen=True)
class Violation:
    """Something that must not be: in which round, what, and as exactly as it can be said."""

    round: int
    rule: str
    said: str


@dataclass
class Account:
    """What happened; `directory` keeps it as `timeline.jsonl`, one event a line. Any thread may tell it."""

    directory: Path
    seed: int
    round: int = 0
    runs: list[Ran] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    """Faults that were drawn, but met nothing: they do not count."""
    helped: int = 0
    """How often the scheduler was started anew for a task that Airflow's LocalExecutor had lost."""
    probed: Counter[str] = field(default_factory=Counter)
    """Services that the liveness probe has killed."""
    violations: list[Violation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.tell("begin", seed=self.seed)

    def tell(self, event: str, **more: Any) -> None:
        """Note an event with its time, in seconds since the beginning."""
        at = round(time.monotonic() - self._began, 2)
        line = json.dumps({"at": at, "round": self.round, "event": event, **more}, default=str)
        with self._lock, (self.directory / "timeline.jsonl").open("a") as file:
            file.write(f"{line}\n")

    def fault(self, kind: str, *, took_place: bool, **more: Any) -> None:
        """Count a fault that took place; note one that met nothing."""
        with self._lock:
            (self.faults if took_place else self.missed)[kind] += 1
        self.tell("fault" if took_place else "fault that met nothing", kind=kind, **more)

    def ran(self, run: Ran) -> None:
        """Count a run that has ended."""
        with self._lock:
            self.runs.append(run)
        self.tell("end", **run.__dict__)

    def violated(self, rule: str, said: str) -> None:
        """Note that something is as it must not be."""
        with self._lock:
            self.violations.append(Violation(self.round, rule, said))
        self.tell("violation", rule=rule, said=said)

    def faults_of_round(self, number: int) -> list[str]:
        """The timeline of a round's faults, one line each."""
        lines = (self.directory / "timeline.jsonl").read_text().splitlines()
        told = [json.loads(line) for line in lines]
        kept = [each for each in told if each["round"] == number and each["event"] == "fault"]
        return [
            f"{each['at']:8.1f} s  {each['kind']}: "
            + ", ".join(f"{k} {v}" for k, v in each.items() if k not in {"at", "round", "event", "kind"})
            for each in kept
        ]

    def exit_code(self, wanted: int) -> int:
        """1 where anything was violated, 2 where fewer faults took place than were wanted, else 0."""
        if self.violations:
            return 1
        return 2 if self.faults.total() < wanted else 0

    def tables(self, wanted: int) -> str:
        """Runs by their outcome, faults by kind, violations; Markdown."""
        outcomes = Counter((run.kind, run.model, run.word) for run in self.runs)
        lines = ["| DAG | model | outcome | runs |", "|---|---|---|---|"]
        lines += [f"| {' | '.join(key)} | {count} |" for key, count in sorted(outcomes.items())]
        lines += [f"| **all** | | | **{len(self.runs)}** |", ""]
        lines += ["| fault | took place |", "|---|---|"]
        lines += [f"| {kind} | {count} |" for kind, count in sorted(self.faults.items())]
        lines += [f"| **all** (wanted: {wanted}) | **{self.faults.total()}** |", ""]
        lines += [f"scheduler started anew in a calm, for a task that LocalExecutor had lost: {self.helped}"]
        lines += [f"services killed by the liveness probe: {dict(self.probed) or 'none'}"]
        lines += [f"violations: {len(self.violations)} (seed {self.seed}, {self.round} rounds)"]
        lines += [f"- round {each.round}: {each.rule}: {each.said}" for each in self.violations]
        return "\n".join(lines)

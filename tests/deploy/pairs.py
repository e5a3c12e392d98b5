"""Two runs on one endpoint, started together, again and again; and that one came after the other."""

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.deploy.recording import Change, Recording
from tests.deploy.rig import Rig, Run
from tests.deploy.run_process import RunProcess

Kind = Literal["deploy", "rollback", "teardown"]
_ENDS = {"deploy": "released", "rollback": "released", "teardown": "torn_down"}


@dataclass
class Ended:
    """One of the two: how it ended, and the changes that it made.

    took: seconds from the pair's beginning; did: whether it did its job; waited: whether it met the other's
    lock meanwhile.
    """

    kind: Kind
    run: Run
    took: float
    changes: list[Change]
    did: bool
    waited: bool

    def __str__(self) -> str:
        made = ", ".join(map(str, self.changes))
        return f"{self.kind} {self.run.run_id}: {self.run!r}, {self.run.errors}; {made}"


@dataclass
class Lane:
    """An endpoint, and pairs of runs on it: a deploy by the one process, and `beside` by the other.

    live: the bias of each configuration that was ever live; seconds: how long a release takes here and now.
    ends: how often which run was first, and what then became of the second.
    """

    rig: Rig
    recording: Recording
    one: RunProcess
    other: RunProcess
    beside: Kind
    live: dict[str, int] = field(default_factory=dict)
    biases: int = 0
    seconds: float = 0.0
    ends: Counter[str] = field(default_factory=Counter)

    def pair(self, chance: random.Random) -> None:
        """Start both together, and prove that they did not meet."""
        self._prepare()
        # Both at the same moment, or the one anywhere in the other; the first pair meets in the middle.
        late = chance.choice((self.one, self.other, self.other)) if self.ends else self.other
        offset = chance.choice((0.0, chance.random(), chance.random())) if self.ends else 0.5
        offset *= self.seconds
        known = len(self.rig.ledger())
        asked: list[tuple[RunProcess, Kind]] = [(self.one, "deploy"), (self.other, self.beside)]
        confs = {kind: self._conf(kind) for _, kind in asked}
        said = {process.key: process.said() for process, _ in asked}
        since = time.monotonic()
        for process, kind in asked:
            process.start(self.rig, kind, confs[kind], after=offset if process is late else 0.0)
        pair = [self._end(process, kind, since, said[process.key]) for process, kind in asked]
        self.seconds = min(self.seconds, pair[0].took)
        at = f"{late.key} {offset:.2f} s later: " + "; ".join(map(str, pair))
        callers = {each.caller for each in self.recording.of(self.rig.endpoint, since)}
        assert callers <= {self.one.key, self.other.key}, at
        pair.sort(key=lambda ended: min((c.began for c in ended.changes), default=float("inf")))
        self._check_apart(*pair, at=at)
        self._check_state(pair, known, at)

    def _prepare(self) -> None:
        """A live release, and where it is to be rolled back, one before it."""
        while (good := self._good())[1:] == [] if self.beside == "rollback" else not self.rig.endpoints():
            conf, began = self._conf("deploy"), time.monotonic()
            self.one.start(self.rig, "deploy", conf)
            run = self.one.end()
            self.seconds = time.monotonic() - began
            assert run.outcome == "released", (run, len(good))
            self.live[run.result["config_after"]] = self.biases

    def _good(self) -> list[dict[str, Any]]:
        return [each for each in self.rig.ledger() if each["outcome"] == "released"]

    def _conf(self, kind: Kind) -> dict[str, Any]:
        if kind == "teardown":
            return {"confirm": self.rig.endpoint}
        if kind == "deploy":
            self.biases += 1
            return {"artifact": self.rig.artifact(bias=self.biases)}
        now = self.rig.describe()["EndpointConfigName"]
        return {"release": [each["sequence"] for each in self._good() if each["config_after"] != now][-1]}

    def _end(self, process: RunProcess, kind: Kind, since: float, said: int) -> Ended:
        run, took = process.end(), time.monotonic() - since
        changes = self.recording.of(self.rig.endpoint, since)
        return Ended(
            kind=kind,
            run=run,
            took=took,
            changes=[each for each in changes if each.caller == process.key],
            did=run.state == "success" if kind == "teardown" else run.outcome == _ENDS[kind],
            waited=f"endpoint {self.rig.endpoint} is being changed by run" in process.log(said),
        )

    def _check_apart(self, first: Ended, second: Ended, *, at: str) -> None:
        """All changes of the one are over before the other's; the second did its job or says why not."""
        assert first.did, at
        assert first.changes, at
        if second.did:
            assert second.changes, at
            assert max(c.ended for c in first.changes) < min(c.began for c in second.changes), at
            became = "waited" if second.waited else "met no lock"
        else:
            assert second.changes == [], at
            assert second.run.state == "failed", at
            lock = f"is being changed by run {first.run.run_id} of {first.kind}__{self.rig.key}"
            assert lock in next(iter(second.run.errors.values())), at
            if second.kind != "teardown":
                assert lock in second.run.result["reason"], at
            became = "stopped with its reason"
        self.ends[f"{first.kind} first, then {second.kind} {became}"] += 1

    def _check_state(self, pair: list[Ended], known: int, at: str) -> None:
        """The ledger has who did something in the order of the changes, each from where the last one led."""
        did = [each for each in pair if each.did]
        records = [each for each in self.rig.ledger()[known:] if each["outcome"] in _ENDS.values()]
        assert [each["run"]["run_id"] for each in records] == [each.run.run_id for each in did], at
        assert [each["outcome"] for each in records] == [_ENDS[each.kind] for each in did], at
        if len(records) == 2:
            assert records[1]["config_before"] == records[0]["config_after"], at
        for ended, record in zip(did, records, strict=True):
            if ended.kind == "deploy":
                self.live[record["config_after"]] = self.biases
        last = records[-1]
        assert self.rig.locks() == [], at
        if last["outcome"] == "torn_down":
            assert self.rig.made() == (set(), set()), at
            assert self.rig.endpoints() == [], at
            return
        described = self.rig.describe()
        assert described["EndpointStatus"] == "InService", at
        assert described["EndpointConfigName"] == last["config_after"], at
        (variant,) = described["ProductionVariants"]
        assert (variant["CurrentWeight"], variant["CurrentInstanceCount"]) == (1.0, 1), at
        bias = self.live[last["config_after"]]
        assert self.rig.predict() == [1.0 + bias, 2.0 + bias, 3.0 + bias], at

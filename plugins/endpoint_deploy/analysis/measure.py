"""What was measured of one stage so far, as the judge takes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from endpoint_deploy.analysis.answers import Prediction, compared
from endpoint_deploy.analysis.replay import Replayed
from endpoint_deploy.core.analysis_spec import (
    AnalysisSpec,
    JudgedDisagreement,
    JudgedErrorRate,
    JudgedLatencyPoints,
    JudgedLatencyQuantile,
    JudgedMetric,
)
from endpoint_deploy.judge.measurements import (
    Answer,
    Answers,
    ErrorCounts,
    LatencySamples,
    LatencyWindow,
    Measurement,
    PairedAnswers,
    RequestWindow,
    Unavailable,
)


@dataclass(frozen=True)
class Measured:
    """Everything that metrics may rest on.

    replays: of every look so far, this one included, oldest first; no_replay: why there is none; traffic:
    metrics of CloudWatch by name; unexpected: of predictions, by metric name.
    """

    replays: Sequence[Replayed] = ()
    no_replay: str | None = None
    traffic: Mapping[str, Measurement] = field(default_factory=dict)
    unexpected: Mapping[str, Measurement] = field(default_factory=dict)

    def of(self, analysis: AnalysisSpec) -> dict[str, Measurement]:
        """By metric name."""
        return {metric.name: self._of(metric) for metric in analysis.metrics}

    def _of(self, metric: JudgedMetric) -> Measurement:
        if isinstance(metric, JudgedLatencyPoints) or _is_traffic(metric):
            return self.traffic.get(metric.name) or Unavailable("CloudWatch was not asked")
        if (wrong := self._nothing_replayed()) is not None:
            return Unavailable(wrong)
        if isinstance(metric, JudgedErrorRate):
            if metric.source == "predictions":
                return self.unexpected.get(metric.name) or Unavailable("the suite was not run")
            return ErrorCounts([_window(replayed) for replayed in self.replays])
        if isinstance(metric, JudgedLatencyQuantile):
            return LatencySamples([_latencies(replayed) for replayed in self.replays])
        if not any(replayed.candidate for replayed in self.replays):
            return Unavailable(self._unanswered())
        if isinstance(metric, JudgedDisagreement):
            return _paired(self.replays)
        return _crowds(self.replays)

    def _nothing_replayed(self) -> str | None:
        """Why no metric of a replay can be told; None where some can."""
        if self.no_replay:
            return self.no_replay
        last = self.replays[-1] if self.replays else Replayed()
        if last.broken:
            return f"requests cannot be replayed: {last.broken}"
        if not any(replayed.pairs for replayed in self.replays):
            return f"no replayed request says anything: {_counted(self.replays)}"
        return None

    def _unanswered(self) -> str:
        return f"no request was answered by both sides: {_counted(self.replays)}"


def summary(measured: Measured) -> dict[str, Any]:
    """What a look rests on, in few words: no request, and no prediction."""
    pairs = sum(len(replayed.pairs) for replayed in measured.replays)
    return {
        "replayed": pairs,
        "distinct": len(distinct(measured.replays)),
        "failures": failures(measured.replays),
        **({"left_out": left} if (left := sum(each.left_out for each in measured.replays)) else {}),
        **({"no_replay": measured.no_replay} if measured.no_replay else {}),
        **({"requests": measured.replays[-1].pool} if measured.replays else {}),
    }


def distinct(replays: Sequence[Replayed]) -> frozenset[str]:
    """Requests that both sides have answered."""
    return frozenset(request for replayed in replays for request in replayed.candidate)


def failures(replays: Sequence[Replayed]) -> dict[str, dict[str, int]]:
    """How often which error came, by side."""
    found: dict[str, dict[str, int]] = {}
    for replayed in replays:
        for side, counts in replayed.failures.items():
            mine = found.setdefault(side, {})
            for code, count in counts.items():
                mine[code] = mine.get(code, 0) + count
    return found


def predictions(replays: Sequence[Replayed], side: str) -> list[Prediction]:
    """A side's predictions, each request's once."""
    return [each for replayed in replays for found in getattr(replayed, side).values() for each in found]


def _is_traffic(metric: JudgedMetric) -> bool:
    return isinstance(metric, JudgedErrorRate) and metric.source == "traffic"


def _window(replayed: Replayed) -> RequestWindow:
    pairs = replayed.pairs
    return RequestWindow(
        candidate=len(pairs),
        candidate_errors=sum(pair.candidate is None for pair in pairs),
        champion=len(pairs),
        champion_errors=sum(pair.champion is None for pair in pairs),
    )


def _latencies(replayed: Replayed) -> LatencyWindow:
    """Of answers: an error may come fast, and is counted elsewhere."""
    return LatencyWindow(
        candidate=[pair.candidate for pair in replayed.pairs if pair.candidate is not None],
        champion=[pair.champion for pair in replayed.pairs if pair.champion is not None],
    )


def _paired(replays: Sequence[Replayed]) -> PairedAnswers:
    mine: list[Answer] = []
    theirs: list[Answer] = []
    for replayed in replays:
        for request, champion in replayed.champion.items():
            candidate = replayed.candidate[request]
            theirs += map(compared, champion)
            if len(candidate) == len(champion):
                mine += map(compared, candidate)
            else:  # which of them belong together cannot be told: none does
                mine += [f"one of {len(candidate)} predictions, not of {len(champion)}"] * len(champion)
    return PairedAnswers(candidate=mine, champion=theirs)


def _crowds(replays: Sequence[Replayed]) -> Measurement:
    sides: list[list[Answer]] = []
    for side in ("candidate", "champion"):
        crowd: list[Answer] = []
        for prediction in predictions(replays, side):
            answer = compared(prediction)
            if isinstance(answer, tuple):
                return Unavailable(
                    f"predictions of the {side} have {len(answer)} parts ({', '.join(sorted(prediction))}), "
                    "and drift is told of predictions with one"
                )
            crowd.append(answer)
        sides.append(crowd)
    return Answers(candidate=sides[0], champion=sides[1])


def _counted(replays: Sequence[Replayed]) -> str:
    left = sum(replayed.left_out for replayed in replays)
    said = [
        f"{count} times {code} of the {side}"
        for side, counts in failures(replays).items()
        for code, count in counts.items()
    ]
    return ", ".join(said) or f"found {left} requests, none of them answered"

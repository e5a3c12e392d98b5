"""How the values of both sides are spread: a few figures of each, by which a page draws them."""

from collections import Counter
from collections.abc import Sequence

from endpoint_deploy.core.strict import Strict
from endpoint_deploy.judge.measurements import (
    Answer,
    Answers,
    LatencySamples,
    LatencySeries,
    Measurement,
    PairedAnswers,
)

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
MOST_LABELS = 8  # what answers more of them names no classes


class Spread(Strict):
    """Of numbers their quantiles at `levels`, in the metric's unit; of classes the share of each label."""

    levels: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    candidate: tuple[float, ...]
    champion: tuple[float, ...]


def spread(measured: Measurement) -> Spread | None:
    """The spread of what was measured; None of counts, of answers of several parts, and of nothing."""
    match measured:
        case LatencySamples(windows):
            return _of_numbers(
                [each for window in windows for each in window.candidate],
                [each for window in windows for each in window.champion],
            )
        case LatencySeries(points):
            return _of_numbers([each.candidate for each in points], [each.champion for each in points])
        case Answers(candidate, champion) | PairedAnswers(candidate, champion):
            return _of_answers(candidate, champion)
    return None


def _of_answers(candidate: Sequence[Answer], champion: Sequence[Answer]) -> Spread | None:
    both = [*candidate, *champion]
    if all(isinstance(each, float) for each in both):
        return _of_numbers(_numbers(candidate), _numbers(champion))
    labels = sorted({each for each in both if isinstance(each, str)})
    if len(labels) > MOST_LABELS or not all(isinstance(each, str) for each in both):
        return None
    if not (candidate and champion):
        return None
    mine, theirs = Counter(candidate), Counter(champion)
    return Spread(
        labels=tuple(labels),
        candidate=tuple(mine[each] / len(candidate) for each in labels),
        champion=tuple(theirs[each] / len(champion) for each in labels),
    )


def _numbers(answers: Sequence[Answer]) -> list[float]:
    return [each for each in answers if isinstance(each, float)]


def _of_numbers(candidate: Sequence[float], champion: Sequence[float]) -> Spread | None:
    mine, theirs = (_quantiles(side) for side in (candidate, champion))
    return Spread(levels=LEVELS, candidate=mine, champion=theirs) if mine and theirs else None


def _quantiles(values: Sequence[float]) -> tuple[float, ...]:
    """At `LEVELS`; none where a value is not finite, which JSON could not say."""
    import numpy as np  # noqa: PLC0415  no DAG file needs it to be parsed

    found = np.asarray(values, dtype=np.float64)
    if not len(found) or not np.isfinite(found).all():
        return ()
    return tuple(float(each) for each in np.quantile(found, LEVELS))

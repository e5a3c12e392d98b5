"""Confidence intervals of the difference of two models on the same rows: a paired bootstrap, vectorised.

Both models are resampled by the same rows, so that what is hard about a row is hard for both. The interval
is the expanded percentile interval (Hesterberg, "What Teachers Should Know About the Bootstrap", 2015): its
quantiles lie the further out the fewer rows there are, as Student's t has it. docs/adr says why this one.
"""

from collections.abc import Callable, Iterator
from math import sqrt
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Weighted = Callable[..., Floats]  # weights, truth, predicted

_SEED: Final = 20_150_812  # any will do: the same rows must have the same interval
_RESAMPLES: Final = 2_000
_BEYOND: Final = 20  # resamples that lie beyond each end of an interval, at least
_CELLS: Final = 20_000_000  # weights in memory at a time
_UNSEEN: Final = 0.5


def row_interval(
    metric: "Weighted", truth: "Floats", candidate: "Floats", champion: "Floats", *, confidence: float
) -> tuple[float, float] | None:
    """The interval of candidate - champion, rows being drawn with replacement.

    metric: of quality/weighted.py. None where it is defined in no resample, or there are fewer than two rows.
    """
    import numpy as np  # noqa: PLC0415 - not for a DAG's parse

    rng, rows = np.random.default_rng(_SEED), len(truth)

    def difference(resamples: int) -> "Floats":
        drawn = rng.integers(0, rows, (resamples, rows)) + np.arange(resamples)[:, None] * rows
        counted = np.bincount(drawn.ravel(), minlength=resamples * rows)
        weights = counted.reshape(resamples, rows).astype(float)
        return metric(weights, truth, candidate) - metric(weights, truth, champion)

    values = np.concatenate([difference(size) for size in _chunks(rows, confidence)])
    return _expanded(values, rows, confidence)


def label_interval(
    metric: "Weighted", truth: "Ints", candidate: "Ints", champion: "Ints", *, confidence: float
) -> tuple[float, float] | None:
    """The interval of candidate - champion for a metric of labels, given as small integers.

    Rows with the same three labels are one cell, and cells are drawn with a multinomial distribution. Two
    models that agree on every row have shown no difference, but few rows are little proof of it: as in
    Agresti and Min's interval for paired proportions (2005), half a row of each disagreement is added to
    every class before resampling. That widens the interval and does not move it.
    """
    import numpy as np  # noqa: PLC0415 - as above

    labels = np.column_stack([truth, candidate, champion])
    kinds = (1 + int(labels.max()),) * 3
    packed, counts = np.unique(np.ravel_multi_index(tuple(labels.T), kinds), return_counts=True)
    seen = np.column_stack(np.unravel_index(packed, kinds))
    unseen = _disagreements(labels)
    cells = np.concatenate([seen, unseen])
    weights = np.concatenate([counts, np.full(len(unseen), _UNSEEN)])

    def difference(drawn: "Floats") -> "Floats":
        return metric(drawn, cells[:, 0], cells[:, 1]) - metric(drawn, cells[:, 0], cells[:, 2])

    rng, rows = np.random.default_rng(_SEED), len(truth)
    shares = weights / weights.sum()
    observed = difference(np.concatenate([counts, np.zeros(len(unseen))])[None, :])[0]
    centred = [
        difference(rng.multinomial(rows, shares, size).astype(float)) - difference(weights[None, :])
        for size in _chunks(len(cells), confidence)
    ]
    return _expanded(np.concatenate(centred) + observed, rows, confidence)


def _disagreements(labels: "Ints") -> "Ints":
    """For each class, both ways in which one model is right and the other is not."""
    import numpy as np  # noqa: PLC0415 - as above

    classes, counts = np.unique(labels[:, 0], return_counts=True)
    by_frequency = classes[np.argsort(-counts, kind="stable")]
    elsewhere = np.unique(labels)
    cells = []
    for truth in classes:
        others = [each for each in (*by_frequency, *elsewhere) if each != truth] or [truth + 1]
        cells += [(truth, truth, others[0]), (truth, others[0], truth)]
    return np.array(cells, dtype=np.int64)


def _chunks(width: int, confidence: float) -> Iterator[int]:
    """How many resamples to draw at a time, so that their weights fit the memory."""
    total = max(_RESAMPLES, round(2 * _BEYOND / (1 - confidence)))
    size = max(1, _CELLS // width)
    while total > 0:
        yield min(size, total)
        total -= size


def _expanded(values: "Floats", rows: int, confidence: float) -> tuple[float, float] | None:
    import numpy as np  # noqa: PLC0415 - as above
    from scipy import stats  # noqa: PLC0415 - as above

    defined = values[~np.isnan(values)]
    if rows < 2 or not len(defined):  # noqa: PLR2004 - nothing varies in one row
        return None
    student = stats.t.ppf((1 - confidence) / 2, rows - 1)
    tail = float(stats.norm.cdf(sqrt(rows / (rows - 1)) * student))
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)

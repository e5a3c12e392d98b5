"""Metrics in terms of weights of the rows, many weightings at once: a resample is a weighting.

`weights` is resamples x rows, `truth` and `predicted` a value a row; each function returns a value a
resample, NaN where the metric is not defined. With equal weights they are scikit-learn's, with 0 for its
`zero_division`.
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_EPSILON: Final = 2.0**-52  # what sklearn.metrics.log_loss clips probabilities to


def accuracy(weights: "Floats", truth: "Ints", predicted: "Ints") -> "Floats":
    """Share of the rows that are right."""
    right: Floats = weights @ (truth == predicted) / weights.sum(axis=1)
    return right


def balanced_accuracy(weights: "Floats", truth: "Ints", predicted: "Ints") -> "Floats":
    """Mean of the recalls of the classes that the truth has."""
    hits, there, _ = _by_class(weights, truth, predicted)
    return _mean(_ratio(hits, there))


def macro_recall(weights: "Floats", truth: "Ints", predicted: "Ints") -> "Floats":
    """Mean of the recalls of the classes that truth or predictions have."""
    hits, there, said = _by_class(weights, truth, predicted)
    return _mean(_ratio(hits, there, defined=there + said))


def macro_precision(weights: "Floats", truth: "Ints", predicted: "Ints") -> "Floats":
    """Mean of the precisions of the classes that truth or predictions have."""
    hits, there, said = _by_class(weights, truth, predicted)
    return _mean(_ratio(hits, said, defined=there + said))


def macro_f1(weights: "Floats", truth: "Ints", predicted: "Ints") -> "Floats":
    """Mean of the F1 scores of the classes that truth or predictions have."""
    hits, there, said = _by_class(weights, truth, predicted)
    return _mean(_ratio(2 * hits, there + said))


def recall(weights: "Floats", truth: "Ints", predicted: "Ints") -> "Floats":
    """Of the rows of class 1, the share that is found."""
    there = weights @ (truth == 1)
    return _ratio(weights @ ((truth == 1) & (predicted == 1)), there)


def precision(weights: "Floats", truth: "Ints", predicted: "Ints") -> "Floats":
    """Of the rows predicted to be of class 1, the share that is; undefined without a row of it."""
    said, there = weights @ (predicted == 1), weights @ (truth == 1)
    return _ratio(weights @ ((truth == 1) & (predicted == 1)), said, defined=there)


def f1(weights: "Floats", truth: "Ints", predicted: "Ints") -> "Floats":
    """Harmonic mean of precision and recall of class 1; undefined without a row of it."""
    said, there = weights @ (predicted == 1), weights @ (truth == 1)
    return _ratio(2 * weights @ ((truth == 1) & (predicted == 1)), said + there, defined=there)


def roc_auc(weights: "Floats", truth: "Ints", predicted: "Floats") -> "Floats":
    """Share of pairs of a row of class 1 and one of class 0 ordered rightly; ties count half."""
    import numpy as np  # noqa: PLC0415 - not for a DAG's parse

    order = np.argsort(predicted, kind="stable")
    starts = np.flatnonzero(np.diff(predicted[order], prepend=-np.inf))
    positive = np.add.reduceat(weights[:, order] * (truth[order] == 1), starts, axis=1)
    negative = np.add.reduceat(weights[:, order] * (truth[order] == 0), starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    return _ratio((positive * below).sum(axis=1), positive.sum(axis=1) * negative.sum(axis=1))


def log_loss(weights: "Floats", truth: "Ints", predicted: "Floats") -> "Floats":
    """Mean negative logarithm of the probability that the truth was given."""
    import numpy as np  # noqa: PLC0415 - as above

    likely = np.clip(np.where(truth == 1, predicted, 1 - predicted), _EPSILON, 1 - _EPSILON)
    return _average(weights, -np.log(likely))


def mae(weights: "Floats", truth: "Floats", predicted: "Floats") -> "Floats":
    """Mean absolute error."""
    return _average(weights, abs(predicted - truth))


def rmse(weights: "Floats", truth: "Floats", predicted: "Floats") -> "Floats":
    """Root of the mean squared error."""
    root: Floats = _average(weights, (predicted - truth) ** 2) ** 0.5
    return root


def r2(weights: "Floats", truth: "Floats", predicted: "Floats") -> "Floats":
    """Share of the truth's variance that the predictions explain; undefined where the truth does not vary."""
    centred = truth - truth.mean()  # squares of large numbers would lose their difference
    variance = _average(weights, centred**2) - _average(weights, centred) ** 2
    return 1 - _ratio(_average(weights, (predicted - truth) ** 2), variance)


def _average(weights: "Floats", values: "Floats") -> "Floats":
    average: Floats = weights @ values / weights.sum(axis=1)
    return average


def _by_class(weights: "Floats", truth: "Ints", predicted: "Ints") -> "tuple[Floats, Floats, Floats]":
    """By resample and class: weight of the rows found, of those there are, of those predicted."""
    import numpy as np  # noqa: PLC0415 - as above

    classes = np.union1d(truth, predicted)
    there = (truth[:, None] == classes).astype(float)
    said = (predicted[:, None] == classes).astype(float)
    return weights @ (there * said), weights @ there, weights @ said


def _ratio(part: "Floats", whole: "Floats", *, defined: "Floats | None" = None) -> "Floats":
    """The quotient: NaN where `defined`, or else `whole`, is 0; 0 where only `whole` is."""
    import numpy as np  # noqa: PLC0415 - as above

    quotient = np.divide(part, whole, out=np.zeros_like(part, dtype=float), where=whole > 0)
    return np.where((whole if defined is None else defined) > 0, quotient, np.nan)


def _mean(by_class: "Floats") -> "Floats":
    """The mean over the classes that are defined; each resample has one."""
    import numpy as np  # noqa: PLC0415 - as above

    known = ~np.isnan(by_class)
    mean: Floats = np.where(known, by_class, 0).sum(axis=1) / known.sum(axis=1)
    return mean

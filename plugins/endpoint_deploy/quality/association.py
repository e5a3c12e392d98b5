"""How well one column alone tells the target: 0 not at all, 1 completely, which is mostly a leak."""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_AS_CATEGORIES: Final = 100
_BINS: Final = 20
_BINARY: Final = 2


def association(feature: "pd.Series[Any]", target: "pd.Series[Any]", *, classes: bool) -> float | None:
    """How well the feature alone tells the target; None where either is constant.

    Of a numeric target: Spearman's |rho|, or for categories the share of the ranks' variance between them
    (epsilon squared, which many categories do not flatter). Of two classes: |2 AUC - 1| for numbers. Else the
    normalised mutual information, numbers in bins. A missing feature counts as a value of its own.
    """
    known = target.notna()
    feature, target = feature[known], target[known]
    if feature.nunique(dropna=False) < _BINARY or target.nunique() < _BINARY:
        return None
    if not classes:
        ranks = target.rank()
        return _rank_correlation(feature, ranks) if _is_number(feature) else _between(feature, ranks)
    if target.nunique() == _BINARY and _is_number(feature):
        return _separation(feature, target)
    return _mutual_information(feature, target)


def _is_number(values: "pd.Series[Any]") -> bool:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype  # noqa: PLC0415 - costs most of a second

    return is_numeric_dtype(values) and not is_bool_dtype(values)


def _rank_correlation(feature: "pd.Series[Any]", ranks: "pd.Series[Any]") -> float:
    return abs(float(feature.rank(na_option="bottom").corr(ranks)))


def _between(feature: "pd.Series[Any]", ranks: "pd.Series[Any]") -> float:
    groups = ranks.groupby(_codes(feature))
    rows, count = len(ranks), groups.ngroups
    if count >= rows:
        return 0.0
    total = float(((ranks - ranks.mean()) ** 2).sum())
    inside = float(((ranks - groups.transform("mean")) ** 2).sum())
    return max(0.0, 1 - (inside / total) * (rows - 1) / (rows - count))


def _separation(feature: "pd.Series[Any]", target: "pd.Series[Any]") -> float:
    ranks = feature.rank(na_option="bottom")
    one = target == target.iloc[0]
    n, m = int(one.sum()), int((~one).sum())
    auc = (float(ranks[one].sum()) - n * (n + 1) / 2) / (n * m)
    return abs(2 * auc - 1)


def _codes(feature: "pd.Series[Any]") -> "NDArray[np.intp]":
    """A number for each distinct value, missing ones included; numbers of many values in bins."""
    import pandas as pd  # noqa: PLC0415 - as above

    if _is_number(feature) and feature.nunique() > _AS_CATEGORIES:
        feature = pd.qcut(feature.rank(), _BINS, labels=False, duplicates="drop")
    return pd.factorize(feature, use_na_sentinel=False)[0]


def _mutual_information(feature: "pd.Series[Any]", target: "pd.Series[Any]") -> float:
    import pandas as pd  # noqa: PLC0415 - as above
    from scipy.stats import entropy  # noqa: PLC0415 - costs more than a second

    together = pd.crosstab(_codes(feature), _codes(target)).to_numpy()
    one, other = float(entropy(together.sum(axis=1))), float(entropy(together.sum(axis=0)))
    shared = one + other - float(entropy(together.ravel()))
    return min(1.0, max(0.0, 2 * shared / (one + other)))

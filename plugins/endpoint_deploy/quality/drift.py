"""How far new values lie from those of a reference, and how surely it is more than chance.

Every measure takes counts or values and returns a number, or None where there is nothing to compare.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_POOLED: Final = 10  # of old and new values together; a chi-squared test needs some in each cell


def cells(values: "NDArray[Any]", edges: Sequence[float]) -> "NDArray[np.int64]":
    """Count values below the first edge, in each [edge, next edge), the last closed, and above the last.

    One more cell than there are edges; a single edge is a cell of its own between below and above.
    """
    import numpy as np  # noqa: PLC0415 - not for a DAG's parse

    if len(edges) == 1:
        only = edges[0]
        return np.array([(values < only).sum(), (values == only).sum(), (values > only).sum()])
    inner, _ = np.histogram(values, bins=np.asarray(edges))
    return np.array([(values < edges[0]).sum(), *inner, (values > edges[-1]).sum()])


def population_stability_index(new: Sequence[float], reference: Sequence[float]) -> float | None:
    """The PSI of two lists of counts over the same cells: 0 where their shares are alike, never negative.

    Half a count is added to each cell that either has, so that a cell new to the reference weighs much, but
    not without bound.
    """
    import numpy as np  # noqa: PLC0415 - as above

    a, b = np.asarray(new, dtype=float), np.asarray(reference, dtype=float)
    used = (a + b) > 0
    a, b = a[used], b[used]
    if not a.sum() or not b.sum():
        return None
    p = (a + 0.5) / (a.sum() + 0.5 * len(a))
    q = (b + 0.5) / (b.sum() + 0.5 * len(b))
    return float(((p - q) * np.log(p / q)).sum())


def kolmogorov_smirnov(values: "NDArray[Any]", sketch: Sequence[float]) -> tuple[float, float] | None:
    """Statistic and p-value of the two-sample test; the sketch counts as so many values.

    A single value tells nothing.
    """
    import numpy as np  # noqa: PLC0415 - as above
    from scipy.stats import ks_2samp  # noqa: PLC0415 - costs more than a second

    if min(len(values), len(sketch)) < 2:  # noqa: PLR2004
        return None
    result = ks_2samp(values, np.asarray(sketch), method="asymp")
    return float(result.statistic), float(result.pvalue)


def chi_squared(new: Sequence[float], reference: Sequence[float]) -> float | None:
    """The p-value that both counts come from one distribution; rare cells are pooled."""
    import numpy as np  # noqa: PLC0415 - as above
    from scipy.stats import chi2_contingency  # noqa: PLC0415 - as above

    table = np.asarray([new, reference], dtype=float)
    rare = table.sum(axis=0) < _POOLED
    table = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or not table.sum(axis=1).all():  # noqa: PLR2004 - a test needs two cells
        return None
    return float(chi2_contingency(table).pvalue)


def more_than_chance(new: int, of: int, reference: int, of_reference: int) -> float:
    """The p-value that the share `new / of` is no greater than the reference's (Fisher's exact test)."""
    from scipy.stats import fisher_exact  # noqa: PLC0415 - as above

    table = [[new, of - new], [reference, of_reference - reference]]
    return float(fisher_exact(table, alternative="greater").pvalue)

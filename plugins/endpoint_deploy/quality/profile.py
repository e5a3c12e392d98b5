"""Statistics of a training set by column: enough to compare the next one with, and no row of it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field

from endpoint_deploy.core.strict import Strict
from endpoint_deploy.quality.association import association
from endpoint_deploy.quality.drift import cells

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

MOST_CATEGORIES: Final = 100
_SKETCH: Final = 501
_SAMPLE: Final = 100_000  # rows; more do not tell an association any better


class ColumnProfile(Strict):
    """One column. Of a numeric one, infinite values count as null.

    `sketch` holds at most 501 quantiles, evenly spaced; `edges` the distinct deciles and `counts` the values
    in the cells that `drift.cells` makes of them. `categories` counts the most frequent values by their text.
    """

    name: str
    kind: Literal["numeric", "categorical"]
    dtype: str
    nulls: int
    distinct: int
    mean: float | None = None
    std: float | None = None
    min: float | None = None
    max: float | None = None
    sketch: tuple[float, ...] = ()
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    categories: dict[str, int] = Field(default={})
    target_association: float | None = None


class DataProfile(Strict):
    """One training set. `duplicates` counts rows that an earlier one equals in every column."""

    schema_version: Literal[1] = 1
    digest: str
    target: str
    rows: int
    duplicates: int
    columns: tuple[ColumnProfile, ...]

    def column(self, name: str) -> ColumnProfile | None:
        """One column's profile; None where the set has no such column."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def class_shares(self) -> dict[str, float]:
        """By class of a categorical target, its share of the rows whose target is known."""
        target = self.column(self.target)
        counts = target.categories if target and target.kind == "categorical" else {}
        known = sum(counts.values())
        return {name: count / known for name, count in counts.items()}


def profile_data(frame: "pd.DataFrame", *, digest: str, target: str, classes: bool) -> DataProfile:
    """Return the profile of a training set with at least one row.

    classes: whether the target's values are classes, even where they are numbers.
    """
    sample = frame if len(frame) <= _SAMPLE else frame.sample(_SAMPLE, random_state=0)
    return DataProfile(
        digest=digest,
        target=target,
        rows=len(frame),
        duplicates=int(frame.duplicated().sum()),
        columns=tuple(
            _profile_column(
                frame[name],
                categorical=classes and name == target,
                told=None if name == target else association(sample[name], sample[target], classes=classes),
            )
            for name in frame.columns
        ),
    )


def is_numeric(values: "pd.Series[Any]") -> bool:
    """Whether a column's values are numbers; true and false are categories."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype  # noqa: PLC0415 - costs most of a second

    return is_numeric_dtype(values) and not is_bool_dtype(values)


def numbers(values: "pd.Series[Any]") -> "NDArray[np.float64]":
    """A numeric column's finite values."""
    import numpy as np  # noqa: PLC0415 - not for a DAG's parse

    found: NDArray[np.float64] = values.to_numpy(dtype=float, na_value=np.nan)
    return found[np.isfinite(found)]


def category_counts(values: "pd.Series[Any]") -> dict[str, int]:
    """How often each value occurs, by its text: 3 and 3.0 are one; the most frequent first, then by text."""
    counted: dict[str, int] = {}
    for value, count in values.value_counts(dropna=True).items():
        text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
        counted[text] = counted.get(text, 0) + int(count)
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def partition(column: ColumnProfile) -> Mapping[str, Any] | None:
    """The column's partition_object for Great Expectations' ExpectColumnKLDivergenceToBeLessThan."""
    if column.kind == "categorical":
        known = sum(column.categories.values())
        if not known:
            return None
        weights = [count / known for count in column.categories.values()]
        return {"values": list(column.categories), "weights": weights}
    inside = column.counts[1:-1]
    if len(column.edges) < 2 or not sum(inside):  # noqa: PLR2004 - one edge is no bin
        return None
    return {"bins": list(column.edges), "weights": [count / sum(inside) for count in inside]}


def _profile_column(values: "pd.Series[Any]", *, categorical: bool, told: float | None) -> ColumnProfile:
    import numpy as np  # noqa: PLC0415 - as above

    name, dtype = str(values.name), str(values.dtype)
    if categorical or not is_numeric(values):
        counted = category_counts(values)
        return ColumnProfile(
            name=name,
            kind="categorical",
            dtype=dtype,
            nulls=int(values.isna().sum()),
            distinct=len(counted),
            categories=dict(list(counted.items())[:MOST_CATEGORIES]),
            target_association=told,
        )
    found = numbers(values)
    base: dict[str, Any] = {
        "name": name,
        "kind": "numeric",
        "dtype": dtype,
        "nulls": len(values) - len(found),
        "distinct": len(np.unique(found)),
        "target_association": told,
    }
    if not len(found):
        return ColumnProfile(**base)
    points = (np.arange(min(len(found), _SKETCH)) + 0.5) / min(len(found), _SKETCH)
    edges = np.unique(np.quantile(found, np.linspace(0, 1, 11), method="inverted_cdf"))
    with np.errstate(over="ignore", invalid="ignore"):  # beyond 1e154 squares are infinite
        mean, std = float(found.mean()), float(found.std(ddof=1)) if len(found) > 1 else 0.0
    return ColumnProfile(
        **base,
        mean=mean if np.isfinite(mean) else None,
        std=std if np.isfinite(std) else None,
        min=float(found.min()),
        max=float(found.max()),
        sketch=tuple(np.quantile(found, points, method="inverted_cdf").tolist()),
        edges=tuple(edges.tolist()),
        counts=tuple(cells(found, edges.tolist()).tolist()),
    )

"""A table with a row a column: the statistics of new training data beside those of the last accepted."""

import re
from typing import TYPE_CHECKING, Any, Final

from endpoint_deploy.quality import drift
from endpoint_deploy.quality.profile import (
    MOST_CATEGORIES,
    ColumnProfile,
    DataProfile,
    category_counts,
    is_numeric,
    numbers,
    partition,
)

if TYPE_CHECKING:
    import pandas as pd

TEXTS: Final = ("column", "role", "presence", "kind", "reference_kind", "dtype", "reference_dtype")
NUMBERS: Final = (
    "rows", "reference_rows", "rows_ratio",
    "duplicate_fraction", "reference_duplicate_fraction", "duplicate_increase",
    "null_fraction", "reference_null_fraction", "null_increase", "null_p_value",
    "distinct", "reference_distinct",
    "mean", "reference_mean", "std", "reference_std", "min", "reference_min", "max", "reference_max",
    "psi", "ks_statistic", "ks_p_value", "chi2_p_value", "unseen_fraction",
    "target_association", "reference_target_association", "association_increase",
    "smallest_class_share", "reference_smallest_class_share", "least_class_ratio",
)  # fmt: skip
_STATISTICS: Final = ("distinct", "mean", "std", "min", "max", "target_association")


def comparison_frame(frame: "pd.DataFrame", profile: DataProfile, reference: DataProfile) -> "pd.DataFrame":
    """Return a row for each column of either set, the new set's first.

    frame, profile: the new set's rows and what `profile_data` made of them. Of TEXTS, one that does not
    apply is None; of NUMBERS, NaN. docs/retraining.md says what each is.
    """
    import pandas as pd  # noqa: PLC0415 - costs most of a second

    names = [column.name for column in profile.columns]
    names += [column.name for column in reference.columns if column.name not in names]
    rows = [{**_table(profile, reference), **_row(name, frame, profile, reference)} for name in names]
    table = pd.DataFrame(rows, columns=[*TEXTS, *NUMBERS])
    return table.astype({**dict.fromkeys(NUMBERS, float), **dict.fromkeys(TEXTS, object)})


def parameters(profile: DataProfile, reference: DataProfile | None) -> dict[str, Any]:
    """Values for `{"$PARAMETER": …}` in a suite, those of the reference only where there is one.

    `rows`, `reference_rows`, and for each column of the reference `reference_<statistic>_<column>` with
    null_fraction, distinct, mean, std, min, max and partition. What is no letter, digit or underscore in a
    column's name is an underscore; of two columns that are then alike, it is the first one's.
    """
    given: dict[str, Any] = {"rows": profile.rows}
    if reference is None:
        return given
    given["reference_rows"] = reference.rows
    for column in reference.columns:
        name = re.sub(r"\W", "_", column.name, flags=re.ASCII)
        statistics: dict[str, Any] = {
            "null_fraction": column.nulls / reference.rows,
            "partition": partition(column),
            **{key: getattr(column, key) for key in ("distinct", "mean", "std", "min", "max")},
        }
        for key, value in statistics.items():
            if value is not None:
                given.setdefault(f"reference_{key}_{name}", value)
    return given


def _table(profile: DataProfile, reference: DataProfile) -> dict[str, Any]:
    new, old = profile.duplicates / profile.rows, reference.duplicates / reference.rows
    return {
        "rows": profile.rows,
        "reference_rows": reference.rows,
        "rows_ratio": profile.rows / reference.rows,
        "duplicate_fraction": new,
        "reference_duplicate_fraction": old,
        "duplicate_increase": new - old,
    }


def _row(name: str, frame: "pd.DataFrame", profile: DataProfile, reference: DataProfile) -> dict[str, Any]:
    new, old = profile.column(name), reference.column(name)
    row: dict[str, Any] = {
        "column": name,
        "role": "target" if name == profile.target else "feature",
        "presence": "both" if new and old else "new" if new else "missing",
    }
    for prefix, side, rows in (("", new, profile.rows), ("reference_", old, reference.rows)):
        if side:
            row |= {f"{prefix}kind": side.kind, f"{prefix}dtype": side.dtype}
            row |= {f"{prefix}{key}": getattr(side, key) for key in _STATISTICS}
            row[f"{prefix}null_fraction"] = side.nulls / rows
    if new and old:
        row |= _nulls(new, old, profile.rows, reference.rows)
        row |= _distance(frame[name], new, old)
        if new.target_association is not None and old.target_association is not None:
            row["association_increase"] = new.target_association - old.target_association
    if name == profile.target:
        row |= _classes(profile.class_shares, reference.class_shares)
    return row


def _nulls(new: ColumnProfile, old: ColumnProfile, rows: int, reference_rows: int) -> dict[str, Any]:
    return {
        "null_increase": new.nulls / rows - old.nulls / reference_rows,
        "null_p_value": drift.more_than_chance(new.nulls, rows, old.nulls, reference_rows),
    }


def _distance(values: "pd.Series[Any]", new: ColumnProfile, old: ColumnProfile) -> dict[str, Any]:
    """The distance of two columns of one kind; a column of another kind has none."""
    if new.kind != old.kind:
        return {}
    if old.kind == "categorical":
        return _distance_of_categories(category_counts(values), old)
    found = numbers(values) if is_numeric(values) else None
    if found is None or not len(found) or not old.sketch:
        return {}
    counted = drift.cells(found, old.edges).tolist()
    row: dict[str, Any] = {
        "psi": drift.population_stability_index(counted, old.counts),
        "unseen_fraction": (counted[0] + counted[-1]) / len(found),
    }
    if tested := drift.kolmogorov_smirnov(found, old.sketch):
        row["ks_statistic"], row["ks_p_value"] = tested
    return row


def _distance_of_categories(counted: dict[str, int], old: ColumnProfile) -> dict[str, Any]:
    total, known = sum(counted.values()), sum(old.categories.values())
    if not total or not known:
        return {}
    unseen = total - sum(counted.get(name, 0) for name in old.categories)
    row: dict[str, Any] = {}
    new_counts = [counted.get(name, 0) for name in old.categories]
    old_counts = list(old.categories.values())
    if old.distinct <= MOST_CATEGORIES:  # else what is not listed may well have been there
        row["unseen_fraction"] = unseen / total
        new_counts, old_counts = [*new_counts, unseen], [*old_counts, 0]
    return {
        **row,
        "psi": drift.population_stability_index(new_counts, old_counts),
        "chi2_p_value": drift.chi_squared(new_counts, old_counts),
    }


def _classes(new: dict[str, float], old: dict[str, float]) -> dict[str, Any]:
    """The rarest class's share, a class that is gone included, and the most that a class has shrunk."""
    if not new or not old:
        return {}
    return {
        "smallest_class_share": min(new.get(name, 0.0) for name in new.keys() | old.keys()),
        "reference_smallest_class_share": min(old.values()),
        "least_class_ratio": min(new.get(name, 0.0) / share for name, share in old.items()),
    }

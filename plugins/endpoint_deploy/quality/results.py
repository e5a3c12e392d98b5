"""The outcome of a suite in plain words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Any

_SHOWN = 5
_LISTED = 12
_NOT_SAID = frozenset(
    {
        "column",
        "column_A",
        "column_B",
        "batch_id",
        "result_format",
        "catch_exceptions",
        "row_condition",
        "condition_parser",
    }
)


@dataclass(frozen=True, slots=True)
class FailedExpectation:
    """One expectation that the data did not meet; `column` is None for one about the whole table.

    `notes` is what the suite itself says about it.
    """

    expectation: str
    column: str | None
    found: str
    expected: str
    notes: str = ""

    def sentence(self) -> str:
        """Return what was found and what was expected, in one sentence."""
        where = f"column {self.column}: " if self.column else ""
        because = f": {self.notes}" if self.notes else ""
        return f"{where}{self.found}; expected {self.expected} ({self.expectation}){because}"


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """The outcome of one run of a suite. `evaluated` counts its expectations."""

    suite: str
    success: bool
    evaluated: int
    failed: tuple[FailedExpectation, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON-ready data."""
        return {
            **asdict(self),
            "failed": [{**asdict(failed), "sentence": failed.sentence()} for failed in self.failed],
        }


def failed_expectation(
    expectation: str,
    kwargs: Mapping[str, Any],
    result: Mapping[str, Any],
    exception: Mapping[str, Any],
    *,
    notes: str | Sequence[str] | None = None,
    named_by: str | None = None,
) -> FailedExpectation:
    """Return a failed expectation from what Great Expectations reports of it.

    `result` and `exception` are its `result` and `exception_info`, in the result format SUMMARY; `notes`
    those of the expectation; `named_by` the column that names the rows, where the report was asked for it.
    """
    column = kwargs.get("column")
    if column is None and "column_A" in kwargs:
        column = f"{kwargs['column_A']}, {kwargs['column_B']}"
    said = notes if isinstance(notes, str) else " ".join(notes or ())
    found = _found(result, exception, named_by)
    return FailedExpectation(expectation, column, found, _expected(expectation, kwargs), said)


def _found(result: Mapping[str, Any], exception: Mapping[str, Any], named_by: str | None) -> str:
    if raised := _message(exception):
        return f"it could not be evaluated: {raised}"
    if differs := _difference(result):
        return differs
    if "unexpected_count" in result:
        names = result.get("partial_unexpected_index_list") or [] if named_by else []
        shown = result.get("partial_unexpected_list", [])[:_SHOWN]
        listed = ", ".join(
            f"{_plain(value)} at {name[named_by]}" if name else _plain(value)
            for value, name in zip_longest(shown, names[: len(shown)])
        )
        more = ", …" if result["unexpected_count"] > _SHOWN else ""
        return (
            f"{result['unexpected_count']} of {result['element_count']} values "
            f"({result.get('unexpected_percent', 0):.3g} %) do not: {listed}{more}"
        )
    if "observed_value" in result:
        return f"found {_plain(result['observed_value'])}"
    return "it does not hold"


def _difference(result: Mapping[str, Any]) -> str | None:
    """Return how a set of values, or a list of columns, differs from the one expected, where one was."""
    if "partial_missing_list" in result:
        parts = {
            "values that are not expected": result.get("partial_unexpected_list"),
            "no": result["partial_missing_list"],
        }
        return "found " + ", and ".join(
            f"{what} {_listed(values)}" for what, values in parts.items() if values
        )
    mismatched = (result.get("details") or {}).get("mismatched")
    if isinstance(mismatched, list) and mismatched:
        first, found = mismatched[0], result.get("observed_value") or ()
        return (
            f"found {len(found)} columns, of which number {first['Expected Column Position'] + 1} "
            f"is {_plain(first['Found'])} and should be {_plain(first['Expected'])}"
        )
    return None


def _message(exception: Mapping[str, Any]) -> str | None:
    """Return the exception's message; a metric that several expectations need is one level deeper."""
    for entry in (exception, *(value for value in exception.values() if isinstance(value, Mapping))):
        if entry.get("raised_exception") and entry.get("exception_message"):
            return str(entry["exception_message"]).strip().splitlines()[0]
    return None


def _expected(expectation: str, kwargs: Mapping[str, Any]) -> str:
    text = expectation.removeprefix("expect_").removeprefix("column_pair_").removeprefix("column_")
    said = {key: value for key, value in kwargs.items() if key not in _NOT_SAID and value is not None}
    low, high = said.pop("min_value", None), said.pop("max_value", None)
    mostly = said.pop("mostly", None)
    parts = [text.removeprefix("table_").replace("_", " ")]
    if low is not None and high is not None:
        parts.append(f"{_plain(low)} and {_plain(high)}")
    elif low is not None:
        parts[0] = parts[0].replace("between", f"at least {_plain(low)}")
    elif high is not None:
        parts[0] = parts[0].replace("between", f"at most {_plain(high)}")
    if "value_set" in said:
        parts.append(", ".join(_plain(value) for value in said.pop("value_set")))
    parts += [f"{key.replace('_', ' ')} {_plain(value)}" for key, value in said.items()]
    if mostly is not None and mostly < 1:
        parts.append(f"for at least {mostly:.3g} of the rows")
    if condition := _condition(kwargs.get("row_condition")):
        parts.append(f"where {condition}")
    return " ".join(parts)


def _condition(condition: Any) -> str:
    """Return a row condition, in the form that Great Expectations keeps it in, as one reads it."""
    if not isinstance(condition, Mapping):
        return str(condition or "")
    if "conditions" in condition:
        return f" {condition.get('type', 'and')} ".join(_condition(part) for part in condition["conditions"])
    if "pass_through_filter" in condition:
        return str(condition["pass_through_filter"])
    said = [condition.get("column", {}).get("name"), condition.get("operator")]
    if "parameter" in condition:
        said.append(_plain(condition["parameter"]))
    return " ".join(str(part) for part in said if part is not None)


def _listed(values: Sequence[Any], shown: Callable[[Any], str] | None = None) -> str:
    """Return the first values of many, and how many there are."""
    listed = ", ".join((shown or _plain)(value) for value in values[:_LISTED])
    return listed if len(values) <= _LISTED else f"{listed}, … {len(values)} in all"


def _plain(value: Any) -> str:
    """Return a value without NumPy's type around it, and floats no longer than anyone reads."""
    if isinstance(value, tuple | list):
        return f"({_listed(value)})"
    if isinstance(value, Mapping):
        return "{" + _listed([f"{key}: {_plain(item)}" for key, item in value.items()], shown=str) + "}"
    value = value.item() if hasattr(value, "item") else value
    return (
        f"{value:.6g}" if isinstance(value, float) else repr(value) if isinstance(value, str) else str(value)
    )

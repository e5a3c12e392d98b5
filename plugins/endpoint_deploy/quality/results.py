"""The outcome of a suite in plain words."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

_SHOWN = 5
_NOT_SAID = frozenset({"column", "column_A", "column_B", "batch_id", "result_format", "catch_exceptions"})


@dataclass(frozen=True, slots=True)
class FailedExpectation:
    """One expectation that the data did not meet; `column` is None for one about the whole table."""

    expectation: str
    column: str | None
    found: str
    expected: str

    def sentence(self) -> str:
        """Return what was found and what was expected, in one sentence."""
        where = f"column {self.column}: " if self.column else ""
        return f"{where}{self.found}; expected {self.expected} ({self.expectation})"


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
    expectation: str, kwargs: Mapping[str, Any], result: Mapping[str, Any], exception: Mapping[str, Any]
) -> FailedExpectation:
    """Return a failed expectation from what Great Expectations reports of it.

    `result` and `exception` are its `result` and `exception_info`, in the result format SUMMARY.
    """
    column = kwargs.get("column")
    if column is None and "column_A" in kwargs:
        column = f"{kwargs['column_A']}, {kwargs['column_B']}"
    return FailedExpectation(expectation, column, _found(result, exception), _expected(expectation, kwargs))


def _found(result: Mapping[str, Any], exception: Mapping[str, Any]) -> str:
    if raised := _message(exception):
        return f"it could not be evaluated: {raised}"
    if "unexpected_count" in result:
        listed = ", ".join(_plain(value) for value in result.get("partial_unexpected_list", [])[:_SHOWN])
        more = ", …" if result["unexpected_count"] > _SHOWN else ""
        return (
            f"{result['unexpected_count']} of {result['element_count']} values "
            f"({result.get('unexpected_percent', 0):.3g} %) do not: {listed}{more}"
        )
    if "observed_value" in result:
        return f"found {_plain(result['observed_value'])}"
    return "it does not hold"


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
    return " ".join(parts)


def _plain(value: Any) -> str:
    """Return a value without NumPy's type around it, and floats no longer than anyone reads."""
    if isinstance(value, tuple | list):
        return "(" + ", ".join(_plain(item) for item in value) + ")"
    value = value.item() if hasattr(value, "item") else value
    return (
        f"{value:.6g}" if isinstance(value, float) else repr(value) if isinstance(value, str) else str(value)
    )

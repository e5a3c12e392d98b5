"""The metric gate in expectations and words: what metrics must be, and why they are not.

The table that is judged has one row. Its columns are `rows`, and for each metric its name, and with a
champion `<name>_champion`, `<name>_gain`, `<name>_gain_low` and `<name>_gain_high`.
"""

from math import ceil
from typing import Any

from endpoint_deploy.core.evaluation_spec import MetricGate
from endpoint_deploy.core.retrain import GatedMetrics, MetricResult

LEAST_ROWS = 10  # an interval from fewer says nothing
_MOST_TOLD = 1_000_000_000


def metric_row(measured: GatedMetrics) -> dict[str, float | int | None]:
    """The table's row."""
    row: dict[str, float | int | None] = {"rows": measured.rows}
    for metric in measured.metrics:
        row[metric.name] = metric.candidate
        if metric.champion is not None:
            row[f"{metric.name}_champion"] = metric.champion
            row[f"{metric.name}_gain"] = metric.gain
            row[f"{metric.name}_gain_low"] = metric.gain_low
            row[f"{metric.name}_gain_high"] = metric.gain_high
    return row


def metric_suite(endpoint: str, gates: tuple[MetricGate, ...], *, compared: bool) -> dict[str, Any]:
    """A Great Expectations suite, in the form of its files, of what the spec asks of the metrics.

    compared: whether there is a champion. A column that must lie between bounds must also have a value: Great
    Expectations passes over what is null.
    """
    expectations = [_between("rows", LEAST_ROWS, None)]
    for gate in gates:
        expectations += [_present(gate.name), _between(gate.name, gate.at_least, gate.at_most)]
        if compared and gate.margin is not None:
            column = f"{gate.name}_gain_low"
            expectations += [_present(column), _between(column, -gate.margin, None)]
    return {
        "name": f"{endpoint}-metrics",
        "expectations": [expectation for expectation in expectations if expectation],
    }


def reason(column: str | None, measured: GatedMetrics, gates: tuple[MetricGate, ...]) -> str | None:
    """Why a metric does not pass, by the column that failed; None for a column of no metric."""
    if column == "rows":
        return f"found {measured.rows} held-out rows, expected at least {LEAST_ROWS}: fewer tell nothing"
    for metric, gate in zip(measured.metrics, gates, strict=True):
        if column == f"{metric.name}_gain_low":
            return _compared(metric, gate, measured)
        if column == metric.name:
            return _bounded(metric, gate)
    return None


def rows_needed(metric: MetricResult, margin: float, rows: int) -> int | None:
    """About how many held-out rows would let this metric pass; None where no number of rows would.

    The interval narrows with the root of the number of rows.
    """
    if metric.gain is None or metric.gain_low is None or metric.gain + margin <= 0:
        return None
    needed = rows * ((metric.gain - metric.gain_low) / (metric.gain + margin)) ** 2
    return max(LEAST_ROWS, ceil(needed)) if needed < _MOST_TOLD else None


def same_label(text: str) -> str:
    """A class as it is compared: 1, 1.0 and "1" are the same one, as are True and true."""
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        return text.lower() if text.lower() in {"true", "false"} else text
    return str(int(number)) if number.is_integer() else repr(number)


def _bounded(metric: MetricResult, gate: MetricGate) -> str:
    bounds = [
        f"at {word} {_value(bound)}"
        for word, bound in (("least", gate.at_least), ("most", gate.at_most))
        if bound is not None
    ]
    return (
        f"{metric.name}: candidate {_value(metric.candidate)}, expected {' and '.join(bounds) or 'a number'}"
    )


def _compared(metric: MetricResult, gate: MetricGate, measured: GatedMetrics) -> str:
    margin, rows = gate.margin or 0.0, f"{measured.rows:,} held-out rows"
    said = f"{metric.name}: candidate {_value(metric.candidate)}, champion {_value(metric.champion)}"
    if metric.gain is None or metric.gain_low is None or metric.gain_high is None:
        return f"{said}; {rows} are too few to compare them, allowed {_change(margin)} worse"
    said += (
        f"; {_direction(metric.gain)} ({_value(measured.confidence * 100)} % confidence: "
        f"{_interval(metric.gain_low, metric.gain_high)}), allowed {_change(margin)}"
    )
    if metric.gain < -margin:
        return said
    needed = rows_needed(metric, margin, measured.rows)
    would = f"about {needed:,} would do" if needed else "more would tell"
    return f"{said} worse: {rows} are too few to be sure, {would}"


def _direction(gain: float) -> str:
    return f"{'better' if gain > 0 else 'worse'} by {_change(abs(gain))}" if gain else "equal"


def _interval(low: float, high: float) -> str:
    if high <= 0:
        return f"between {_change(-high)} and {_change(-low)}"
    if low >= 0:
        return f"between {_change(low)} and {_change(high)}"
    return f"between {_change(-low)} worse and {_change(high)} better"


def _value(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"


def _change(value: float) -> str:
    return f"{value:.3g}"


def _present(column: str) -> dict[str, Any]:
    return {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": column}}


def _between(column: str, low: float | None, high: float | None) -> dict[str, Any]:
    if low is None and high is None:
        return {}
    return {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": column, "min_value": low, "max_value": high},
    }

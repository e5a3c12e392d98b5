"""What predictions must be before a metric of them means anything, as expectations.

The table has a row a held-out row (quality/evaluated.py): `truth`, `candidate` and `champion` as text, with
`<model>_class` the class as it is compared, and `<model>_score` as a number.
"""

from typing import Any, Final, Literal

from endpoint_deploy.core.evaluation_spec import EvaluationSpec

LABEL_METRICS: Final = frozenset({"accuracy", "balanced_accuracy", "precision", "recall", "f1"})
SCORE_METRICS: Final = frozenset({"roc_auc", "log_loss"})
NUMBER_METRICS: Final = frozenset({"r2", "mae", "rmse"})
_FINITE: Final = r"^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$"
Expectation = dict[str, Any]


def prediction_suite(
    endpoint: str,
    evaluation: EvaluationSpec,
    *,
    rows: int,
    classes: list[str],
    varied: bool,
    compared: bool,
) -> dict[str, Any]:
    """A Great Expectations suite, in the form of its files, over the predictions.

    rows: how many held-out rows there are; classes: those that a prediction may name; varied: whether the
    truth has more than one value, so that a model that always says the same has learned nothing; compared:
    whether there is a champion.
    """
    expectations: list[Expectation] = [
        {"type": "expect_table_row_count_to_equal", "kwargs": {"value": rows}},
        _on("row", "expect_column_values_to_be_unique"),
        _on("truth", "expect_column_values_to_not_be_null"),
    ]
    if _asked(evaluation) & NUMBER_METRICS:
        expectations.append(_on("truth", "expect_column_values_to_match_regex", regex=_FINITE))
    for model in ("candidate", "champion") if compared else ("candidate",):
        expectations += _of_model(model, evaluation, classes)
    if varied:
        expectations.append(
            _on("candidate", "expect_column_unique_value_count_to_be_between", min_value=2),
        )
    return {"name": f"{endpoint}-predictions", "expectations": expectations}


def blamed(columns: list[str | None]) -> Literal["truth", "candidate", "champion"]:
    """Whose fault it is that predictions cannot be used, by the columns that failed."""
    named = [(column or "").partition("_")[0] for column in columns]
    if "truth" in named:
        return "truth"
    return "champion" if set(named) == {"champion"} else "candidate"


def _of_model(model: str, evaluation: EvaluationSpec, classes: list[str]) -> list[Expectation]:
    asked = _asked(evaluation)
    expectations = [_on(model, "expect_column_values_to_not_be_null")]
    if asked & LABEL_METRICS:
        expectations.append(_on(f"{model}_class", "expect_column_values_to_be_in_set", value_set=classes))
    if asked & NUMBER_METRICS:
        expectations.append(_on(model, "expect_column_values_to_match_regex", regex=_FINITE))
    if asked & SCORE_METRICS:
        score = f"{model}_score"
        expectations += [
            _on(score, "expect_column_values_to_not_be_null"),
            _on(score, "expect_column_values_to_be_between", min_value=0, max_value=1),
        ]
    return expectations


def _asked(evaluation: EvaluationSpec) -> set[str]:
    return {metric.name for metric in evaluation.metrics}


def _on(column: str, expectation: str, **kwargs: Any) -> Expectation:
    return {"type": expectation, "kwargs": {"column": column, **kwargs}}

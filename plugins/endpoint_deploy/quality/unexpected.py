"""The rows of a table that do not meet a suite, one by one."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from endpoint_deploy.quality.engine import ephemeral_context, great_expectations
from endpoint_deploy.quality.suites import load_suite

if TYPE_CHECKING:
    import pandas as pd

_ROW = "row_number"  # the column by which Great Expectations names a row


@dataclass(frozen=True)
class Unexpected:
    """Numbers of the rows that do not meet an expectation, and which expectations are not about rows."""

    rows: frozenset[int]
    not_of_rows: tuple[str, ...] = ()


def unexpected_rows(frame: "pd.DataFrame", suite_file: Path) -> Unexpected:
    """Run a suite, and say of each row whether it meets every expectation.

    An expectation that cannot be evaluated, as of a column that is missing, is met by no row. Raises
    SuiteInvalid where the file is no suite.
    """
    gx = great_expectations()
    suite = load_suite(suite_file, parameters={})
    context = ephemeral_context()
    context.suites.add(suite)
    batch = (
        context.data_sources.add_pandas("frames")
        .add_dataframe_asset(suite.name)
        .add_batch_definition_whole_dataframe("whole")
    )
    validation = context.validation_definitions.add(
        gx.ValidationDefinition(name=suite.name, data=batch, suite=suite)
    )
    outcome = validation.run(
        batch_parameters={"dataframe": frame.assign(**{_ROW: range(len(frame))})},
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": [_ROW]},
    )
    rows: set[int] = set()
    others: list[str] = []
    for result in outcome.results:
        found: dict[str, Any] = result.result or {}
        if "unexpected_index_list" in found:
            rows |= {int(each[_ROW]) for each in found["unexpected_index_list"] or []}
        elif _was_not_evaluated(result.exception_info or {}):
            rows |= set(range(len(frame)))
        else:
            others.append(str(result.expectation_config.type))
    return Unexpected(frozenset(rows), tuple(dict.fromkeys(others)))


def _was_not_evaluated(exception: dict[str, Any]) -> bool:
    nested = [each for each in exception.values() if isinstance(each, dict)]
    return any(each.get("raised_exception") for each in (exception, *nested))

"""Suites as their users write them: files in Great Expectations' own form, run over a data frame."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from endpoint_deploy.quality.engine import ephemeral_context, great_expectations
from endpoint_deploy.quality.errors import SuiteInvalid
from endpoint_deploy.quality.pages import write_summary
from endpoint_deploy.quality.parameters import can_be_judged
from endpoint_deploy.quality.results import SuiteResult, failed_expectation

if TYPE_CHECKING:
    import pandas as pd

_KEYS: Final = frozenset({"name", "id", "expectations", "meta", "notes"})
_EXPECTATION_KEYS: Final = frozenset(
    {
        "type",
        "kwargs",
        "meta",
        "severity",
        "id",
        "notes",
        "description",
        "expectation_context",
        "rendered_content",
    }
)


def load_suite(suite_file: Path, *, parameters: Mapping[str, Any] | None = None) -> Any:
    """Return the file's `great_expectations.ExpectationSuite`; JSON, or YAML by its suffix.

    With `parameters`, what asks for a `reference_…` is left out where none of them is given: there is
    nothing yet to hold the data to.

    Raises SuiteInvalid with the file, the expectation and what is wrong with it. Each expectation is built
    here, for a suite made of a list drops those that it does not know, with no more than a line in the log
    (ExpectationSuite.__init__ in Great Expectations 1.24.1).
    """
    content = _content(suite_file)
    gx = great_expectations()
    ephemeral_context()  # add_expectation asks for an active context
    from great_expectations.exceptions.exceptions import GreatExpectationsError  # noqa: PLC0415 - costs four seconds
    from great_expectations.expectations.expectation_configuration import (  # noqa: PLC0415 - as above
        ExpectationConfiguration,
    )

    suite = gx.ExpectationSuite(name=content["name"], meta=content.get("meta"), notes=content.get("notes"))
    for index, entry in enumerate(content["expectations"]):
        where = f"expectation {index + 1} ({entry['type']})"
        if parameters is not None and not can_be_judged(suite_file, where, entry["kwargs"], parameters):
            continue
        try:
            suite.add_expectation(ExpectationConfiguration(**entry).to_domain_obj())
        except GreatExpectationsError as error:
            raise _invalid(suite_file, where, str(error)) from error
        except (TypeError, ValueError) as error:  # pydantic's errors are ValueErrors
            raise _invalid(suite_file, where, " ".join(str(error).split())) from error
    return suite


def run_suite(
    frame: "pd.DataFrame",
    suite_file: Path,
    *,
    docs_dir: Path | None = None,
    title: str = "",
    parameters: Mapping[str, Any] | None = None,
    named_by: str | None = None,
) -> SuiteResult:
    """Run a suite over a data frame with a Checkpoint, and return the outcome.

    With `docs_dir`, Great Expectations' Data Docs are written there (`index.html`, styled by stylesheets it
    loads from the net) and, beside them, a `summary.html` of our own that loads nothing. `title` says what
    was checked, `parameters` are values for `{"$PARAMETER": …}`, and `named_by` is the column whose values
    name the rows that do not meet an expectation. An expectation that cannot be evaluated (a column that is
    missing) has failed. Raises SuiteInvalid where the file is no suite.
    """
    gx = great_expectations()
    suite = load_suite(suite_file, parameters=parameters or {})
    context = ephemeral_context()
    context.suites.add(suite)
    batch = (
        context.data_sources.add_pandas("frames")
        .add_dataframe_asset(_label(title) or suite.name)
        .add_batch_definition_whole_dataframe("whole")
    )
    validation = context.validation_definitions.add(
        gx.ValidationDefinition(name=suite.name, data=batch, suite=suite)
    )
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(
            name=suite.name,
            validation_definitions=[validation],
            actions=_data_docs(context, docs_dir) if docs_dir else [],
            result_format={
                "result_format": "SUMMARY",
                **({"unexpected_index_column_names": [named_by]} if named_by else {}),
            },
        )
    )
    outcome = checkpoint.run(
        batch_parameters={"dataframe": frame}, expectation_parameters=dict(parameters or {})
    )
    evaluated = [result for run in outcome.run_results.values() for result in run.results]
    result = SuiteResult(
        suite=suite.name,
        success=bool(outcome.success),
        evaluated=len(evaluated),
        failed=tuple(
            failed_expectation(
                result.expectation_config.type,
                result.expectation_config.kwargs,
                result.result or {},
                result.exception_info or {},
                notes=result.expectation_config.notes,
                named_by=named_by,
            )
            for result in evaluated
            if not result.success
        ),
    )
    if docs_dir:
        write_summary(docs_dir / "summary.html", result, title=title, rows=len(frame))
    return result


def _data_docs(context: Any, docs_dir: Path) -> list[Any]:
    gx = great_expectations()
    docs_dir.mkdir(parents=True, exist_ok=True)
    context.add_data_docs_site(
        "docs",
        {
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(docs_dir.resolve()),
            },
        },
    )
    return [gx.checkpoint.UpdateDataDocsAction(name="docs", site_names=["docs"])]


def _label(title: str) -> str:
    """Return the title as a name that Data Docs can make a file of."""
    return "".join(letter if letter.isalnum() or letter in "-_. " else "-" for letter in title)[:80].strip()


def _content(suite_file: Path) -> Mapping[str, Any]:
    try:
        text = suite_file.read_text(encoding="utf-8")
        content = yaml.safe_load(text) if suite_file.suffix in (".yaml", ".yml") else json.loads(text)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, yaml.YAMLError) as error:
        raise _invalid(suite_file, "", f"it cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise _invalid(suite_file, "", f"found a {type(content).__name__}")
    if unknown := sorted(content.keys() - _KEYS):
        raise _invalid(
            suite_file, "", f"found the key {unknown[0]!r}, expected only {', '.join(sorted(_KEYS))}"
        )
    if not isinstance(content.get("name"), str) or not content["name"]:
        raise _invalid(suite_file, "name", f"found {content.get('name')!r}, expected a text")
    if not isinstance(content.get("expectations"), list) or not content["expectations"]:
        raise _invalid(suite_file, "expectations", "found none: a suite that checks nothing always passes")
    for index, entry in enumerate(content["expectations"]):
        if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
            raise _invalid(suite_file, f"expectation {index + 1}", f"found {entry!r}, expected a `type`")
        if unknown := sorted(entry.keys() - _EXPECTATION_KEYS):
            raise _invalid(suite_file, f"expectation {index + 1}", f"found the key {unknown[0]!r}")
        entry.setdefault("kwargs", {})
    return content


def _invalid(suite_file: Path, where: str, what: str) -> SuiteInvalid:
    place = f"{suite_file}: {where}" if where else str(suite_file)
    return SuiteInvalid(
        f"{place}: {what}; expected a Great Expectations suite: a name and a list of expectations, "
        "each with its type and kwargs"
    )

"""Run-time parameters of a suite: what Great Expectations puts in place of `{"$PARAMETER": "rows"}`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from endpoint_deploy.quality.errors import SuiteInvalid

# Great Expectations takes arithmetic too, `round(reference_rows * 0.5)`: names, but not its functions
# (SuiteParameterParser in 1.24.1).
_NAME: Final = re.compile(r"\b[A-Za-z][\w$]*(?!\s*\(|[\w$])")
_CONSTANTS: Final = frozenset({"pi", "e"})
REFERENCE: Final = "reference_"


def asked(kwargs: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the parameters that an expectation's kwargs ask for."""
    expressions = [value["$PARAMETER"] for value in kwargs.values() if _is_parameter(value)]
    return frozenset(
        name for text in expressions for name in _NAME.findall(text) if name.lower() not in _CONSTANTS
    )


def can_be_judged(suite_file: Path, where: str, kwargs: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Return False for what asks for a reference that there is none of.

    Raises SuiteInvalid for a parameter that nobody knows: it would else be a check that is never made.
    """
    missing = sorted(asked(kwargs) - given.keys())
    without_reference = given and not any(name.startswith(REFERENCE) for name in given)
    if unknown := [name for name in missing if not (without_reference and name.startswith(REFERENCE))]:
        raise SuiteInvalid(
            f"{suite_file}: {where}: found the parameter {unknown[0]!r}, expected one of "
            f"{', '.join(sorted(given)) or 'none, as this suite is given none'}"
        )
    return not missing


def _is_parameter(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("$PARAMETER"), str)

"""Pydantic's errors in the words of a spec: found, expected, and the key that was probably meant.

What is expected comes from the JSON Schema that editors complete by, so the two never say different things.
"""

import difflib
import re
from collections.abc import Iterable, Mapping

from pydantic_core import ErrorDetails

from endpoint_deploy.core.document import Document
from endpoint_deploy.core.problems import SpecProblem, Unfit
from endpoint_deploy.core.schema import Schema, at, describe, known_keys
from endpoint_deploy.core.yaml_tree import Step

_SHOWN = 60  # characters of a found value
_FEW = 5  # keys of a found mapping
_SIZES = frozenset({"string_too_long", "string_too_short"})
_PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]+)?")
_ODD_NUMBER = re.compile(r"[-+]?(0[0-9xob]|[0-9]+[^0-9])")
_YAML_1_1 = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_KEY = "[key]"  # how pydantic marks that a dict's key, not its value, is at fault


def explain(errors: Iterable[ErrorDetails], document: Document, schema: Schema) -> list[SpecProblem]:
    """One problem an error, placed in the document; errors that only follow from others are left out."""
    return [_problem(error, document, schema) for error in errors if not _only_follows(error)]


def _only_follows(error: ErrorDetails) -> bool:
    # Items that fail are not counted: a list of one bad item is also "too short".
    return error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


def _problem(error: ErrorDetails, document: Document, schema: Schema) -> SpecProblem:
    kind, value = error["type"], error["input"]
    path = _path(error["loc"], document.data, missing=kind == "missing")
    if kind == "extra_forbidden":
        return _unknown_key(path, document, schema)
    if kind == "missing":
        expected = describe(at(schema, path))
        return document.problem(path, found="nothing", expected=expected, hint="this key is required")
    if kind in {"union_tag_not_found", "union_tag_invalid"} and isinstance(value, Mapping):
        path = (*path, error["ctx"]["discriminator"].strip("'"))
        value = document.at(path)
    if kind == "value_error" and isinstance(unfit := error["ctx"]["error"], Unfit):
        return document.problem((*path, *unfit.at), found=unfit.found, expected=unfit.expected)
    is_key = error["loc"][-1:] == (_KEY,)
    wanted = at(schema, path, key=is_key)
    size = f" of {len(value)} characters" if kind in _SIZES else ""
    if is_key:
        return document.problem(path, found=f"the key {_found(path[-1])}{size}", expected=describe(wanted))
    raw = None if _is_secret(path) else document.raw.get(path)
    found = raw or (_found_kind(value) if _is_secret(path) else _found(value))
    return document.problem(
        path, found=found + size, expected=describe(wanted), hint=_hint(value, raw, wanted)
    )


def _unknown_key(path: tuple[Step, ...], document: Document, schema: Schema) -> SpecProblem:
    given = document.at(path[:-1])
    known = known_keys(at(schema, path[:-1]), given if isinstance(given, Mapping) else {})
    close = difflib.get_close_matches(str(path[-1]), known, n=1)
    return document.problem(
        path,
        found="an unknown key",
        expected=f"one of {', '.join(known)}",
        hint=f"did you mean {close[0]}?" if close else "",
    )


def _path(loc: tuple[Step, ...], data: object, *, missing: bool) -> tuple[Step, ...]:
    """The error's path without the union's and the key's tags that pydantic puts between.

    missing: whether its last step is a key that ought to be there.
    """
    path: list[Step] = []
    for position, step in enumerate(loc):
        if isinstance(data, Mapping):
            if step in data:
                data = data[step]
            elif missing and position == len(loc) - 1:
                data = None
            else:
                continue  # the tag of a union's arm, in brackets where it is ours
            path.append(step)
        elif isinstance(data, tuple) and isinstance(step, int):
            data = data[step]
            path.append(step)
    return tuple(path)


def _hint(value: object, raw: str | None, wanted: Schema) -> str:
    kind = wanted.get("type")
    if kind == "string" and isinstance(value, bool | int | float):
        if raw is None:
            return "quote it"
        return f'quote it: "{raw}"' if re.search(wanted.get("pattern", ""), raw) else ""
    if kind in {"integer", "number"} and isinstance(value, str):
        return _number_hint(value)
    if kind == "boolean" and isinstance(value, str):
        return f"write {_YAML_1_1[value.lower()]}" if value.lower() in _YAML_1_1 else ""
    if isinstance(value, str):
        close = difflib.get_close_matches(value, [str(v) for v in wanted.get("enum", ())], n=1)
        return f"did you mean {close[0]}?" if close else ""
    return ""


def _number_hint(text: str) -> str:
    if _PLAIN_NUMBER.fullmatch(text):
        return "without quotes"
    return "digits only, without a leading zero" if _ODD_NUMBER.match(text) else ""


def _is_secret(path: tuple[Step, ...]) -> bool:
    # An environment's values may be credentials, and messages reach logs and pages.
    return "environment" in path[1:-1]


def _found(value: object) -> str:
    if not isinstance(value, str):
        return _found_kind(value)
    return repr(value if len(value) <= _SHOWN else f"{value[: _SHOWN - 1]}…")


def _found_kind(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case Mapping():
            few = 0 < len(value) <= _FEW
            return (
                f"a mapping with {', '.join(map(str, value))}" if few else f"a mapping of {len(value)} keys"
            )
        case tuple():
            return f"a list of {len(value)}" if value else "an empty list"
        case _:
            return "something else"

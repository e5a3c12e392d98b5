"""Pydantic's errors in the words of a spec: found, expected, and the key that was probably meant.

What is expected comes from the JSON Schema that editors complete by, so the two never say different things.
"""

import difflib
import json
from collections.abc import Iterable, Mapping

from pydantic_core import ErrorDetails

from endpoint_deploy.core.document import Document, Step
from endpoint_deploy.core.problems import SpecProblem, Unfit
from endpoint_deploy.core.schema import Schema, at, describe, known_keys

_SHOWN = 60  # characters of a found value
_KEY = "[key]"  # how pydantic marks that a dict's key, not its value, is at fault


def explain(errors: Iterable[ErrorDetails], document: Document, schema: Schema) -> list[SpecProblem]:
    """One problem an error, placed in the document; errors that only follow from others are left out."""
    return [_problem(error, document, schema) for error in errors if not _only_follows(error)]


def _only_follows(error: ErrorDetails) -> bool:
    # Items that fail are not counted: a list of one bad item is also "too short".
    return error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


def _problem(error: ErrorDetails, document: Document, schema: Schema) -> SpecProblem:
    kind, value = error["type"], error["input"]
    path = _path(error["loc"], document.data)
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
    expected = describe(wanted)
    if is_key:
        return document.problem(path, found=f"the key {_found(path[-1])}", expected=expected)
    hide = _is_secret(path)
    hint = _hint(value, wanted, hide=hide)
    return document.problem(path, found=_found(value, hide=hide), expected=expected, hint=hint)


def _unknown_key(path: tuple[Step, ...], document: Document, schema: Schema) -> SpecProblem:
    known = known_keys(at(schema, path[:-1]))
    close = difflib.get_close_matches(str(path[-1]), known, n=1)
    return document.problem(
        path,
        found="an unknown key",
        expected=f"one of {', '.join(known)}",
        hint=f"did you mean {close[0]}?" if close else "",
    )


def _path(loc: tuple[Step, ...], data: object) -> tuple[Step, ...]:
    """The error's path without the union's and the key's tags that pydantic puts between."""
    path: list[Step] = []
    for position, step in enumerate(loc):
        if isinstance(data, Mapping):
            if step in data:
                data = data[step]
            elif position < len(loc) - 1 or step == _KEY:
                continue  # the tag of a union's arm
            else:
                data = None  # a key that is missing
            path.append(step)
        elif isinstance(data, tuple) and isinstance(step, int):
            data = data[step]
            path.append(step)
    return tuple(path)


def _hint(value: object, schema: Schema, *, hide: bool) -> str:
    kind = schema.get("type")
    if kind == "string" and isinstance(value, bool | int | float):
        return "quote it" if hide else f'quote it: "{json.dumps(value)}"'
    if kind in {"integer", "number"} and isinstance(value, str) and not hide:
        return "without quotes" if value.strip().isdecimal() else ""
    if kind == "boolean" and isinstance(value, str):
        meant = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
        return f"write {meant[value.lower()]}" if value.lower() in meant else ""
    if isinstance(value, str):
        close = difflib.get_close_matches(value, [str(v) for v in schema.get("enum", ())], n=1)
        return f"did you mean {close[0]}?" if close else ""
    return ""


def _is_secret(path: tuple[Step, ...]) -> bool:
    # An environment's values may be credentials, and messages reach logs and pages.
    return len(path) > 2 and "environment" in path[1:-1]  # noqa: PLR2004  the spec's own environment is a name


def _found(value: object, *, hide: bool = False) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return f"a mapping with {', '.join(map(str, value))}"[:_SHOWN] if value else "an empty mapping"
    if isinstance(value, tuple):
        return f"a list of {len(value)}" if value else "an empty list"
    if hide:
        kind = f"text of {len(value)} characters" if isinstance(value, str) else "a number, true or false"
        return f"{kind} (not shown)"
    if isinstance(value, str):
        shown = value if len(value) <= _SHOWN else f"{value[: _SHOWN - 1]}…"
        size = f" of {len(value)} characters" if len(value) > _SHOWN else ""
        return f"{shown!r}{size}"
    return json.dumps(value)

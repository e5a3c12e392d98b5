"""InputFilter and OutputFilter: the part of JSONPath that batch transform knows, and how it reads it.

The syntax is parsed by jsonpath-ng; the meaning is the service's own (batch transform guide, "Supported
JSONPath Operators"): a range includes its end (`$[1:4]` is the second to the fifth), several names give
an object, several indexes give an array, and what is not there is an error.
"""

import functools
import re
from collections.abc import Callable
from typing import Any

Filter = Callable[[Any], Any]
_SEVERAL_RANGES = re.compile(r"\[[^\]']*(?:,[^\]']*:|:[^\]']*,)[^\]']*\]")


class FilterError(Exception):
    """The filter is wrong, or does not apply to a record; the message is what the job's log says of it."""


@functools.cache
def compile_filter(path: str) -> Filter:
    """What `path` selects, as a function; raises FilterError for one that batch transform does not know."""
    # Slow to import: a server without such a job need not wait for it.
    from jsonpath_ng import jsonpath  # noqa: PLC0415
    from jsonpath_ng.parser import parse  # noqa: PLC0415

    several = _SEVERAL_RANGES.search(path)
    if several:
        raise FilterError(
            f"Invalid JsonPath: {path}: only single range filters of format (eg: [1:5]) are supported. "
            f"Format {several[0]} is not supported"
        )
    if not path.startswith("$"):
        raise FilterError(f"Invalid JsonPath: {path}")
    try:
        parsed = parse(path)
    except Exception as error:  # the parser raises bare Exception for what it cannot read
        raise FilterError(f"Invalid JsonPath: {path}") from error
    return _compile(jsonpath, parsed, path)


def _compile(grammar: Any, node: Any, path: str) -> Filter:
    if isinstance(node, grammar.Root):
        return lambda value: value
    if isinstance(node, grammar.Child):
        outer, inner = _compile(grammar, node.left, path), _compile(grammar, node.right, path)
        return lambda value: inner(outer(value))
    if isinstance(node, grammar.Fields):
        return functools.partial(_fields, node.fields)
    if isinstance(node, grammar.Wildcard):
        return _every
    if isinstance(node, grammar.Index):
        return functools.partial(_indexes, node.indices)
    if isinstance(node, grammar.Slice) and node.step is None:
        return functools.partial(_range, node.start, node.end)
    raise FilterError(f"Invalid JsonPath: {path}")


def _every(value: Any) -> Any:
    if isinstance(value, dict):
        return list(value.values())
    return _array(value)


def _fields(names: tuple[str, ...], value: Any) -> Any:
    if not isinstance(value, dict):
        raise FilterError("object is not map")
    for name in names:
        if name not in value:
            raise FilterError(f"key error: {name} not found in object")
    return value[names[0]] if len(names) == 1 else {name: value[name] for name in names}


def _indexes(indexes: tuple[int, ...], value: Any) -> Any:
    items = _array(value)
    for index in indexes:
        if not -len(items) <= index < len(items):
            raise FilterError(f"index out of range: len: {len(items)}, idx: {index}")
    return items[indexes[0]] if len(indexes) == 1 else [items[index] for index in indexes]


def _range(start: int | None, end: int | None, value: Any) -> Any:
    items = _array(value)
    first = _position(start, len(items)) if start is not None else 0
    last = _position(end, len(items)) if end is not None else len(items) - 1
    for edge, given, position in (("from", start, first), ("to", end, last)):
        if not 0 <= position < len(items):
            raise FilterError(f"index [{edge}] out of range: len: {len(items)}, {edge}: {given}")
    return items[first : last + 1]


def _position(index: int, length: int) -> int:
    return index + length if index < 0 else index


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise FilterError("object is not Slice")
    return value

"""EventBridge's event patterns (its guide, Comparison operators for use in event patterns)."""

import ipaddress
import operator
import re
from collections.abc import Callable
from typing import Any

_ABSENT = object()
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


def matches(pattern: dict[str, Any], event: Any) -> bool:
    """Whether every field the pattern names has, in the event, one of the values it lists."""
    if isinstance(event, list):  # of objects: one of them fulfils the whole of it
        return any(matches(pattern, item) for item in event)
    fields = event if isinstance(event, dict) else {}
    return all(_field_matches(name, wanted, fields) for name, wanted in pattern.items())


def _field_matches(name: str, wanted: Any, fields: dict[str, Any]) -> bool:
    if name == "$or" and isinstance(wanted, list):
        return any(matches(alternative, fields) for alternative in wanted)
    found = fields.get(name, _ABSENT)
    if isinstance(wanted, dict):
        return matches(wanted, found)
    return any(_accepts(filter_, found) for filter_ in wanted)


def _accepts(filter_: Any, found: Any) -> bool:
    """Whether one entry of a pattern's list accepts the event's value, or one item of a list there."""
    if isinstance(filter_, dict) and "exists" in filter_:
        leaf = found is not _ABSENT and not isinstance(found, dict)
        return leaf is filter_["exists"]
    if found is _ABSENT or isinstance(found, dict):
        return False
    if isinstance(found, list):
        return any(_accepts(filter_, item) for item in found)
    if not isinstance(filter_, dict):
        return _same(filter_, found)
    return any(_OPERATORS[name](argument, found) for name, argument in filter_.items() if name in _OPERATORS)


def _same(wanted: Any, found: Any) -> bool:
    """JSON's equality: true is not 1."""
    return bool(wanted == found) and isinstance(wanted, bool) == isinstance(found, bool)


def _textual(test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    """An operator on text that takes one text, a list of them, or either under `equals-ignore-case`."""

    def apply(argument: Any, found: Any) -> bool:
        if not isinstance(found, str):
            return False
        if isinstance(argument, dict):
            argument, found = argument.get("equals-ignore-case", ""), found.lower()
            lowered = [text.lower() for text in _listed(argument)]
            return any(test(found, text) for text in lowered)
        return any(test(found, text) for text in _listed(argument))

    return apply


def _anything_but(argument: Any, found: Any) -> bool:
    if isinstance(argument, dict):
        return not any(_OPERATORS[name](value, found) for name, value in argument.items())
    return not any(_same(value, found) for value in _listed(argument))


def _numeric(argument: list[Any], found: Any) -> bool:
    if not isinstance(found, int | float) or isinstance(found, bool):
        return False
    pairs = zip(argument[::2], argument[1::2], strict=True)
    return all(_COMPARISONS[sign](found, bound) for sign, bound in pairs)


def _cidr(argument: str, found: Any) -> bool:
    try:
        return ipaddress.ip_address(found) in ipaddress.ip_network(argument)
    except ValueError:
        return False


def _wildcard(found: str, argument: str) -> bool:
    """`*` stands for any text; a backslash takes its meaning, and its own, away."""
    parts = re.findall(r"\\[*\\]|.", argument, re.DOTALL)
    expression = "".join(".*" if part == "*" else re.escape(part[-1]) for part in parts)
    return re.fullmatch(expression, found, re.DOTALL) is not None


def _listed(argument: Any) -> list[Any]:
    return argument if isinstance(argument, list) else [argument]


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": _textual(str.startswith),
    "suffix": _textual(str.endswith),
    "equals-ignore-case": _textual(lambda found, text: found.lower() == text.lower()),
    "wildcard": _textual(_wildcard),
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
}

"""Condition operators of IAM policies (its reference, IAM JSON policy elements: Condition operators)."""

import base64
import fnmatch
import ipaddress
import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

# A key of the request and its values; one that the request does not have is absent.
Context = Mapping[str, list[str]]
_SETS = ("ForAllValues:", "ForAnyValue:")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_LITERALS = {"*": "[*]", "?": "[?]", "$": "$"}


def met(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Whether the request's context meets every condition."""
    folded = {name.lower(): values for name, values in context.items()}
    return all(
        _met(name, key, _listed(wanted), folded)
        for name, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _met(name: str, key: str, wanted: list[str], context: Context) -> bool:
    found = context.get(key.lower())
    qualifier = next((one for one in _SETS if name.startswith(one)), "")
    name = name.removeprefix(qualifier)
    if name == "Null":
        return str(not found).lower() in [one.lower() for one in wanted]
    if name.endswith("IfExists"):
        if found is None:
            return True
        name = name.removesuffix("IfExists")
    negated, compare = OPERATORS[name]
    if not found:
        # "ForAllValues" is true of no values at all; so is whatever must not be equal.
        return qualifier == "ForAllValues:" or (negated and qualifier != "ForAnyValue:")
    wanted = [substituted(one, context) for one in wanted]
    fits = [any(compare(value, one) for one in wanted) != negated for value in found]
    return all(fits) if qualifier == "ForAllValues:" else any(fits)


def substituted(text: str, context: Context) -> str:
    """The text with its policy variables, as in `${aws:username}`, replaced; unknown ones match nothing."""

    def value(variable: re.Match[str]) -> str:
        name, _, default = variable[1].partition(",")
        if name in _LITERALS:
            return _LITERALS[name]
        found = context.get(name.strip().lower())
        given = found[0] if found else default.strip().strip("'") or variable[0]
        return re.sub(r"([*?\[])", r"[\1]", given)

    return _VARIABLE.sub(value, text)


def like(value: str, pattern: str) -> bool:
    """Wildcards `*` and `?`, with regard to case."""
    return fnmatch.fnmatchcase(value, pattern.replace("[!", "[[]!"))


def _arn_like(value: str, pattern: str) -> bool:
    """Each of the six parts by itself, with wildcards."""
    values, patterns = value.split(":", 5), pattern.split(":", 5)
    return len(values) == len(patterns) and all(map(like, values, patterns))


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def apply(value: str, wanted: str) -> bool:
        try:
            return compare(float(value), float(wanted))
        except ValueError:
            return False

    return apply


def _moment(text: str) -> datetime:
    if text.replace(".", "", 1).isdigit():
        return datetime.fromtimestamp(float(text), UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _date(compare: Callable[[datetime, datetime], bool]) -> Callable[[str, str], bool]:
    def apply(value: str, wanted: str) -> bool:
        try:
            return compare(_moment(value), _moment(wanted))
        except ValueError:
            return False

    return apply


def _address(value: str, wanted: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _plain(value: str, wanted: str) -> bool:
    return value == wanted


def _folded(value: str, wanted: str) -> bool:
    return value.lower() == wanted.lower()


def _binary(value: str, wanted: str) -> bool:
    return base64.b64decode(value) == base64.b64decode(wanted)


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
# Whether the operator is a negation, and what it compares a value of the request with one of the policy by.
OPERATORS: dict[str, tuple[bool, Callable[[str, str], bool]]] = {
    "StringEquals": (False, _plain),
    "StringNotEquals": (True, _plain),
    "StringEqualsIgnoreCase": (False, _folded),
    "StringNotEqualsIgnoreCase": (True, _folded),
    "StringLike": (False, like),
    "StringNotLike": (True, like),
    "ArnEquals": (False, _arn_like),
    "ArnLike": (False, _arn_like),
    "ArnNotEquals": (True, _arn_like),
    "ArnNotLike": (True, _arn_like),
    "Bool": (False, _folded),
    "BinaryEquals": (False, _binary),
    "IpAddress": (False, _address),
    "NotIpAddress": (True, _address),
    "NumericNotEquals": (True, _number(operator.eq)),
    "DateNotEquals": (True, _date(operator.eq)),
    **{f"Numeric{name}": (False, _number(compare)) for name, compare in _COMPARISONS.items()},
    **{f"Date{name}": (False, _date(compare)) for name, compare in _COMPARISONS.items()},
}


def _listed(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in values]

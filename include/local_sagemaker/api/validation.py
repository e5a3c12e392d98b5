"""Checks a request against the service's own API model, and words what is wrong as the service does."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import regex
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StringShape, StructureShape

from local_sagemaker.api.errors import ServiceError, invalid

_NUMBERS = ("integer", "long", "float", "double")


@functools.cache
def service_model(service: str) -> ServiceModel:
    """The API model that botocore carries for `service`."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def check_request(service: str, operation: str, request: Mapping[str, Any]) -> None:
    """Raise what the service would answer to a malformed request; return when the form is right.

    Raises `SerializationException` for a value of the wrong type, and `ValidationException` for the
    rest: `N validation errors detected: Value 'v' at 'a.1.member.b' failed to satisfy constraint: ...`.
    """
    shape = service_model(service).operation_model(operation).input_shape
    if shape is None:
        return
    problems = list(_structure(shape, request, ""))
    if problems:
        plural = "error" if len(problems) == 1 else "errors"
        raise invalid(f"{len(problems)} validation {plural} detected: {'; '.join(problems)}")


def _check(shape: Shape, value: Any, path: str) -> Iterator[str]:
    _check_type(shape, value)
    if isinstance(shape, StructureShape):
        yield from _structure(shape, value, f"{path}.")
        return
    constraints = list(_violations(shape, value))
    for constraint in constraints:
        yield _problem(value, path, constraint)
    if isinstance(shape, ListShape):
        for position, item in enumerate(value, start=1):
            yield from _check(shape.member, item, f"{path}.{position}.member")
    elif isinstance(shape, MapShape):
        yield from _map(shape, value, path)


def _structure(shape: StructureShape, value: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, member in shape.members.items():
        path = prefix + _lower_first(name)
        given = value.get(name)
        if given is not None:
            yield from _check(member, given, path)
        elif name in shape.required_members:
            yield _problem(None, path, "Member must not be null")


def _map(shape: MapShape, value: Mapping[str, Any], path: str) -> Iterator[str]:
    """A map answers for all its keys (or values) at once, listing every constraint they are under."""
    for title, part, items in (("keys", shape.key, value.keys()), ("value", shape.value, value.values())):
        for item in items:
            _check_type(part, item)
        if any(True for item in items for _ in _violations(part, item)):
            stated = ", ".join(_stated(part))
            yield _problem(value, path, f"Map {title} must satisfy constraint: [{stated}]")


def _violations(shape: Shape, value: Any) -> Iterator[str]:
    metadata = shape.metadata
    if isinstance(shape, StringShape):
        if shape.enum and value not in shape.enum:
            yield f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
        pattern = metadata.get("pattern")
        # The service anchors its patterns at both ends, whether or not they say so.
        if pattern and not _compiled(pattern).fullmatch(value):
            yield f"Member must satisfy regular expression pattern: {pattern}"
    size = value if shape.type_name in _NUMBERS else len(value) if hasattr(value, "__len__") else None
    if size is None:
        return
    what = "value" if shape.type_name in _NUMBERS else "length"
    if "max" in metadata and size > metadata["max"]:
        yield f"Member must have {what} less than or equal to {metadata['max']}"
    if "min" in metadata and size < metadata["min"]:
        yield f"Member must have {what} greater than or equal to {metadata['min']}"


def _stated(shape: Shape) -> Iterator[str]:
    metadata = shape.metadata
    if "max" in metadata:
        yield f"Member must have length less than or equal to {metadata['max']}"
    if "min" in metadata:
        yield f"Member must have length greater than or equal to {metadata['min']}"
    if "pattern" in metadata:
        yield f"Member must satisfy regular expression pattern: {metadata['pattern']}"


def _check_type(shape: Shape, value: Any) -> None:
    expected: dict[str, tuple[type, ...]] = {
        "structure": (dict,),
        "map": (dict,),
        "list": (list,),
        "string": (str,),
        "blob": (str,),
        "boolean": (bool,),
        "integer": (int,),
        "long": (int,),
        "float": (int, float),
        "double": (int, float),
        "timestamp": (int, float),
    }
    types = expected[shape.type_name]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise ServiceError(
            "SerializationException", f"{_json_kind(value)} can not be converted to {_coral_kind(shape)}"
        )


def _json_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    kinds = {
        str: "STRING_VALUE",
        int: "NUMBER_VALUE",
        float: "DECIMAL_VALUE",
        dict: "START_OBJECT",
        list: "START_ARRAY",
    }
    return kinds[type(value)]


def _coral_kind(shape: Shape) -> str:
    article = "an" if shape.type_name[0] in "aeiou" else "a"
    return f"{article} {shape.type_name.capitalize()}"


def _problem(value: Any, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{_shown(value)}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


def _shown(value: Any) -> str:
    """A value as Java prints it, which is how the service shows lists and maps."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]


@functools.cache
def _compiled(pattern: str) -> "regex.Pattern[str]":
    # `regex`, not `re`: the model's patterns use Java's \p{...} classes. Java's strings are UTF-16, where a
    # range of the characters beyond it is one of surrogate pairs.
    return regex.compile(pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF"))

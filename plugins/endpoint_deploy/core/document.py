"""YAML text to plain values, with the place of each: the half of loading that knows YAML and no spec.

Scalars are read as YAML 1.2's core schema has them, as editors do, and not as YAML 1.1 (PyYAML's default),
in which the key `on` is a boolean, `12:30` is 750 and `0123` is 83.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from endpoint_deploy.core.problems import InvalidSpec, SpecProblem
from endpoint_deploy.core.yaml_faults import (
    Place,
    one_problem,
    place_in,
    place_of,
    syntax_problem,
    unreadable,
)

Step = str | int

MAX_CHARACTERS = 256 * 1024
MAX_DEPTH = 32  # a spec needs 6; libyaml's composer recurses in C, and a deep file would end the process
MAX_VALUES = 20_000  # with aliases expanded, so that a few lines cannot stand for a billion values

_TAG = "tag:yaml.org,2002:"


class _Loader(yaml.CSafeLoader):
    """YAML 1.2's core schema, less what reads differently in 1.1 (octal, hex): those stay text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  PyYAML's own


for _kind, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(0|[1-9][0-9]{0,17})", "-+0123456789"),
    ("float", r"[-+]?(0|[1-9][0-9]{0,17})?\.[0-9]+([eE][-+]?[0-9]{1,3})?", "-+.0123456789"),
    ("float", r"[-+]?(0|[1-9][0-9]{0,17})(\.|\.?[eE][-+]?[0-9]{1,3})", "-+0123456789"),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(_TAG + _kind, re.compile(rf"^(?:{_pattern})\Z"), list(_first))


@dataclass(frozen=True)
class Document:
    """A mapping of plain values (sequences as tuples), and where in the text each came from."""

    source: str
    data: dict[str, Any]
    keys: dict[tuple[Step, ...], Place] = field(repr=False)
    values: dict[tuple[Step, ...], Place] = field(repr=False)
    raw: dict[tuple[Step, ...], str] = field(repr=False)
    """Numbers and booleans as they were written: 1.10 is not 1.1 to whom it is a version."""

    def at(self, path: tuple[Step, ...]) -> object:
        """The value at a path; None where there is none."""
        value: Any = self.data
        for step in path:
            if isinstance(value, dict) and isinstance(step, str):
                value = value.get(step)
            elif isinstance(value, tuple) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return None
        return value

    def problem(self, path: tuple[Step, ...], *, found: str, expected: str, hint: str = "") -> SpecProblem:
        """A problem with the value at a path; with the mapping that lacks it, where there is none."""
        place = self.place_of_value(path)
        return SpecProblem(self.source, *place, dotted(path), found, expected, hint)

    def place_of_key(self, path: tuple[Step, ...]) -> Place:
        """Line and column where a path's key stands, or its nearest known parent's."""
        while path and path not in self.keys:
            path = path[:-1]
        return self.keys.get(path, (1, 1))

    def place_of_value(self, path: tuple[Step, ...]) -> Place:
        """Line and column of a path's value; its key's for a list or mapping, or an alias to further up."""
        key = self.place_of_key(path)
        return key if isinstance(self.at(path), dict | tuple) else max(key, self.values.get(path, key))


def read_document(text: str, *, source: str) -> Document:
    """Read one YAML mapping; raises InvalidSpec with what is wrong, all problems of the structure at once."""
    if len(text) > MAX_CHARACTERS:
        raise one_problem(source, (1, 1), f"{len(text)} characters", f"a spec of at most {MAX_CHARACTERS}")
    try:
        _check_events(text, source)
        root = yaml.compose(text, _Loader)
    except yaml.reader.ReaderError as error:
        raise unreadable(text, source, error) from None
    except yaml.MarkedYAMLError as error:
        raise syntax_problem(text, source, error) from None
    except UnicodeEncodeError as error:
        line, column = place_in(text, error.start)
        raise one_problem(
            source, (line, column), "half of a surrogate pair", "text that is valid Unicode"
        ) from None
    if root is None:
        raise one_problem(
            source, (1, 1), "an empty file", "a deployment: a mapping with name, environment, aws, …"
        )
    if not isinstance(root, yaml.MappingNode):
        found = "a list" if isinstance(root, yaml.SequenceNode) else f"the text {root.value[:60]!r}"
        raise one_problem(
            source, _place(root), found, "a mapping with name, environment, aws, model, endpoint, …"
        )
    reader = _Reader(source)
    data = reader.mapping(root, ())
    if reader.problems:
        raise InvalidSpec(reader.problems)
    return Document(source, data, reader.keys, reader.values, reader.raw)


def _check_events(text: str, source: str) -> None:
    """Refuse by a look at the parser's events, which costs no recursion, what must not be composed."""
    depth = documents = 0
    for event in yaml.parse(text, _Loader):
        place = place_of(event.start_mark)
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise one_problem(source, place, "a second document (---)", "one deployment per file")
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise one_problem(
                    source, place, f"more than {MAX_DEPTH} levels of nesting", "a spec's few levels"
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        tag = getattr(event, "tag", None)
        if tag and tag != _TAG + "str":
            name = tag.replace(_TAG, "!!")
            raise one_problem(source, place, f"the tag {name}", "plain values: a spec has no tags but !!str")


class _Reader:
    """Walks a composed tree; collects problems instead of stopping at the first."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.problems: list[SpecProblem] = []
        self.keys: dict[tuple[Step, ...], Place] = {(): (1, 1)}
        self.values: dict[tuple[Step, ...], Place] = {}
        self.raw: dict[tuple[Step, ...], str] = {}
        self._open: set[int] = set()
        self._count = 0

    def mapping(self, node: yaml.MappingNode, path: tuple[Step, ...]) -> dict[str, Any]:
        self._count_one(node, path)
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        first: dict[str, Place] = {}
        for key, value in node.value:
            if key.tag == _TAG + "merge":
                merged = {**self._merge(value, path, key), **merged}
            elif (name := self._key(key, path)) is not None:
                if name in own:
                    self._duplicate(key, (*path, name), first[name])
                    continue
                first[name] = self.keys[(*path, name)] = _place(key)
                own[name] = self._value(value, (*path, name))
        return {**merged, **own}

    def _value(self, node: yaml.Node, path: tuple[Step, ...]) -> Any:
        self.values[path] = _place(node)
        if isinstance(node, yaml.ScalarNode):
            self._count_one(node, path)
            if node.tag != _TAG + "str":
                self.raw[path] = node.value
            return _scalar(node)
        if id(node) in self._open:
            self._add(
                self.keys.get(path, _place(node)),
                path,
                "an alias to a value it is part of",
                "a value that ends",
            )
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self.mapping(node, path)
            self._count_one(node, path)
            items = []
            for index, item in enumerate(node.value):
                self.keys[(*path, index)] = _place(item)
                items.append(self._value(item, (*path, index)))
            return tuple(items)
        finally:
            self._open.discard(id(node))

    def _merge(self, node: yaml.Node, path: tuple[Step, ...], key: yaml.Node) -> dict[str, Any]:
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        result: dict[str, Any] = {}
        for part in parts:
            value = self._value(part, path) if isinstance(part, yaml.MappingNode) else None
            if value is None:
                self._add(
                    _place(key),
                    (*path, "<<"),
                    "a value that is no mapping",
                    "a mapping to merge, by its alias",
                )
            result = {**(value or {}), **result}
        return result

    def _key(self, node: yaml.Node, path: tuple[Step, ...]) -> str | None:
        if isinstance(node, yaml.ScalarNode) and node.tag == _TAG + "str":
            return str(node.value)
        if isinstance(node, yaml.ScalarNode):
            found = f"the key {node.value or '(nothing)'}, {_KINDS[node.tag]}"
            self._add(_place(node), path, found, f'text as a key: quote it: "{node.value}"')
        else:
            kind = "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"
            self._add(_place(node), path, f"{kind} as a key", "text as a key; quote a value that has braces")
        return None

    def _duplicate(self, key: yaml.Node, path: tuple[Step, ...], first: Place) -> None:
        self._add(_place(key), path, f"the key again (first on line {first[0]})", "each key once")

    def _count_one(self, node: yaml.Node, path: tuple[Step, ...]) -> None:
        self._count += 1
        if self._count > MAX_VALUES:
            found = f"more than {MAX_VALUES} values, aliases expanded"
            raise one_problem(
                self.source, max(self.keys.get(path, (1, 1)), _place(node)), found, "a spec's few dozen"
            )

    def _add(self, place: Place, path: tuple[Step, ...], found: str, expected: str) -> None:
        self.problems.append(SpecProblem(self.source, *place, dotted(path), found, expected))


_KINDS = {
    _TAG + "bool": "a boolean",
    _TAG + "int": "a number",
    _TAG + "float": "a number",
    _TAG + "null": "no text",
}


def _scalar(node: yaml.ScalarNode) -> str | int | float | bool | None:
    text = str(node.value)
    match node.tag.removeprefix(_TAG):
        case "bool":
            return text.lower() == "true"
        case "null":
            return None
        case "int":
            return int(text)
        case "float":
            return float(text)
        case _:
            return text


def dotted(path: tuple[Step, ...]) -> str:
    """A path as messages have it: `endpoint.variants[0].count`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def _place(node: yaml.Node) -> Place:
    return place_of(node.start_mark)

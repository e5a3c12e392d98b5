"""A composed YAML tree to plain values, with the place of each.

Scalars are read as YAML 1.2's core schema has them, as editors do, and not as YAML 1.1 (PyYAML's default),
in which the key `on` is a boolean, `12:30` is 750 and `0123` is 83.
"""

import re
from typing import Any

import yaml

from endpoint_deploy.core.problems import SpecProblem
from endpoint_deploy.core.yaml_faults import Place, one_problem, place_of

Step = str | int

MAX_VALUES = 20_000  # with aliases expanded, so that a few lines cannot stand for a billion values

TAG = "tag:yaml.org,2002:"
STR = TAG + "str"
_MERGE = TAG + "merge"


class Loader(yaml.CSafeLoader):
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
    Loader.add_implicit_resolver(TAG + _kind, re.compile(rf"^(?:{_pattern})\Z"), list(_first))


class Reader:
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
        """A mapping's values; what is wrong in it goes to `problems`."""
        self._count_one(node, path)
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        first: dict[str, Place] = {}
        # Merges first, so that places and raw texts of the mapping's own keys win as its values do.
        for key, value in sorted(node.value, key=lambda pair: pair[0].tag != _MERGE):
            if key.tag == _MERGE:
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
            self.raw.pop(path, None)
            if node.tag != STR:
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
        if isinstance(node, yaml.ScalarNode) and node.tag == STR:
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
    TAG + "bool": "a boolean",
    TAG + "int": "a number",
    TAG + "float": "a number",
    TAG + "null": "no text",
}


def _scalar(node: yaml.ScalarNode) -> str | int | float | bool | None:
    text = str(node.value)
    match node.tag.removeprefix(TAG):
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

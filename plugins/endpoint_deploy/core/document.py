"""YAML text to plain values, with the place of each: the half of loading that knows YAML and no spec.

What `yaml_tree` makes of a text, found again by path.
"""

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
from endpoint_deploy.core.yaml_tree import STR, TAG, Loader, Reader, Step, dotted

MAX_CHARACTERS = 256 * 1024
MAX_DEPTH = 32  # a spec needs 6; libyaml's composer recurses in C, and a deep file would end the process


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
        root = yaml.compose(text, Loader)
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
            source,
            place_of(root.start_mark),
            found,
            "a mapping with name, environment, aws, model, endpoint, …",
        )
    reader = Reader(source)
    data = reader.mapping(root, ())
    if reader.problems:
        raise InvalidSpec(reader.problems)
    return Document(source, data, reader.keys, reader.values, reader.raw)


def _check_events(text: str, source: str) -> None:
    """Refuse by a look at the parser's events, which costs no recursion, what must not be composed."""
    depth = documents = 0
    for event in yaml.parse(text, Loader):
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
        if tag and tag != STR:
            name = tag.replace(TAG, "!!")
            raise one_problem(source, place, f"the tag {name}", "plain values: a spec has no tags but !!str")

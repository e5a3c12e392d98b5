"""Rules from outside: read, checked, and complained about with the place in the file."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from local_sagemaker.faults.rules import AnyRule, FaultFile

# Where pydantic puts a level of its own into a location: faults, 0, KIND, delay, FORM, p50.
_KIND, _FORM = 2, 4


class FaultsError(Exception):
    """Rules that cannot be used; the message says where, what was found and what was expected."""


def load(path: Path) -> list[AnyRule]:
    """The rules of a YAML or JSON file; raises FaultsError."""
    try:
        text = path.read_text()
    except OSError as error:
        raise FaultsError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FaultsError(f"{path}: expected text in UTF-8: {error}") from error
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise FaultsError(f"{path}: {' '.join(str(error).split())}") from error
    try:
        return FaultFile.model_validate(content).faults
    except ValidationError as error:
        problems = [f"{path}:{_line(root, problem['loc'])}: {_said(problem)}" for problem in error.errors()]
        raise FaultsError("\n".join(problems)) from error


def parse(content: Any) -> list[AnyRule]:
    """The rules of a call: `{"faults": [...]}` or a single rule; raises FaultsError."""
    if isinstance(content, dict) and "faults" not in content:
        content = {"faults": [content]}
    try:
        return FaultFile.model_validate(content).faults
    except ValidationError as error:
        raise FaultsError("; ".join(_said(problem) for problem in error.errors())) from error


def _said(problem: Any) -> str:
    """Where in the document, what is wrong, and what was found there."""
    found = problem["input"]
    context = problem.get("ctx", {})
    kind = problem["type"]
    if kind == "union_tag_invalid":
        message = f"unknown fault {context['tag']!r}; expected one of {context['expected_tags']}"
    elif kind == "union_tag_not_found":
        message = "expected a `fault`, which says what goes wrong"
    elif kind in ("model_type", "model_attributes_type"):
        message = f"expected an object, found {found!r}"
    elif kind == "extra_forbidden":
        message = "there is no such field here"
    elif kind == "value_error":
        message = str(context["error"])
    else:
        message = problem["msg"][0].lower() + problem["msg"][1:]
        message += "" if isinstance(found, dict | list) else f", found {found!r}"
    return f"{_where(problem['loc'])}: {message}"


def _where(location: tuple[int | str, ...]) -> str:
    text = ""
    for position, part in enumerate(location):
        if isinstance(part, int):
            text += f"[{part}]"
        elif not _is_tag(location, position):
            text += f".{part}" if text else part
    return text or "the document"


def _is_tag(location: tuple[int | str, ...], position: int) -> bool:
    """Whether it is the kind of the rule, or the form of its delay: the document has no such level."""
    return position == _KIND or (position == _FORM and location[position - 1] == "delay")


def _line(root: yaml.Node | None, location: tuple[int | str, ...]) -> str:
    """Line and column, counted from 1, of the deepest node on the way to `location`."""
    node = root
    mark = root.start_mark if root else None
    for position, part in enumerate(location):
        if _is_tag(location, position):
            continue
        child, place = _child(node, part)
        if child is None:
            break
        node, mark = child, place
    return f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"


def _child(node: yaml.Node | None, part: int | str) -> tuple[yaml.Node | None, Any]:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part].start_mark
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return value, key.start_mark
    return None, None

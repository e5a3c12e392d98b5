"""Faults that PyYAML finds, in words that say what to write instead."""

from typing import Any

import yaml

from endpoint_deploy.core.problems import InvalidSpec, SpecProblem

Place = tuple[int, int]
"""Line and column, from 1."""


def one_problem(source: str, place: Place, found: str, expected: str) -> InvalidSpec:
    """The error of a file that cannot be read any further than its one problem."""
    return InvalidSpec([SpecProblem(source, *place, "", found, expected)])


def place_of(mark: Any) -> Place:
    """Line and column of a PyYAML mark, of the parser in C or in Python."""
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def place_in(text: str, position: int) -> Place:
    """Line and column of a position in a text."""
    before = text[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1


def unreadable(text: str, source: str, error: yaml.reader.ReaderError) -> InvalidSpec:
    """What the reader refused: a character that no YAML text may hold."""
    character = f"#x{error.character:04x}" if isinstance(error.character, int) else repr(error.character)
    # libyaml counts bytes of UTF-8.
    before = text.encode("utf-8", "surrogatepass")[: int(error.position)].decode("utf-8", "replace")
    place = place_in(before, len(before))
    return one_problem(source, place, f"the character {character}", "text without control characters")


# libyaml's words for the faults that people make, in words that say what to do.
_SYNTAX = (
    ("found character that cannot start any token", "quotes around a value that starts with @, ` or %"),
    ("mapping values are not allowed", "one `key: value` a line; quote a value that has a colon and a space"),
    ("found undefined alias", "an anchor (&name) above its alias (*name); quote a text that starts with *"),
    ("could not find expected ':'", "`key: value`: a colon and a space after each key"),
    ("did not find expected key", "a key in its neighbours' column, or the quote or bracket closed"),
    ("did not find expected '-' indicator", "list items in one column, each after `- `"),
    ("found unexpected end of stream", "the quote closed"),
    ("did not find expected ',' or", "the bracket closed, and commas between items"),
    ("did not find expected node content", "a value between the commas and before the closing bracket"),
    ("did not find expected alphabetic", "quotes around a text that starts with * or &"),
    ("found duplicate anchor", "each anchor once"),
)

# Noticed only at the end of what began further up.
_BLAMES_ITS_START = ("found unexpected end of stream", "could not find expected ':'")


def syntax_problem(text: str, source: str, error: yaml.MarkedYAMLError) -> InvalidSpec:
    """What the scanner, parser or composer refused, in words that say what to write instead."""
    opened = error.context_mark
    mark = error.problem_mark or opened
    line, column = place_of(mark)
    lines = text.splitlines()
    here = lines[line - 1][column - 1 :] if line <= len(lines) else ""
    said = (error.problem or "").strip()
    if here.startswith("\t"):
        return one_problem(source, (line, column), "a tab", "spaces: YAML takes no tab for indentation")
    if opened and (line > len(lines) or said.startswith(_BLAMES_ITS_START)):
        line, column = place_of(opened)
    expected = next((words for start, words in _SYNTAX if start in said), "valid YAML")
    return one_problem(source, (line, column), f"invalid YAML ({said or 'unreadable'})", expected)

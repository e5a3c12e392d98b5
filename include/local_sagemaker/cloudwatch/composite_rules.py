"""The rules of composite alarms (PutCompositeAlarm's reference, AlarmRule)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"(?P<quoted>[^"]+)"|(?P<plain>[^\s()"]+))\s*\)
        |(?P<word>AND|OR|NOT|TRUE|FALSE)\b
        |(?P<bracket>[()])
    )""",
    re.VERBOSE,
)
StateOf = Callable[[str], str | None]


class RuleError(ValueError):
    """The rule cannot be read; the message says where."""


@dataclass(frozen=True)
class CompositeRule:
    """A rule that was read: the alarms it names, and whether it holds."""

    children: tuple[str, ...]
    holds: Callable[[StateOf], bool]


def read_rule(rule: str) -> CompositeRule:
    """Read an AlarmRule; alarms are named or given by ARN. Raises RuleError."""
    reader = _Reader(list(_tokens(rule)))
    holds = reader.disjunction()
    if reader.rest():
        raise RuleError(f"unexpected {reader.rest()[0][1]}")
    return CompositeRule(tuple(dict.fromkeys(reader.children)), holds)


def _tokens(rule: str) -> Iterator[tuple[str, str]]:
    at = 0
    rule = rule.rstrip()
    while at < len(rule):
        found = _TOKEN.match(rule, at)
        if found is None:
            raise RuleError(f"unexpected {rule[at:].strip()[:40]}")
        at = found.end()
        if found["state"]:
            name = found["quoted"] or found["plain"]
            yield found["state"], name.rpartition(":alarm:")[2]
        else:
            yield "", found["word"] or found["bracket"]


class _Reader:
    """Recursive descent: NOT binds closest, then AND, then OR."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0
        self.children: list[str] = []

    def rest(self) -> list[tuple[str, str]]:
        return self._tokens[self._at :]

    def disjunction(self) -> Callable[[StateOf], bool]:
        parts = [self._conjunction()]
        while self._takes("OR"):
            parts.append(self._conjunction())
        return lambda states: any(part(states) for part in parts)

    def _conjunction(self) -> Callable[[StateOf], bool]:
        parts = [self._negation()]
        while self._takes("AND"):
            parts.append(self._negation())
        return lambda states: all(part(states) for part in parts)

    def _negation(self) -> Callable[[StateOf], bool]:
        if self._takes("NOT"):
            part = self._negation()
            return lambda states: not part(states)
        return self._operand()

    def _operand(self) -> Callable[[StateOf], bool]:
        if self._at >= len(self._tokens):
            raise RuleError("the rule ends where an operand is expected")
        state, text = self._tokens[self._at]
        self._at += 1
        if state:
            self.children.append(text)
            return lambda states: states(text) == state
        if text in ("TRUE", "FALSE"):
            return lambda states: text == "TRUE"
        if text == "(":
            inner = self.disjunction()
            if not self._takes(")"):
                raise RuleError("a bracket is not closed")
            return inner
        raise RuleError(f"unexpected {text}")

    def _takes(self, text: str) -> bool:
        if self.rest()[:1] == [("", text)]:
            self._at += 1
            return True
        return False

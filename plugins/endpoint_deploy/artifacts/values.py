"""The stand-ins for a pickle's objects, and the few constants that are worth knowing."""

import codecs
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from endpoint_deploy.artifacts.opcodes import Malformed

_MAX_ITEMS: Final = 64
_INT64: Final = 8


class Global(NamedTuple):
    """A module's attribute that the pickle imports."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class _Singleton:
    __slots__ = ()


MARK: Final = _Singleton()
OPAQUE: Final = _Singleton()  # a value of no consequence
FORGOTTEN: Final = _Singleton()  # a value that would be of consequence, but there were too many


@dataclass(slots=True, eq=False)
class Dict:
    """A dict of a few text keys; `known` is False as soon as anything else went in, or too late."""

    items: dict[str, object] = field(default_factory=dict)
    known: bool = True
    used: bool = False

    def update(self, flat: list[Any]) -> None:
        """Add keys and values, as they alternate in the list."""
        self.known = self.known and not self.used
        for key, value in zip(flat[::2], flat[1::2], strict=False):
            if isinstance(key, str) and len(self.items) < _MAX_ITEMS:
                self.items[key] = value
            else:
                self.known = False


@dataclass(slots=True, eq=False)
class Instance:
    """What a call of `callee` would have returned, and the state it was then given."""

    callee: object
    arguments: object
    state: object = None
    builds: int = 0

    def update(self, state: object) -> None:
        """Note a state; only the first can be relied on, for objects merge states as they like."""
        self.state = state if isinstance(state, Dict | tuple) else OPAQUE
        for part in state if isinstance(state, tuple) else (state,):
            if isinstance(part, Dict):
                part.used = True
        self.builds += 1


def unsigned(argument: bytes | None) -> int:
    """Return a little-endian number."""
    return int.from_bytes(argument or b"", "little")


def written(argument: bytes | None) -> int:
    """Return a decimal number written out."""
    try:
        return int((argument or b"").strip().removesuffix(b"L")[:20])
    except ValueError as error:
        raise Malformed(f"{argument!r} is no number") from error


def _signed(argument: bytes | None) -> object:
    if argument is None or len(argument) > _INT64:
        return OPAQUE
    return int.from_bytes(argument, "little", signed=True)


def _text(argument: bytes | None) -> object:
    try:
        return FORGOTTEN if argument is None else argument.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise Malformed(f"text that is not UTF-8: {error}") from error


def _escaped_text(argument: bytes | None) -> object:
    try:
        return FORGOTTEN if argument is None else argument.decode("raw-unicode-escape")
    except UnicodeDecodeError as error:
        raise Malformed(f"text with a broken escape: {error}") from error


def _quoted(argument: bytes | None) -> object:
    try:
        return (
            FORGOTTEN
            if argument is None
            else codecs.escape_decode(argument.strip()[1:-1])[0].decode("latin-1")
        )
    except ValueError as error:
        raise Malformed(f"text with a broken escape: {error}") from error


def _plain(argument: bytes | None) -> object:
    return FORGOTTEN if argument is None else argument.decode("latin-1")


CONSTANTS: Final[dict[str, Callable[[bytes | None], object]]] = {
    "BININT": _signed,
    "BININT1": unsigned,
    "BININT2": unsigned,
    "LONG1": _signed,
    "LONG4": _signed,
    "INT": lambda argument: OPAQUE if argument in (b"00", b"01") else written(argument),
    "LONG": written,
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    "EMPTY_TUPLE": lambda _: (),
    "MARK": lambda _: MARK,
    "UNICODE": _escaped_text,
    "SHORT_BINUNICODE": _text,
    "BINUNICODE": _text,
    "BINUNICODE8": _text,
    "STRING": _quoted,
    "SHORT_BINSTRING": _plain,
    "BINSTRING": _plain,
}

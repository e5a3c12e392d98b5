"""Reading a pickle's opcodes from a stream in bounded memory, without running any.

`pickletools.genops` holds each literal in memory and is stricter than the unpickler in places, so only its
table of opcodes is used. The residue is what a scanner gets to see: the same program, with bytes and long
texts emptied (an array's numbers read as opcodes by chance) and with frames, which then no longer fit, left
out.
"""

import pickletools
import struct
from dataclasses import dataclass, field
from typing import Final, Protocol

from endpoint_deploy.artifacts.model import KIB, MIB

KEEP: Final = 4 * KIB  # a longer literal is passed over; no name of a callable is as long
_SKIP: Final = 256 * KIB
_MAX_RESIDUE: Final = 8 * MIB
# What stands in the residue for a literal: SHORT_BINBYTES, SHORT_BINUNICODE, BININT1.
_NO_BYTES: Final = b"C\x00"
_NO_TEXT: Final = b"\x8c\x00"
_ZERO: Final = b"K\x00"

_LENGTH_PREFIX: Final = {
    pickletools.TAKEN_FROM_ARGUMENT1: "<B",
    pickletools.TAKEN_FROM_ARGUMENT4: "<i",
    pickletools.TAKEN_FROM_ARGUMENT4U: "<I",
    pickletools.TAKEN_FROM_ARGUMENT8U: "<Q",
}
_BY_CODE: Final = {op.code.encode("latin-1"): op for op in pickletools.opcodes}
_TWO_LINES: Final = frozenset({"GLOBAL", "INST"})


class Malformed(Exception):
    """The bytes are no pickle, or no longer one."""


class Unclear(Exception):
    """The pickle cannot be followed any further, though a real reader could."""


class Source(Protocol):
    """What opcodes are read from; a BufferedReader, a ZipExtFile, a decompressor."""

    def read(self, size: int, /) -> bytes: ...  # noqa: D102 - a file's own
    def readline(self, size: int, /) -> bytes: ...  # noqa: D102


class Content(Source, Protocol):
    """A file's content: a source whose first bytes can be looked at beforehand, as a BufferedReader's."""

    def peek(self, size: int, /) -> bytes: ...  # noqa: D102 - a file's own


@dataclass(slots=True)
class Opcodes:
    """The opcodes of a stream, one after the other; `position` counts bytes, `left` opcodes still allowed."""

    source: Source
    left: int
    position: int = 0
    residue: bytearray = field(default_factory=bytearray)
    residue_complete: bool = True

    def next(self) -> tuple[pickletools.OpcodeInfo, bytes | None]:
        """Return the next opcode and its argument; None for an argument too long to keep.

        A pair of lines (GLOBAL, INST) is returned with a newline between. Raises Malformed at the end of
        the stream or at a byte that is no opcode, Unclear when none are left.
        """
        if self.left <= 0:
            raise Unclear("it has more opcodes than are looked at")
        self.left -= 1
        code = self.exactly(1)
        op = _BY_CODE.get(code)
        if op is None:
            raise Malformed(f"byte {code.hex()} at position {self.position - 1:,} is no pickle opcode")
        if op.arg is None:
            self._keep(code)
            return op, b""
        if op.arg.n == pickletools.UP_TO_NEWLINE:
            argument = self._lines(2 if op.name in _TWO_LINES else 1)
            self._keep(code + (argument or b"") + b"\n")
            return op, argument
        if op.arg.n >= 0:
            argument = self.exactly(op.arg.n)
            if op.name != "FRAME":
                self._keep(code + argument)
            return op, argument
        return op, self._literal(op.name, code, _LENGTH_PREFIX[op.arg.n])

    def exactly(self, size: int) -> bytes:
        """Return that many bytes, Malformed where there are fewer."""
        data = self.source.read(size)
        self.position += len(data)
        if len(data) < size:
            raise Malformed(f"it ends at position {self.position:,}, in the middle of a pickle")
        return data

    def skip(self, size: int) -> None:
        """Pass over that many bytes, Malformed where there are fewer."""
        while size > 0:
            size -= len(self.exactly(min(size, _SKIP)))

    def _lines(self, count: int) -> bytes | None:
        lines = []
        whole = True
        for _ in range(count):
            line = self.source.readline(KEEP)
            kept = len(line) < KEEP or line.endswith(b"\n")
            while line and not line.endswith(b"\n"):
                self.position += len(line)
                line = self.source.readline(_SKIP)
            if not line:
                raise Malformed(f"it ends at position {self.position:,}, in the middle of a pickle")
            self.position += len(line)
            whole = whole and kept
            lines.append(line[:-1])
        return b"\n".join(lines) if whole else None

    def _literal(self, name: str, code: bytes, prefix: str) -> bytes | None:
        head = self.exactly(struct.calcsize(prefix))
        (size,) = struct.unpack(prefix, head)
        if size < 0:
            raise Malformed(f"a literal at position {self.position:,} has a negative length")
        data = None
        if size <= KEEP:
            data = self.exactly(size)
        else:
            self.skip(size)
        if "BYTE" in name:
            self._keep(_NO_BYTES)
        elif data is None:
            self._keep(_ZERO if name.startswith("LONG") else _NO_TEXT)
        else:
            self._keep(code + head + data)
        return data

    def _keep(self, data: bytes) -> None:
        if len(self.residue) + len(data) <= _MAX_RESIDUE:
            self.residue += data
        else:
            self.residue_complete = False

"""What a pickle would import and call, found by running it on nothing.

A pickle is a program for a small stack machine, and all it can do to the outside goes through the globals it
imports. The machine here runs the program with stand-ins for every object: nothing is imported or called, and
the list of globals is complete when the program's end is reached.
"""

import pickletools
from dataclasses import dataclass, field
from typing import Any, Final

from endpoint_deploy.artifacts import values
from endpoint_deploy.artifacts.joblib_arrays import array_behind
from endpoint_deploy.artifacts.opcodes import Malformed, Opcodes, Source, Unclear
from endpoint_deploy.artifacts.values import FORGOTTEN, MARK, OPAQUE, Dict, Global, Instance

_MAX_STACK: Final = 1_000_000
_MAX_GLOBALS: Final = 2_000
_MAX_MEMO: Final = 100_000
_MAX_TUPLE: Final = 64

# How protocols 0 and 1 make an object, where later ones have an opcode for it.
_RECONSTRUCTORS: Final = frozenset(Global(module, "_reconstructor") for module in ("copyreg", "copy_reg"))
_EXTENSION: Final = frozenset({"EXT1", "EXT2", "EXT4"})


@dataclass(slots=True)
class Seen:
    """What the run of a pickle showed.

    `globals` are all it imports, in order. `doubts` are constructs that no ordinary pickler writes, or that
    hide what follows. `calls` are the plain imports among what it calls. `forged`: it puts the name of an
    import together as it runs, which no pickler does. `error` says why the end of the first program was not
    reached, where the unpickler would fail as well. `residue` is the program without its bulk, for a scanner.
    """

    globals: dict[Global, None] = field(default_factory=dict)
    doubts: dict[str, None] = field(default_factory=dict)
    calls: dict[Global, None] = field(default_factory=dict)
    forged: bool = False
    error: str | None = None
    opcodes: int = 0
    residue: bytes = b""


def read_pickle(source: Source, max_opcodes: int) -> Seen:
    """Run the pickles at the front of a stream, one after the other, on stand-ins.

    A checkpoint of old PyTorch is five pickles in a row with raw data behind: what follows the first one
    is looked at for as long as it reads as a pickle.
    """
    opcodes = Opcodes(source, max_opcodes)
    seen = Seen()
    first = True
    try:
        while True:
            _Machine(opcodes, seen).run()
            first = False
    except Malformed as end:
        if first:
            seen.error = str(end)
    except Unclear as unclear:
        seen.doubts[str(unclear)] = None
    if not opcodes.residue_complete:
        seen.doubts["it is too large to be scanned in full"] = None
    seen.opcodes = max_opcodes - opcodes.left
    seen.residue = bytes(opcodes.residue)
    return seen


class _Machine:
    """Stack, memo and frame of one program."""

    def __init__(self, opcodes: Opcodes, seen: Seen) -> None:
        self._opcodes = opcodes
        self._seen = seen
        self._stack: list[Any] = []
        self._memo: dict[int, object] = {}
        self._memoized = 0
        self._highest = -1
        self._frame_end = 0

    def run(self) -> None:
        """Run one program to its STOP."""
        opcodes, stack = self._opcodes, self._stack
        while True:
            start = opcodes.position
            op, argument = opcodes.next()
            if start < self._frame_end < opcodes.position:
                # Of the two unpicklers in Python one fails on it; the other knows no frames, and reads on.
                self._doubt("an opcode runs past the end of its frame")
                self._frame_end = 0
            if op.name == "STOP":
                return
            if op.name == "FRAME":
                self._frame_end = opcodes.position + int.from_bytes(argument or b"", "little")
            elif (constant := values.CONSTANTS.get(op.name)) is not None:
                stack.append(constant(argument))
            elif (handler := getattr(self, "op_" + op.name.lower(), None)) is not None:
                handler(argument)
            else:
                self._ordinary(op)
            if len(stack) > _MAX_STACK:
                raise Unclear("it piles up more values than are looked at")

    def _ordinary(self, op: pickletools.OpcodeInfo) -> None:
        """Do what the opcode's description says to the stack, with values that do not matter.

        A persistent id is among these: what it stands for is up to the loader, and a plain one fails on it.
        """
        before = op.stack_before
        if op.name in _EXTENSION:
            self._doubt("an import by number from the extension registry")
        if pickletools.markobject in before:
            self._pop_to_mark()
            before = before[: before.index(pickletools.markobject)]
        for _ in before:
            self._pop()
        self._stack.extend(OPAQUE for _ in op.stack_after)

    def _doubt(self, what: str) -> None:
        self._seen.doubts[what] = None

    def _pop(self) -> Any:
        if not self._stack:
            raise Malformed(f"it takes from an empty stack at position {self._opcodes.position:,}")
        return self._stack.pop()

    def _top(self) -> Any:
        value = self._pop()
        self._stack.append(value)
        return value

    def _pop_to_mark(self) -> list[Any]:
        stack = self._stack
        for depth in range(len(stack) - 1, -1, -1):
            if stack[depth] is MARK:
                taken = stack[depth + 1 :]
                del stack[depth:]
                return taken
        raise Malformed(f"it looks for a mark that is not there at position {self._opcodes.position:,}")

    # Imports and calls.

    def _import(self, module: object, name: object) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            self._doubt("an import of a name that is made up as it runs")
            # A text that was only too long or too many to remember is made up by nobody.
            self._seen.forged |= isinstance(module, Instance) or isinstance(name, Instance)
            self._stack.append(OPAQUE)
            return
        found = Global(module, name)
        self._seen.globals[found] = None
        if len(self._seen.globals) > _MAX_GLOBALS:
            raise Unclear("it imports more names than are looked at")
        self._stack.append(found)

    def op_global(self, argument: bytes | None) -> None:
        module, _, name = (argument or b"").decode("utf-8", "replace").partition("\n")
        self._import(module, name)

    def op_stack_global(self, _: bytes | None) -> None:
        name, module = self._pop(), self._pop()
        self._import(module, name)

    def _call(self, callee: object, arguments: object) -> None:
        if not isinstance(callee, Global):
            self._doubt("a call of something that is not a plain import")
        elif callee in _RECONSTRUCTORS:
            if isinstance(arguments, tuple) and arguments and isinstance(arguments[0], Global):
                callee, arguments = arguments[0], ()
            else:
                self._doubt("an object of a class that is made up as it runs")
        if isinstance(callee, Global):
            self._seen.calls[callee] = None
        self._stack.append(Instance(callee, arguments))

    def op_reduce(self, _: bytes | None) -> None:
        arguments, callee = self._pop(), self._pop()
        self._call(callee, arguments)

    op_newobj = op_reduce

    def op_newobj_ex(self, _: bytes | None) -> None:
        self._pop()
        self.op_reduce(None)

    def op_inst(self, argument: bytes | None) -> None:
        arguments = tuple(self._pop_to_mark())
        self.op_global(argument)
        self._call(self._pop(), arguments)

    def op_obj(self, _: bytes | None) -> None:
        callee, *arguments = self._pop_to_mark() or [OPAQUE]
        self._call(callee, tuple(arguments))

    def op_build(self, _: bytes | None) -> None:
        state, built = self._pop(), self._pop()
        if not isinstance(built, Instance):
            if isinstance(built, Global) or built is FORGOTTEN:
                self._doubt("a change of state of something that is not a new object")
            self._stack.append(built)
            return
        built.update(state)
        self._stack.append(built)
        array = array_behind(built)
        if array is None:
            return
        if self._frame_end > self._opcodes.position:
            raise Unclear("an array's data begins inside a frame, where joblib never writes it")
        if array.aligned:
            self._opcodes.skip(self._opcodes.exactly(1)[0])
        if array.size is None:  # an array of objects: a pickle of its own
            _Machine(self._opcodes, self._seen).run()
        else:
            self._opcodes.skip(array.size)
        self._stack[-1] = OPAQUE

    # Containers, of which only what describes an array is kept.

    def op_dup(self, _: bytes | None) -> None:
        self._stack.append(self._top())

    def op_empty_dict(self, _: bytes | None) -> None:
        self._stack.append(Dict())

    def op_dict(self, _: bytes | None) -> None:
        items = self._pop_to_mark()
        self._stack.append(Dict())
        self._fill(items)

    def _fill(self, items: list[Any]) -> None:
        container = self._top()
        if isinstance(container, Dict):
            container.update(items)

    def op_setitem(self, _: bytes | None) -> None:
        value, key = self._pop(), self._pop()
        self._fill([key, value])

    def op_setitems(self, _: bytes | None) -> None:
        self._fill(self._pop_to_mark())

    def op_append(self, _: bytes | None) -> None:
        self._pop()
        self._top()

    def op_appends(self, _: bytes | None) -> None:
        self._pop_to_mark()
        self._top()

    op_additems = op_appends

    def op_tuple(self, _: bytes | None) -> None:
        items = self._pop_to_mark()
        self._stack.append(tuple(items) if len(items) <= _MAX_TUPLE else OPAQUE)

    def op_tuple1(self, _: bytes | None) -> None:
        self._stack.append((self._pop(),))

    def op_tuple2(self, _: bytes | None) -> None:
        last, first = self._pop(), self._pop()
        self._stack.append((first, last))

    def op_tuple3(self, _: bytes | None) -> None:
        last, second, first = self._pop(), self._pop(), self._pop()
        self._stack.append((first, second, last))

    # The memo.

    def _put_at(self, index: int) -> None:
        value = self._top()
        # MEMOIZE counts the places that are taken, PUT names one; picklers take each once and in order.
        # Otherwise this count and the unpickler's may differ, and so what a GET brings back.
        if index <= self._highest:
            self._doubt("a memo that is written out of order")
        self._highest = max(self._highest, index)
        if value is OPAQUE:
            self._memo.pop(index, None)
        elif isinstance(value, Global) or len(self._memo) < _MAX_MEMO:
            self._memo[index] = value
        else:
            if isinstance(value, Dict):
                value.known = False  # it may be changed through the memo from now on
            self._memo[index] = FORGOTTEN
        self._memoized += 1

    def op_memoize(self, _: bytes | None) -> None:
        self._put_at(self._memoized)

    def op_binput(self, argument: bytes | None) -> None:
        self._put_at(values.unsigned(argument))

    def op_put(self, argument: bytes | None) -> None:
        self._put_at(values.written(argument))

    def op_binget(self, argument: bytes | None) -> None:
        self._stack.append(self._memo.get(values.unsigned(argument), OPAQUE))

    def op_get(self, argument: bytes | None) -> None:
        self._stack.append(self._memo.get(values.written(argument), OPAQUE))

    op_long_binput = op_binput
    op_long_binget = op_binget

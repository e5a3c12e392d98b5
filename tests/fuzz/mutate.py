"""Inputs made out of the corpora: what was thought of is changed, crossed and put into one another."""

import gzip
import io
import pickletools
import tarfile
import zlib
from pathlib import Path
from random import Random

from isal import igzip_lib

from endpoint_deploy.artifacts.tar_damage import TAR_DAMAGE
from tests.artifacts.archives import tar, zipped
from tests.artifacts.hostile import CORPUS

_REPO = Path(__file__).parents[2]
_BLOCK = 512
_MOST = 200_000  # bytes of an input: small ones find as much, and more of them are tried
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF)
_OPCODES = [op.code.encode("latin-1") for op in pickletools.opcodes]
_WORDS = ("posix", "system", "numpy", "dtype", "builtins", "eval", "collections", "OrderedDict", "__main__")
_NAMES = (
    "model.pkl",
    "model.joblib",
    "m.pt",
    "m.keras",
    "a.npz",
    "a.npy",
    "m.h5",
    "config.json",
    "x",
    "code/inference.py",
)
_YAML = (
    "&a",
    "*a",
    "[",
    "{",
    "!!str ",
    "---",
    "? ",
    "| ",
    "<<: ",
    "\t",
    "null",
    "~",
    "2026-01-01",
    "0x1f",
    "1e999",
    "é",
    "\x00",
)


class Archives:
    """Archives out of the hostile corpus."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._archives = [each.data for each in CORPUS.values() if len(each.data) < _MOST]
        self._tars = [inflated for data in self._archives if (inflated := _inflated(data))]
        self._contents = [content for data in self._tars for content in _contents(data)]

    def make(self) -> bytes:
        """One archive; most are sound gzips, so that what is within is reached."""
        random = self._random
        match random.choices(("gzip", "tar", "content", "nested", "pickle"), (1, 4, 5, 3, 4))[0]:
            case "gzip":
                return _damaged(random, random.choice(self._archives), self._archives)
            case "tar":
                damaged = _damaged(random, random.choice(self._tars), self._tars)
                return _squeezed(_with_sums(damaged) if random.random() < 0.8 else damaged)
            case "content":
                return self._packed(_damaged(random, random.choice(self._contents), self._contents))
            case "nested":
                return self._packed(self._nested(random.randint(1, 6)))
            case _:
                return self._packed(_program(random))

    def _packed(self, content: bytes) -> bytes:
        return _squeezed(tar((self._random.choice(_NAMES), content[:_MOST])))

    def _nested(self, depth: int) -> bytes:
        random = self._random
        content = random.choice(self._contents)
        for _ in range(depth):
            name = random.choice(_NAMES)
            match random.randrange(4):
                case 0:
                    content = zipped(**{name: content})
                case 1:
                    content = tar((name, content))
                case 2:
                    content = zlib.compress(content, 1)
                case _:
                    content = gzip.compress(content, 1, mtime=0)
            if random.random() < 0.3:
                content = _damaged(random, content, self._contents)
        return content


class Specs:
    """Texts out of the specs that the project ships, and of the faulty ones that its tests hold."""

    def __init__(self, random: Random) -> None:
        self._random = random
        folders = (_REPO / "include" / "deployments", _REPO / "tests" / "core" / "faulty_specs")
        self._texts = [path.read_text() for folder in folders for path in sorted(folder.rglob("*.yaml"))]
        self._lines = sorted({line for text in self._texts for line in text.splitlines()})

    def make(self) -> str:
        """One text of YAML, or of what was YAML."""
        random = self._random
        lines = random.choice(self._texts).splitlines()
        for _ in range(random.randint(1, 5)):
            at = random.randrange(len(lines) + 1)
            match random.randrange(7):
                case 0:
                    del lines[at : at + random.randint(1, 3)]
                case 1:
                    lines.insert(at, random.choice(self._lines))
                case 2:
                    lines[at:at] = lines[at : at + random.randint(1, 9)] * random.randint(1, 3)
                case 3:
                    lines[at : at + 1] = [" " * random.randint(0, 8) + line for line in lines[at : at + 1]]
                case 4:
                    lines[at : at + 1] = [self._reworded(line) for line in lines[at : at + 1]]
                case 5:
                    lines.insert(
                        at, " " * random.randint(0, 6) + "x: " + "[{a: " * random.choice((1, 30, 2000))
                    )
                case _:
                    lines.insert(at, f"k{at}: {random.choice((-1, 0, 10**30, 0.1, True))}")
        return "\n".join(lines)

    def _reworded(self, line: str) -> str:
        at = self._random.randrange(len(line) + 1)
        return (
            line[:at]
            + self._random.choice(_YAML) * self._random.randint(1, 2)
            + line[at + self._random.randint(0, 5) :]
        )


def _damaged(random: Random, data: bytes, others: list[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 3, 8))):
        at = random.randrange(len(changed) + 1)
        match random.randrange(6):
            case 0:
                changed[at : at + 1] = bytes([random.randrange(256)])
            case 1:
                changed[at : at + 8] = random.choice(_NUMBERS).to_bytes(8, random.choice(("little", "big")))
            case 2:
                del changed[at : at + random.choice((1, 4, 64, _BLOCK))]
            case 3:
                changed[at:at] = random.randbytes(random.choice((1, 4, 64)))
            case 4:
                changed[at:at] = changed[at : at + random.choice((4, 64, _BLOCK))]
            case _:
                other = random.choice(others)
                start = random.randrange(len(other) + 1)
                changed[at:at] = other[start : start + random.choice((16, _BLOCK, 4096))]
    return bytes(changed[:_MOST])


def _program(random: Random) -> bytes:
    """A pickle of opcodes at random, with arguments that mostly fit them."""
    parts = [b"\x80" + bytes([random.randrange(7)])]
    for _ in range(random.randint(1, 60)):
        word = random.choice(_WORDS).encode()
        parts.append(
            random.choice(
                (
                    random.choice(_OPCODES),
                    b"\x8c" + bytes([len(word)]) + word,
                    b"c" + word + b"\n" + random.choice(_WORDS).encode() + b"\n",
                    b"q" + bytes([random.randrange(6)]),
                    b"h" + bytes([random.randrange(6)]),
                    b"K" + random.randbytes(1),
                    b"\x95" + random.randrange(40).to_bytes(8, "little"),
                )
            )
        )
    return b"".join([*parts, random.choice((b".", b"", b"\xff"))])


def _with_sums(data: bytes) -> bytes:
    """The tar with right checksums wherever a header may be, so that it is read on."""
    fixed = bytearray(data)
    for at in range(0, len(fixed) - _BLOCK + 1, _BLOCK):
        block = fixed[at : at + _BLOCK]
        if block[257:262] == b"ustar":
            block[148:156] = b" " * 8
            fixed[at + 148 : at + 156] = b"%06o\0 " % sum(block)
    return bytes(fixed)


def _squeezed(data: bytes) -> bytes:
    return bytes(igzip_lib.compress(data, flag=igzip_lib.COMP_GZIP))


def _inflated(data: bytes) -> bytes | None:
    try:
        inflated = zlib.decompressobj(31).decompress(data, _MOST)
    except zlib.error:
        return None
    return inflated if len(inflated) >= _BLOCK else None


def _contents(data: bytes) -> list[bytes]:
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as opened:
            files = [
                member
                for member in opened
                if member.isreg() and 0 < member.size < _MOST and not member.sparse
            ]
            return [read.read() for member in files if (read := opened.extractfile(member))]
    except (*TAR_DAMAGE, OSError):
        return []

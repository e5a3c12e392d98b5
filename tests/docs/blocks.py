"""The fenced blocks of a Markdown file, each with the comment before it that says how it is tested."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

REPO = Path(__file__).parents[2]
_BLOCK = re.compile(
    r"(?:^ *<!-- (?P<comment>[^\n]*?) -->\n)?^(?P<indent> *)```(?P<language>\w*)\n(?P<body>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
_COMMENT = re.compile(
    r"(?:run: (?P<run>\w+)(?: exit=(?P<status>\d+))?|file: (?P<file>\S+)|(?P<output>output))"
)


@dataclass(frozen=True)
class Block:
    """One fenced block.

    `run` says who runs a command: `ci` (.ci/run does), `walk` (test_readme does, one after another) or
    `connection`. `file` names what the block is the content of; `output` marks what the command before it
    prints. A block without a comment is only to be read.
    """

    line: int
    language: str
    body: str
    run: str | None = None
    status: int = 0
    file: str | None = None
    output: bool = False

    @property
    def kind(self) -> Literal["run", "file", "output", "read"]:
        if self.run:
            return "run"
        if self.file:
            return "file"
        return "output" if self.output else "read"


def blocks(path: Path) -> list[Block]:
    """Every fenced block of a file, in order."""
    text = path.read_text(encoding="utf-8")
    return [_block(match, text) for match in _BLOCK.finditer(text)]


def _block(match: re.Match[str], text: str) -> Block:
    indent = len(match["indent"])
    body = "".join(
        line[indent:] if line.strip() else line for line in match["body"].splitlines(keepends=True)
    )
    said = _COMMENT.fullmatch(match["comment"] or "")
    return Block(
        line=text.count("\n", 0, match.start()) + 1,
        language=match["language"],
        body=body,
        run=said["run"] if said else None,
        status=int(said["status"] or 0) if said else 0,
        file=said["file"] if said else None,
        output=bool(said and said["output"]),
    )


def documents() -> list[Path]:
    """Every Markdown file that a reader may come to."""
    folders = (REPO / "docs", REPO / "include")
    found = [path for folder in folders for path in folder.rglob("*.md")]
    return sorted([*REPO.glob("*.md"), *found])

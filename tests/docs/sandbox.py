"""A copy of the project in which the README's commands are run as a newcomer runs them."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.docs.blocks import REPO, Block

_COPIED = ("dags", "plugins", "include", "requirements")
_FILES = ("Makefile", "pyproject.toml", "requirements.txt")
_SECONDS = 420  # a block, on a machine that does much else


@dataclass
class Sandbox:
    """The copy, with an environment that commands carry from one to the next as in one shell."""

    root: Path
    environment: Path

    def write(self, block: Block) -> None:
        """Make the file that a block is the content of."""
        path = self.root / str(block.file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.body, encoding="utf-8")

    def run(self, block: Block) -> str:
        """Run a block and return what it printed; fails where it ends with another status than it says."""
        # `export -p` hands what a block exports to the next, as an open terminal would.
        script = f". {self.environment}\ncd {self.root}\n{block.body}export -p > {self.environment}\n"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            env={},  # what the tests' own Airflow and AWS clients are told must not reach a newcomer's
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        said = f"{done.stdout}\n{done.stderr}"
        assert done.returncode == block.status, f"README.md:{block.line} ended {done.returncode}:\n{said}"
        return done.stdout


def make_sandbox(root: Path) -> Sandbox:
    """Copy the project; its `.venv` is this one's under another name, as `make` would have left it.

    The packages of the copy come first on PYTHONPATH, so that it is the copy which runs, keeps its state in
    its own `.local` and never meets a stack that somebody has up in the real one.
    """
    for name in _COPIED:
        shutil.copytree(REPO / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _FILES:
        shutil.copy2(REPO / name, root / name)
    _make_venv(root)
    environment = root / "environment.sh"
    own = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", str(root)),
        "PYTHONPATH": f"{root / 'plugins'}:{root / 'include'}",
        "XDG_RUNTIME_DIR": os.environ["XDG_RUNTIME_DIR"],
    }
    environment.write_text("".join(f"export {name}='{value}'\n" for name, value in own.items()))
    return Sandbox(root, environment)


def _make_venv(root: Path) -> None:
    venv = root / ".venv"
    venv.mkdir()
    for part in ("bin", "lib", "pyvenv.cfg"):
        (venv / part).symlink_to(Path(sys.prefix) / part)
    version = re.search(r"^UV_VERSION := (\S+)$", (root / "Makefile").read_text(), re.MULTILINE)
    assert version, "the Makefile names no UV_VERSION"
    uv = venv / f"uv-{version[1]}" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    for made in (uv, venv / ".synced"):  # in make's order: the environment is newer than what it comes from
        made.touch()

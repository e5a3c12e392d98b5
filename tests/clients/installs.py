"""Clients that are no part of the environment: installed once, under `.local`, from what their locks pin."""

import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from local_stack.paths import REPO_ROOT

_CACHE = REPO_ROOT / ".local" / "clients"
_NO_NETWORK = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT|Network is unreachable"
    r"|Temporary failure in name resolution|Name or service not known|Failed to establish a new connection"
)


def run(command: Sequence[str | Path], directory: Path) -> None:
    """Run a step of an installation; the test is skipped, with the reason, when there is no network."""
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    said = done.stdout + done.stderr
    if _NO_NETWORK.search(said):
        pytest.skip(f"{Path(command[0]).name} finds no network to install from")
    pytest.fail(f"{command}:\n{said[-3000:]}")


def installed(name: str, lock: Path, install: Callable[[Path], None]) -> Path:
    """The directory where `install` has put what `lock` pins; made anew when the lock changes.

    It appears whole or not at all, and several runs may make it at once.
    """
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    place = _CACHE / f"{name}-{digest}"
    if not place.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f"{name}-partial-", dir=_CACHE))
        try:
            install(partial)
            if not place.exists():
                partial.replace(place)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return place

"""What others offer, to be measured beside ours: installed once, under `.local`, as their locks pin it."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.results import ROOT

_CACHE = ROOT / ".local" / "peers"


def installed(name: str) -> Path:
    """The directory of what `requirements/<name>-lock.txt` pins; beside the environment, never in it.

    It is made anew when the lock changes, and appears whole or not at all.
    """
    lock = ROOT / "requirements" / f"{name}-lock.txt"
    place = _CACHE / f"{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    if not place.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f"{name}-partial-", dir=_CACHE))
        try:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            hashed = ["--no-deps", "--require-hashes", "--target", str(partial), "-r", str(lock)]
            subprocess.run([*pip, *hashed], check=True)
            partial.replace(place)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return place


def before_all_else(place: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment in which Python finds what lies in `place` first."""
    path = os.pathsep.join([str(place), environment.get("PYTHONPATH", "")])
    return {**environment, "PYTHONPATH": path.rstrip(os.pathsep)}

"""The five releases of the demo: two good ones, and three that are broken each in a way of its own.

`python -m local_stack.demo.artifacts DIRECTORY` builds them, for those who want to look inside.
"""

import os
import pickle
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local_stack.seed import ENTRY_POINT, Built, build, pack

MODEL = "breast-cancer"

_RAISES_ON_PREDICTION = """

def predict_fn(matrix, model):
    raise RuntimeError("release 3 forgot that the scaler was renamed")
"""
_CANNOT_START = "import a_library_nobody_installed\n"


@dataclass(frozen=True)
class DemoArtifact:
    """One release's archive; `metrics` are those of the model inside."""

    release: int
    path: Path
    metrics: dict[str, float]


class _RunsACommand:
    """What an attacker puts into a pickle: unpickling it runs a command."""

    def __init__(self, command: str) -> None:
        self._command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self._command,)


def build_artifacts(workdir: Path, trap: Path) -> list[DemoArtifact]:
    """Train releases 1 and 2, and break release 2 in three ways.

    Release 3 answers no prediction, release 4 cannot be loaded, release 5 carries a pickle that creates the
    file `trap` when it is unpickled: as long as `trap` does not exist, nobody did.
    """
    first, second = (build(MODEL, release, workdir) for release in ("1", "2"))
    return [
        DemoArtifact(1, first.path, first.metrics),
        DemoArtifact(2, second.path, second.metrics),
        _with_code(second, workdir, 3, lambda code: code + _RAISES_ON_PREDICTION),
        _with_code(second, workdir, 4, lambda code: _CANNOT_START + code),
        _malicious(second, workdir, 5, trap),
    ]


def _with_code(good: Built, workdir: Path, release: int, change: Callable[[str], str]) -> DemoArtifact:
    """The good model behind changed inference code."""
    place = _copy(good, workdir, release)
    entry = place / "code" / ENTRY_POINT
    entry.write_text(change(entry.read_text()))
    return _pack(good, place, release)


def _malicious(good: Built, workdir: Path, release: int, trap: Path) -> DemoArtifact:
    """The good code beside a model file that runs a command."""
    place = _copy(good, workdir, release)
    command = _RunsACommand(f"touch {shlex.quote(str(trap))}")
    (place / "model" / "model.joblib").write_bytes(pickle.dumps(command))
    return _pack(good, place, release)


def _copy(good: Built, workdir: Path, release: int) -> Path:
    """The directory that a good release was packed from, for a broken one to be made of."""
    place = workdir / MODEL / str(release)
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(good.path.parent, place)
    return place


def _pack(good: Built, place: Path, release: int) -> DemoArtifact:
    return DemoArtifact(release, pack(place / "model", place / "code", place / good.path.name), good.metrics)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    for made in build_artifacts(target, target / "trap"):
        print(f"release {made.release}: {made.path} {made.metrics}")

"""Each shipped release, trained and packed once, and a container's worth of serving for it."""

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from local_stack.seed import RELEASES, Built, build

Releases = dict[tuple[str, str], Built]
# What a retraining makes of all the rows that it may learn from; never shipped as an archive.
BUILT = [*RELEASES, ("digits", "1")]


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str | None
    body: str

    @property
    def predictions(self) -> list[Any]:
        assert self.status == 200, self.body
        return list(json.loads(self.body))


@dataclass(frozen=True)
class Served:
    answers: list[Answer]
    modules: set[str]


Serve = Callable[..., Served]


@pytest.fixture(scope="session")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    workdir = tmp_path_factory.mktemp("releases")
    return {(name, release): build(name, release, workdir) for name, release in BUILT}


@pytest.fixture(scope="session")
def unpacked(releases: Releases, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """The root (``/opt/ml`` in a container) under whose ``model`` each release lies unpacked."""
    roots = {}
    for key, built in releases.items():
        roots[key] = tmp_path_factory.mktemp("-".join(key))
        with tarfile.open(built.path) as archive:
            # Python before 3.11.4 knows no filters, Python from 3.12 warns where none is given.
            safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            archive.extractall(roots[key] / "model", **safely)  # noqa: S202  made by ourselves above
    return roots


@pytest.fixture(scope="session")
def serve(unpacked: dict[tuple[str, str], Path], tmp_path_factory: pytest.TempPathFactory) -> Serve:
    """Serve requests ``(body, content type, accept)`` from a release's archive and nothing else of ours."""

    @cache  # a process takes a second to import scikit-learn, and answers the same each time
    def run(name: str, release: str, *requests: tuple[str, str, str], **environment: str) -> Served:
        root = unpacked[name, release]
        done = subprocess.run(
            # -I: neither the working directory nor PYTHONPATH lends the archive what it does not carry.
            [sys.executable, "-I", str(Path(__file__).with_name("container.py")), str(root / "model")],
            input=json.dumps(requests),
            env={"PATH": os.environ["PATH"], "SAGEMAKER_BASE_DIR": str(root), **environment},
            cwd=tmp_path_factory.mktemp("cwd"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        return Served([Answer(*each) for each in answer["answers"]], set(answer["modules"]))

    return run

"""A model unpacked as an endpoint's container has it, and the process in which it answers."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO, Any, Dict, List, Tuple, cast

from . import Failed
from .bodies import Answered, parts_of, read_answer, request_body
from .held_out import held_out

_SHOWN = 120


class CannotAnswer(Exception):
    """A model that does not answer as it must."""


def answers_of(options: argparse.Namespace, name: str, archive: Path) -> List[Answered]:
    """A model's prediction and score for every row; raises Failed, which names the model and the batch."""
    answers: List[Answered] = []
    where = "its archive cannot be unpacked"
    number = 0
    try:
        unpack(archive, options.root / "model")
        where = "it cannot be loaded"
        with tempfile.TemporaryDirectory() as libraries, Model(options.root, Path(libraries)) as model:
            rows = held_out(options)
            for batch in iter(lambda: list(islice(rows, options.batch_rows)), []):
                number += 1
                where = f"batch {number} (rows {len(answers) + 1} to {len(answers) + len(batch)})"
                kind, body = model.ask(options.content_type, request_body(options, batch))
                answers += answered(options, kind, body, len(batch))
    except (CannotAnswer, OSError, EOFError, tarfile.TarError) as error:
        raise Failed(f"{name}: {where}: {error}") from error
    return answers


def answered(options: argparse.Namespace, kind: str, body: str, rows: int) -> List[Answered]:
    """The predictions in one answer, as many as the rows that were sent."""
    try:
        found = [parts_of(options, answer) for answer in read_answer(kind, body, rows)]
    except (ValueError, RecursionError) as error:
        shown = body[:_SHOWN] + ("…" if len(body) > _SHOWN else "")
        raise CannotAnswer(f"{error}; the answer starts {shown!r}") from error
    if len(found) != rows:
        raise CannotAnswer(f"found {len(found)} predictions, expected {rows}, one for each row")
    return found


def unpack(archive: Path, model_dir: Path) -> None:
    """Unpack a model in the place of the one before; nothing lands outside of its directory."""
    shutil.rmtree(str(model_dir), ignore_errors=True)
    model_dir.mkdir(parents=True, exist_ok=True)
    with tarfile.open(str(archive), "r:gz") as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extractall(str(model_dir), filter="data")
            return
        for member in tar:  # a Python from before the filters: plain files and directories only
            path = PurePosixPath(member.name)
            if path.is_absolute() or ".." in path.parts or not (member.isfile() or member.isdir()):
                raise CannotAnswer(f"{member.name} is no plain file below the archive's top")
            tar.extract(member, str(model_dir))


class Model:
    """The process in which the unpacked model answers: a JSON line in, a JSON line out."""

    def __init__(self, root: Path, libraries: Path) -> None:
        requirements = root / "model" / "code" / "requirements.txt"
        environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(root)}
        if requirements.exists():
            install(requirements, libraries)
            environment["PYTHONPATH"] = os.pathsep.join(
                filter(None, [str(libraries), environment.get("PYTHONPATH")])
            )
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("answer.py")), str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=str(root / "model"),
            env=environment,
        )

    def __enter__(self) -> Model:
        """Wait until the model is loaded."""
        try:
            self._read()
        except CannotAnswer:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def ask(self, content_type: str, body: str) -> Tuple[str, str]:
        """Content type and body of the answer."""
        line = json.dumps({"content_type": content_type, "body": body}) + "\n"
        stdin = cast("IO[bytes]", self._process.stdin)
        try:
            stdin.write(line.encode("utf-8"))
            stdin.flush()
        except BrokenPipeError:
            pass  # it has ended: reading says how
        said = self._read()
        return str(said["content_type"]), str(said["body"])

    def _read(self) -> Dict[str, Any]:
        line = cast("IO[bytes]", self._process.stdout).readline()
        if not line:
            status = self._process.wait()
            how = f"was killed by signal {-status}" if status < 0 else f"exited with {status}"
            raise CannotAnswer(f"its process {how}, expected an answer")
        said: Dict[str, Any] = json.loads(line.decode("utf-8"))
        if "error" in said:
            raise CannotAnswer(str(said["error"]))
        return said


def install(requirements: Path, libraries: Path) -> None:
    """What the endpoint's container installs when it starts; here apart, for the other model has its own."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(libraries)]
    ended = subprocess.run([*pip, "-r", str(requirements)], check=False, stderr=subprocess.PIPE)
    if ended.returncode:
        said = ended.stderr.decode("utf-8", "replace").strip()[-400:]
        raise CannotAnswer(f"its code/requirements.txt cannot be installed: {said}")

"""The README's commands, run: what it tells a newcomer to type is what is typed here."""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Connection

from endpoint_deploy.cli import app
from tests.docs.blocks import REPO, Block, blocks
from tests.docs.sandbox import Sandbox, make_sandbox

README = REPO / "README.md"
BLOCKS = blocks(README)


def test_every_command_says_how_it_is_tested() -> None:
    shells = [block for block in BLOCKS if block.language in {"bash", "sh", "console", "shell", ""}]
    assert shells
    unknown = [b.line for b in shells if b.run not in {"ci", "walk", "connection"}]
    assert not unknown, f"README.md, lines {unknown}: commands in no category; see tests/docs/blocks.py"


def test_every_other_block_is_a_file_of_the_walk_or_what_a_command_prints() -> None:
    assert not [block.line for block in BLOCKS if block.kind == "read"]


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.run == "ci"], ids=lambda b: f"line{b.line}")
def test_what_is_left_to_ci_is_run_there(block: Block) -> None:
    ci = {line.strip() for line in (REPO / ".ci" / "run").read_text().splitlines()}
    assert set(block.body.splitlines()) <= ci


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    # Not in pytest's own directories: as root, PostgreSQL's user must be able to enter, and a socket's path
    # is at most 107 bytes long.
    with tempfile.TemporaryDirectory(prefix="readme-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        made = make_sandbox(root)
        try:
            yield made
        finally:
            made.run(Block(line=0, language="bash", body="make down\n"))


@pytest.mark.e2e
@pytest.mark.timeout(900)
def test_a_newcomers_first_own_deployment(sandbox: Sandbox) -> None:
    printed, walked = "", 0
    for block in BLOCKS:
        if block.kind == "file":
            sandbox.write(block)
        elif block.run == "walk":
            printed, walked = sandbox.run(block), walked + 1
        elif block.output:
            missing = [line for line in block.body.splitlines() if line.strip() not in printed]
            assert not missing, f"README.md:{block.line}: {missing} is not in what was printed:\n{printed}"
    assert walked > 5


def test_the_connection_is_one_that_airflow_reads() -> None:
    (block,) = [b for b in BLOCKS if b.run == "connection"]
    script = f"{block.body}printenv AIRFLOW_CONN_AWS_DEFAULT"
    env = {"PATH": os.environ["PATH"]}
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, env=env)
    connection = Connection.from_json(done.stdout, conn_id="aws_default")
    assert connection.conn_type == "aws"
    extra: dict[str, Any] = json.loads(str(connection.extra))
    assert extra.keys() == {"region_name", "role_arn"}


def test_commands_that_the_text_names_are_of_those_that_are_run() -> None:
    named = re.findall(
        r"`((?:make|python|pip|uv|docker|aws|airflow|git|bash|curl) [^`]+)`", README.read_text()
    )
    assert named
    makefile = (REPO / "Makefile").read_text()
    commands = {command.callback.__name__ for command in app.registered_commands if command.callback}
    for said in named:
        if target := re.fullmatch(r"make ([\w-]+)", said):
            assert re.search(rf"^{target[1]}:", makefile, re.MULTILINE), said
        else:
            command = re.fullmatch(r"python -m endpoint_deploy (\w+)", said)
            assert command, f"{said}: put it into a block that says how it is tested"
            assert command[1] in commands, said


def test_paths_that_the_text_names_exist() -> None:
    named = re.findall(r"`((?:include|dags|plugins|docs|requirements|\.ci)[\w./-]*)`", README.read_text())
    assert [path for path in named if not (REPO / path).exists()] == []

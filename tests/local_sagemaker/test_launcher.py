"""The program that runs a job's program: with /opt/ml mounted, and where the kernel does not allow that."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.jobs import container
from tests.local_sagemaker.server_process import until

LAUNCHER = Path(container.__file__).with_name("launcher.py")
NOBODY = 65534
ROOT = os.geteuid() == 0


@pytest.fixture
def place() -> Iterator[Path]:
    """A container's directories, which any user may write to."""
    with tempfile.TemporaryDirectory() as name:
        for path in (Path(name), Path(name, "ml"), Path(name, "stage")):
            path.mkdir(exist_ok=True)
            path.chmod(0o777)
        yield Path(name)


def launch(place: Path, *argv: str, **members: Any) -> subprocess.Popen[str]:
    user = members.pop("user", None)
    environment = members.pop("env", {})
    spec = {
        "argv": argv,
        "base": str(place / "ml"),
        "stage": str(place / "stage"),
        "cwd": "/opt/ml",
        **members,
    }
    # A launcher that its user may read, and that user's own Python: the tests' may be root's alone.
    program = place / "launcher.py"
    program.write_bytes(LAUNCHER.read_bytes())
    program.chmod(0o644)
    return subprocess.Popen(
        [sys.executable if user is None else "/usr/bin/python3", "-IS", str(program), json.dumps(spec)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], **environment},
        text=True,
        user=user,
        group=user,
        extra_groups=[] if user else None,
        start_new_session=True,
    )


def result(process: subprocess.Popen[str]) -> tuple[int, str]:
    assert process.stdout is not None
    output = process.stdout.read()
    status = process.wait(30)
    process.stdout.close()
    if process.stdin:
        process.stdin.close()
    return status, output


def may_mount(place: Path, user: int | None) -> bool:
    try:
        return "cannot be mounted" not in result(launch(place, "true", user=user))[1]
    except PermissionError:  # this root may be nobody else
        return False


@pytest.mark.parametrize("user", [None, NOBODY] if ROOT else [None])
def test_a_program_that_names_opt_ml_finds_its_own(place: Path, user: int | None) -> None:
    if user is not None and not Path("/usr/bin/python3").exists():
        pytest.skip("no Python that another user may run")
    if not may_mount(place, user):
        pytest.skip("this kernel lets nobody mount; the other tests show what happens then")
    before = sorted(path.name for path in Path("/opt").iterdir()) if Path("/opt").exists() else None
    (place / "ml" / "hello").write_text("hello")
    (place / "hosts").write_text("127.0.0.9 algo-9\n")
    script = "cat /opt/ml/hello /etc/hosts; id -u; ls /opt | wc -l; echo made > /opt/ml/made; exit 5"
    status, output = result(
        launch(place, "sh", "-c", script, user=user, replaced={"/etc/hosts": str(place / "hosts")})
    )
    assert status == 5, output
    lines = output.split("\n")
    assert lines[0] == "hello127.0.0.9 algo-9"
    assert lines[1] == str(os.geteuid() if user is None else user), "it stays who it is"
    assert int(lines[2]) == len({*(before or []), "ml"}), "the rest of /opt is there too"
    assert (place / "ml" / "made").read_text() == "made\n"
    after = sorted(path.name for path in Path("/opt").iterdir()) if Path("/opt").exists() else None
    assert after == before, "nobody else sees it"


def test_without_a_mount_the_path_is_replaced_and_the_log_says_so(place: Path) -> None:
    script = 'echo "$DIR $OTHER $1"; pwd'
    status, output = result(
        launch(
            place,
            *("sh", "-c", script, "sh", "--from=/opt/ml/input,/opt/mlflow"),
            mount=False,
            env={"DIR": "/opt/ml", "OTHER": "/opt/ml-data:/opt/ml/model"},
        )
    )
    said, told, directory, _ = output.split("\n")
    base = place / "ml"
    assert status == 0
    assert said.startswith("[local sagemaker] /opt/ml cannot be mounted here")
    assert told == f"{base} /opt/ml-data:{base}/model --from={base}/input,/opt/mlflow"
    assert Path(directory) == base.resolve()


@pytest.mark.parametrize(
    ("script", "expected"), [("exit 0", 0), ("exit 42", 42), ("kill -TERM $$", 143), ("kill -9 $$", 137)]
)
def test_it_ends_as_the_program_does(place: Path, script: str, expected: int) -> None:
    assert result(launch(place, "sh", "-c", script, mount=False))[0] == expected


def test_sigterm_reaches_the_program(place: Path) -> None:
    process = launch(
        place, "sh", "-c", "trap 'echo asked; exit 4' TERM; echo ready; sleep 60 & wait", mount=False
    )
    assert process.stdout is not None
    while "ready" not in process.stdout.readline():
        pass
    process.terminate()
    assert result(process) == (4, "asked\n")


@pytest.mark.parametrize("how", ["its program ends", "its input ends"])
def test_nothing_outlives_it(place: Path, how: str, no_longer_running: Any) -> None:
    told = place / "pid"
    daemon = (
        "import os, pathlib, time; os.setsid(); print(os.getpid(), flush=True); "
        f"pathlib.Path('{told}').touch(); time.sleep(600)"
    )
    then = f"until [ -e {told} ]; do sleep 0.05; done" if how == "its program ends" else "sleep 600"
    with launch(place, "sh", "-c", f'{sys.executable} -c "{daemon}" & {then}', mount=False) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        pid = int(
            until(
                lambda: [line for line in [process.stdout.readline()] if line.strip().isdigit()], "it runs"
            )[0]
        )
        if how == "its input ends":
            process.stdin.close()
            process.stdin = None
        assert process.wait(30) == (0 if how == "its program ends" else 137)
        until(lambda: no_longer_running([pid]), "the daemon is gone too")


def test_whoever_reaps_the_program_it_ends_as_killed_with_its_server(place: Path) -> None:
    # Two threads wait for the program then: one follows the server, the other gives the status.
    ended = []
    for _ in range(20):
        with launch(place, "sh", "-c", "echo ready; sleep 600 & sleep 600", mount=False) as process:
            assert process.stdout is not None
            assert process.stdin is not None
            assert any("ready" in line for line in iter(process.stdout.readline, "")), "it runs"
            process.stdin.close()
            ended.append(process.wait(30))
    assert set(ended) == {137}

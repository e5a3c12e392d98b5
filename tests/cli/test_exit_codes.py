"""A mistyped command is an error: 2 is what `plan` says where there are changes to make."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["plan"], 1),
        (["plan", "--bogus", "x"], 1),
        (["nonsense"], 1),
        (["--help"], 0),
        (["schema"], 0),
        (["validate", "no-such-file.yaml"], 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_the_exit_code(arguments: list[str], code: int) -> None:
    command = [sys.executable, "-m", "endpoint_deploy", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr

"""What a shell offers after a Tab, by the script that `endpoint-deploy --show-completion` prints."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = Path(sys.executable).with_name("endpoint-deploy")
# The function that the script defines, called as bash calls it: with the words so far, and which one it is.
_TAB = """
eval "$(endpoint-deploy --show-completion bash)"
COMP_WORDS=({words}); COMP_CWORD={at}
_endpoint_deploy_completion "endpoint-deploy"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("words", "at", "offered"),
    [
        ("endpoint-deploy sta", 1, {"status"}),
        ("endpoint-deploy status d", 2, {"diabetes__demo", "digits__demo"}),
        ("endpoint-deploy watch breast", 2, {"breast-cancer__demo"}),
        ("endpoint-deploy freeze --specs no-such-directory d", 4, set()),
        ("endpoint-deploy history --js", 2, {"--json"}),
    ],
)
def test_commands_options_and_deployments_are_offered(words: str, at: int, offered: set[str]) -> None:
    specs = Path(__file__).parents[2] / "include" / "deployments"
    path = f"{_PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", _TAB.format(words=words, at=at)],
        env={**os.environ, "PATH": path, "ENDPOINT_DEPLOY_SPECS": str(specs)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) == offered, done.stderr

"""One short storm over two deployments, with all that has to hold after it."""

import subprocess
import sys

import pytest

from local_stack.paths import REPO_ROOT
from tests.soak import in_soak


@in_soak
@pytest.mark.e2e
def test_a_short_storm_violates_nothing() -> None:
    command = [sys.executable, "-m", "benchmarks.chaos", "--seed", "7", "--rounds", "1"]
    command += ["--minutes", "3", "--faults", "12", "--endpoints", "2"]
    done = subprocess.run(command, cwd=REPO_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "violations: 0 (seed 7, 1 rounds)" in done.stdout

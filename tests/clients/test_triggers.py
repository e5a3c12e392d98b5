"""The amazon provider's triggers, with the aiobotocore they need, which is no part of the environment."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local_stack.paths import REPO_ROOT
from tests.clients.installs import installed, run
from tests.clients.jobs import JOBS, tuning

_LOCK = REPO_ROOT / "requirements" / "aiobotocore-lock.txt"
_PROGRAM = Path(__file__).with_name("await_by_triggers.py")


def _install(place: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--no-deps", "--require-hashes", "--target", place / "packages", "-r", _LOCK], place)


@pytest.fixture(scope="module")
def events(environment, tmp_path_factory):
    """What the triggers fire for jobs, by (type, name)."""
    packages = installed("aiobotocore", _LOCK, _install) / "packages"

    def wait(jobs):
        done = subprocess.run(
            [sys.executable, _PROGRAM, json.dumps(jobs)],
            env={
                **environment,
                "PYTHONPATH": os.pathsep.join([str(packages), os.environ.get("PYTHONPATH", "")]),
                "AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return dict(zip(jobs, json.loads(done.stdout.splitlines()[-1]), strict=True))

    return wait


def test_the_triggers_fire_for_everything_that_ends(world, events):
    good = [(kind, make(world, "succeed")) for kind, make in JOBS.items()]
    bad = [(kind, make(world, "fail")) for kind, make in JOBS.items()]
    good.append(("tuning", tuning(world)))
    good.append(("endpoint", world.begin(world.release())))
    bad.append(("endpoint", world.begin(world.release("cannot_load"))))
    fired = events([*good, *bad])
    for job in good:
        assert fired[job] == {"status": "success", "job_name": job[1]}
    for job in bad:
        assert (fired[job]["status"], fired[job]["job_name"]) == ("failed", job[1])
        assert fired[job]["message"]
    world.delete(world.begun)

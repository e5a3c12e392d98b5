"""The AWS SDK for JavaScript from npm: one program that lives through an endpoint's life and tells of it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.installs import installed, run
from tests.local_sagemaker.server_process import archive
from tests.local_sagemaker.world import MODELS

_HERE = Path(__file__).with_name("javascript")
_LOCK = _HERE / "package-lock.json"


def _install(place: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_HERE / name, place)
    run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], place)


@pytest.fixture(scope="module")
def told(world, environment, tmp_path_factory):
    """What the program tells, a JSON object."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm are not installed")
    directory = tmp_path_factory.mktemp("javascript")
    shutil.copy(_HERE / "life.js", directory)
    shutil.copy(_HERE / "package.json", directory)
    packages = installed("javascript", _LOCK, _install) / "node_modules"
    (directory / "node_modules").symlink_to(packages)
    for name, model in (("model", "echo"), ("failing", "raises"), ("streaming", "streams")):
        code = (MODELS / f"{model}.py").read_text()
        (directory / f"{name}.tar.gz").write_bytes(archive(code))
    done = subprocess.run(
        ["node", "life.js", world.role],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_endpoint_lives_and_answers(told):
    assert told["waited"] == {"inService": "SUCCESS", "deleted": "SUCCESS"}
    assert told["answer"]["release"] == "js"
    assert told["answer"]["body"] == "1,2"
    assert (told["variant"], told["contentType"]) == ("main", "application/json")


def test_a_streamed_answer_comes_whole(told):
    assert told["stream"] == "part 0\npart 1\npart 2\n"


def test_pages_are_walked(told):
    assert told["pages"] == [2, 1]


def test_errors_have_the_services_names_and_members(told):
    assert told["errors"]["missing"]["name"] == "ValidationException"
    assert told["errors"]["missing"]["message"].startswith("Could not find endpoint")
    assert told["errors"]["notFound"]["name"] == "ValidationError"
    failed = told["errors"]["model"]
    assert (failed["name"], failed["original"], failed["status"]) == ("ModelError", 500, 424)
    assert "no such feature" in failed["message"]


def test_s3_gives_back_what_it_took(told):
    assert told["s3"]["etag"]
    assert told["s3"]["same"] is True
    assert told["s3"]["missing"] == "NoSuchKey"


def test_cloudwatch_keeps_metrics_and_alarms(told):
    assert told["cloudwatch"] == {"sum": 7, "alarm": "by-js"}


def test_the_lock_names_no_registry():
    assert '"resolved"' not in _LOCK.read_text()

"""The make targets that the README names, and what none of the project's files may name."""

import re
import subprocess

import pytest

from local_stack.paths import REPO_ROOT

TARGETS = (
    "demo",
    "up",
    "down",
    "up-distributed",
    "down-distributed",
    "test",
    "distributed",
    "compatibility",
    "soak",
    "conformance",
    "year",
    "aborts",
    "pairs",
    "pictures",
    "bench",
    "judge",
    "chaos",
    "fuzz",
    "audit",
    "sbom",
    "lint",
    "lock",
    "help",
)
# The lock file's hashes hold wherever packages come from: where that is, is for pip's and uv's configuration.
REGISTRY = re.compile(
    r"index-url\s*[=:]?\s*\S*//|pypi\.org|pythonhosted|files\.python|artifactory|devpi", re.I
)


def test_help_explains_every_target() -> None:
    said = subprocess.run(["make", "help"], cwd=REPO_ROOT, capture_output=True, text=True, check=True).stdout
    explained = {line.split()[0]: line.split()[1:] for line in said.splitlines()}
    assert set(TARGETS) == set(explained)
    assert all(explained.values())


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_is_a_recipe_that_make_can_read(target: str) -> None:
    dry = subprocess.run(
        ["make", "--dry-run", target], cwd=REPO_ROOT, capture_output=True, text=True, check=False
    )
    assert dry.returncode == 0, dry.stderr
    assert dry.stdout


@pytest.mark.parametrize(
    "name",
    [
        "Makefile",
        "Dockerfile",
        "docker-compose.yaml",
        "requirements/lock.txt",
        "requirements/awscli-lock.txt",
        "requirements/aiobotocore-lock.txt",
        "requirements/obstore-lock.txt",
        "requirements/dag-factory-lock.txt",
        ".ci/run",
        "pyproject.toml",
    ],
)
def test_no_file_names_a_registry(name: str) -> None:
    assert not REGISTRY.search((REPO_ROOT / name).read_text())


def test_the_lock_pins_every_package_with_hashes() -> None:
    lock = (REPO_ROOT / "requirements/lock.txt").read_text()
    pinned = re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==\S+", lock, re.M)
    assert len(pinned) > 200
    for package in re.split(r"\n(?=\S)", lock.strip()):
        assert "--hash=sha256:" in package, package.splitlines()[0]

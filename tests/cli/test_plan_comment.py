"""The example workflow's own shell steps, in a git repository with changed specs."""

import io
import os
import subprocess
import sys
import tarfile
import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml

from endpoint_deploy.core.markdown import MARKER

WORKFLOW = Path(__file__).parents[2] / "docs" / "examples" / "github-plan-comment.yaml"
BUCKET = "plan-comment-tests"
REGION = "eu-west-1"


@pytest.fixture(scope="module")
def steps() -> dict[str, dict[str, Any]]:
    """The workflow's steps with a shell script, by name."""
    jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"]
    return {step["name"]: step for step in jobs["plan"]["steps"] if "run" in step}


@pytest.fixture
def repository(specs: Path, tmp_path: Path, local_sagemaker: Any) -> Path:
    """A clone whose base has one spec; on top of it a good one, a broken one, and a file that is no spec."""
    s3 = local_sagemaker.client("s3")
    if BUCKET not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    name = f"c{uuid.uuid4().hex[:8]}"
    s3.put_object(Bucket=BUCKET, Key=f"{name}/model.tar.gz", Body=archive())
    folder = tmp_path / "repository" / "include" / "deployments"
    folder.mkdir(parents=True)
    for each in ("payloads", "suite.json"):
        (specs / each).rename(folder / each)
    text = (
        (specs / "churn.yaml").read_text().replace("s3://ml-platform/models/churn", f"s3://{BUCKET}/{name}")
    )
    text = text.replace("s3://ml-platform/", f"s3://{BUCKET}/{name}/")
    (folder / "kept.yaml").write_text(text.replace("name: churn", "name: kept"))
    root = tmp_path / "repository"
    git(root, "init", "--quiet")
    commit(root)
    (folder / "a new one.yaml").write_text(text.replace("name: churn", f"name: {name}"))
    (folder / "broken.yaml").write_text(text.replace("environment: prod", "environment: '@all <b>'"))
    (folder / "suite.json").write_text((folder / "suite.json").read_text() + "\n")
    commit(root)
    return root


def archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        code = b"def model_fn(model_dir): return 1\n"
        info = tarfile.TarInfo("code/inference.py")
        info.size = len(code)
        tar.addfile(info, io.BytesIO(code))
    return buffer.getvalue()


def git(root: Path, *arguments: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "change")


def run(root: Path, step: dict[str, Any]) -> int:
    """A step's script as GitHub runs one: `bash -e` in the clone's root."""
    own = {
        "SPECS": "include/deployments",
        "BASE": git(root, "rev-parse", "HEAD~1"),
        "ENDPOINT_DEPLOY_SPECS": str(root / "include" / "deployments"),
        "GITHUB_OUTPUT": str(root / "output"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-e", "-c", step["run"]], cwd=root, env={**os.environ, **own}, check=False, timeout=300
    )
    return done.returncode


def test_changed_specs_are_found_checked_planned_and_told(
    repository: Path, steps: dict[str, dict[str, Any]]
) -> None:
    assert run(repository, steps["Find the changed specs"]) == 0
    assert (repository / "changed-specs").read_text().split("\0") == [
        "include/deployments/a new one.yaml",
        "include/deployments/broken.yaml",
        "",
    ]
    assert run(repository, steps["Validate"]) != 0
    assert steps["Validate"]["continue-on-error"]
    assert run(repository, steps["Plan"]) == 0
    assert (repository / "output").read_text() == "code=1\n"  # a broken spec fails the last step
    text = (repository / "comment.md").read_text()
    assert text.startswith(f"{MARKER}\n")
    assert "`include/deployments/a new one.yaml`" in text
    assert "- **create** " in text
    assert "`include/deployments/broken.yaml:2: environment: found '@all <b>'" in text
    assert "kept" not in text


def test_without_a_changed_spec_there_is_nothing_to_say(
    repository: Path, steps: dict[str, dict[str, Any]]
) -> None:
    (repository / "README.md").write_text("words")
    commit(repository)
    for name in ("Find the changed specs", "Validate", "Plan"):
        assert run(repository, steps[name]) == 0
    assert not (repository / "comment.md").exists()

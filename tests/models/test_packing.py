import json
import os
import tarfile
from pathlib import Path

import pytest

from local_stack.seed import Built, build, pack


def _source(root: Path, order: list[str]) -> tuple[Path, Path]:
    model, code = root / "model", root / "code"
    (model / "sub").mkdir(parents=True)
    code.mkdir()
    for name in order:
        (root / name).write_text(name)
    return model, code


FILES = ["model/model.joblib", "model/sub/vocabulary.txt", "code/inference.py", "code/features.py"]


def test_the_same_content_packs_to_the_same_bytes(tmp_path: Path) -> None:
    one = pack(*_source(tmp_path / "one", FILES), tmp_path / "first" / "model.tar.gz")
    other_source = _source(tmp_path / "two", FILES[::-1])
    for file in (tmp_path / "two").rglob("*"):
        os.utime(file, (1_000_000_000, 1_000_000_000))
        file.chmod(0o700)
    (tmp_path / "two" / "code" / "__pycache__").mkdir()
    (tmp_path / "two" / "code" / "__pycache__" / "inference.pyc").write_bytes(b"byte code")
    other = pack(*other_source, tmp_path / "elsewhere.tar.gz")

    assert one.read_bytes() == other.read_bytes()
    header = one.read_bytes()[:10]
    assert (header[3], header[4:8]) == (0, bytes(4))  # RFC 1952: no file name, no time


def test_other_content_packs_to_other_bytes(tmp_path: Path) -> None:
    model, code = _source(tmp_path, FILES)
    one = pack(model, code, tmp_path / "one.tar.gz").read_bytes()
    (code / "inference.py").write_text("# changed")
    assert pack(model, code, tmp_path / "other.tar.gz").read_bytes() != one


def test_members_are_sorted_and_carry_no_time_owner_or_mode_of_their_own(tmp_path: Path) -> None:
    with tarfile.open(pack(*_source(tmp_path, FILES), tmp_path / "model.tar.gz")) as archive:
        members = archive.getmembers()
        contents = {member.name: archive.extractfile(member).read().decode() for member in members}  # type: ignore[union-attr]
    assert [member.name for member in members] == [
        "code/features.py",
        "code/inference.py",
        "model.joblib",
        "sub/vocabulary.txt",
    ]
    assert contents["code/inference.py"] == "code/inference.py"
    assert contents["sub/vocabulary.txt"] == "model/sub/vocabulary.txt"
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in members} == {(0, 0, 0, "", "", 0o644)}


def test_code_that_cannot_serve_is_refused(tmp_path: Path) -> None:
    model, code = _source(tmp_path, ["model/model.joblib", "code/serve.py"])
    with pytest.raises(ValueError, match=r"found no inference\.py"):
        pack(model, code, tmp_path / "model.tar.gz")


def test_a_model_that_brings_code_of_its_own_is_refused(tmp_path: Path) -> None:
    model, code = _source(tmp_path, FILES)
    (model / "code").mkdir()
    with pytest.raises(ValueError, match="found 'code', expected only the model"):
        pack(model, code, tmp_path / "model.tar.gz")


def test_a_build_takes_nothing_of_an_earlier_one_into_the_archive(
    releases: dict[tuple[str, str], Built], tmp_path: Path
) -> None:
    leftover = tmp_path / "diabetes" / "1" / "model" / "leftover.joblib"
    leftover.parent.mkdir(parents=True)
    leftover.write_text("of an earlier build")
    built = build("diabetes", "1", tmp_path)
    assert built.path.read_bytes() == releases["diabetes", "1"].path.read_bytes()


def test_hyperparameters_given_go_over_those_of_the_release(
    releases: dict[tuple[str, str], Built], tmp_path: Path
) -> None:
    built = build("breast-cancer", "1", tmp_path, estimator="logistic")
    assert built.path.read_bytes() == releases["breast-cancer", "2"].path.read_bytes()


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("breast-cancer", {"model.joblib", "metrics.json", "code/inference.py"}),
        ("diabetes", {"ridge.joblib", "boosting.joblib", "metrics.json", "code/inference.py"}),
        ("digits", {"model.joblib", "metrics.json", "code/inference.py"}),
    ],
)
def test_an_examples_archive_holds_the_model_its_metrics_and_what_serves_it(
    releases: dict[tuple[str, str], Built], name: str, members: set[str]
) -> None:
    built = releases[name, "1"]
    with tarfile.open(built.path) as archive:
        assert set(archive.getnames()) == members
        metrics = archive.extractfile("metrics.json")
        assert metrics is not None
        assert json.load(metrics) == built.metrics

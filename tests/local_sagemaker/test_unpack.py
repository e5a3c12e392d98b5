"""A replica unpacks its archive safely, also on a Python without filters for that (Debian 12 has 3.11.2)."""

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

REPLICA = Path(__file__).parents[2] / "include" / "local_sagemaker" / "hosting" / "replica_server.py"
PROGRAM = """
import runpy, sys, tarfile
from pathlib import Path
if sys.argv[4] == "without-filters":
    del tarfile.data_filter
runpy.run_path(sys.argv[1])["unpack"](sys.argv[2], Path(sys.argv[3]))
"""


def unpack(archive: Path, into: Path, filters: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, REPLICA, archive, into, filters]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def made(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    return path


def file(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = 2
    return member


def link(target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo("link")
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


@pytest.mark.parametrize("filters", ["with-filters", "without-filters"])
def test_files_and_directories_are_unpacked(tmp_path: Path, filters: str) -> None:
    done = unpack(
        made(tmp_path / "a.tar.gz", file("model"), file("./code/inference.py")), tmp_path / "m", filters
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "m" / "code" / "inference.py").read_bytes() == b"xx"


@pytest.mark.parametrize("filters", ["with-filters", "without-filters"])
@pytest.mark.parametrize("member", [file("../evil"), link("/etc/passwd"), link("../../evil")])
def test_nothing_is_written_or_reached_outside(tmp_path: Path, filters: str, member: tarfile.TarInfo) -> None:
    done = unpack(made(tmp_path / "a.tar.gz", member), tmp_path / "m", filters)
    assert done.returncode != 0
    assert not (tmp_path / "evil").exists()
    assert not (tmp_path / "m" / "link").exists()

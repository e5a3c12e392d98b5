"""Artifact validation: one pass over a `model.tar.gz` in S3, for its checksum, its manifest and its safety.

Against `tarfile` and `hashlib` over the same GetObject, and against the fastest pipeline that could be built
of PyPI: obstore, which downloads in Rust, ISA-L's inflate, and a walk over the tar's headers that looks at
nothing, each in a thread of its own. Both only compute a checksum and list names. Each measurement is a
process of its own; S3 is a server on loopback that has the kernel send the file, so that the reader is the
limit. Sizes are those of the compressed object, an archive of float32 weights and their scripts.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.peers import before_all_else, installed
from benchmarks.results import ROOT, Result, growth
from benchmarks.validation_archive import write_archive
from local_stack.airflow_env import aws_environment, clean_environment, python_path

MIB = 1024**2
SIZES = (100, 1024, 4096)  # MiB, compressed
GOAL_SIZE = 1024
ROUNDS = 5
ROUNDS_OF_LARGEST = 3  # its memory is what counts
GOAL_STDLIB = 2.0
GOAL_FASTEST = 0.85
GOAL_PEAK_MIB = 128.0
READERS = ("ours", "stdlib", "fastest")
Runs = dict[str, list[dict[str, float]]]


def run() -> list[Result]:
    """Every figure of validation."""
    found: dict[int, Runs] = {}
    local = ROOT / ".local"  # of the disk: where /tmp is memory, 4 GiB may be too much
    local.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=local) as directory:
        for size in SIZES:
            archive = Path(directory) / "model.tar.gz"
            write_archive(archive, size * MIB)
            with _s3(archive) as url:
                found[size] = _rounds(url, ROUNDS_OF_LARGEST if size > GOAL_SIZE else ROUNDS)
            archive.unlink()
    return [line for size in SIZES for line in _lines(size, found[size])] + [
        growth("the validation's seconds with the MiB", SIZES, [_median(found[s], "ours") for s in SIZES]),
        growth("its peak memory with the MiB", SIZES, [_peak(found[size], "ours") for size in SIZES], 0.05),
    ]


def _rounds(url: str, rounds: int) -> Runs:
    runs: Runs = {reader: [] for reader in READERS}
    for _ in range(rounds):
        for reader in READERS:
            runs[reader].append(_read(reader, url))
    if len({(each["sha256"], each["members"]) for reader in READERS for each in runs[reader]}) != 1:
        raise RuntimeError(f"the readers have not read the same: {runs}")
    return runs


def _read(reader: str, url: str) -> dict[str, float]:
    """What a process of its own says of one pass."""
    environment = clean_environment({"PATH": "/usr/bin:/bin"}) | aws_environment(url)
    environment["PYTHONPATH"] = python_path({"PYTHONPATH": str(ROOT)})
    if reader == "fastest":
        environment = before_all_else(installed("obstore"), environment)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.validation_readers", reader, url],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    said: dict[str, float] = json.loads(done.stdout)
    return said


@contextmanager
def _s3(archive: Path) -> Iterator[str]:
    """The address of a server with the archive as its one object."""
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.validation_s3", str(archive)], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout  # noqa: S101 - asked for above
    try:
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.communicate()


def _median(runs: Runs, reader: str) -> float:
    return median(each["seconds"] for each in runs[reader])


def _peak(runs: Runs, reader: str) -> float:
    return max(each["peak_mib"] for each in runs[reader])


def _lines(size: int, runs: Runs) -> Iterator[Result]:
    """Speeds in MiB of gzip a second; a goal stands at the size for which it was set."""
    speed = {reader: size / _median(runs, reader) for reader in READERS}
    what, at_goal = f"validation of {size:,} MiB", size == GOAL_SIZE
    yield Result(
        what,
        speed["ours"],
        speed["stdlib"],
        "MiB/s",
        "tarfile and hashlib on the same download",
        GOAL_STDLIB if at_goal else None,
    )
    yield Result(
        what,
        speed["ours"],
        speed["fastest"],
        "MiB/s",
        "the fastest pipeline: obstore, ISA-L, three threads, no look inside",
        GOAL_FASTEST if at_goal else None,
    )
    peak = _peak(runs, "ours")
    yield Result(f"{what}: peak memory", peak, GOAL_PEAK_MIB, "MiB", "the limit", 1.0, at_least=False)

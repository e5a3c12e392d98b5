"""What holds for any archive: findings instead of crashes, and memory that does not grow with it."""

import gzip
import io
import pickle
import tracemalloc
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st
from isal import igzip_lib

from endpoint_deploy.artifacts import Limits, inspect_archive
from endpoint_deploy.artifacts.pickles import read_pickle
from tests.artifacts.archives import CODE, Evil, checkpoint, dumped, info, inspect, link, pack, tar

TAR = tar(
    CODE,
    ("model.joblib", dumped({"weights": list(range(50)), "names": ["a", "b"]})),
    ("model.pt", checkpoint({"a": 1})),
    (f"{'d' * 120}/x", b"long"),
    link("l", "code"),
    info("h", type=b"1", linkname="code/inference.py"),
)
GOOD = pack(CODE, ("model.joblib", dumped(list(range(100)))))
LIMITS = Limits(max_unpacked_size=10_000_000, ratio_floor=1_000_000, max_pickle_opcodes=100_000)

edits = st.lists(st.tuples(st.integers(0, len(TAR) - 1), st.binary(min_size=1, max_size=8)), max_size=6)


def squeeze(data: bytes) -> bytes:
    return bytes(igzip_lib.compress(data, flag=igzip_lib.COMP_GZIP))


@settings(max_examples=150)
@given(edits, st.integers(0, len(TAR)))
def test_a_damaged_tar_never_crashes(changes, length):
    data = bytearray(TAR)
    for position, content in changes:
        data[position : position + len(content)] = content
    report = inspect(squeeze(bytes(data[:length])), LIMITS)
    assert all(finding.message and finding.code for finding in report.findings)
    assert report.refused or length > len(TAR.rstrip(b"\0"))


@settings(max_examples=100)
@given(st.integers(0, len(GOOD)), st.binary(max_size=20), st.integers(0, 10))
def test_a_damaged_gzip_is_refused(position, inserted, dropped):
    data = GOOD[:position] + inserted + GOOD[position + dropped :]
    report = inspect(data, LIMITS)
    assert data == GOOD or report.refused or report.unpacked_size == inspect(GOOD).unpacked_size


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_any_bytes_may_be_read_as_a_pickle(data):
    read_pickle(io.BytesIO(data), 10_000)


@settings(max_examples=150)
@given(
    st.recursive(st.none() | st.integers() | st.text() | st.binary() | st.floats(), st.lists),
    st.integers(0, 5),
)
def test_a_command_is_found_beside_any_data(data, protocol):
    assert inspect(pack(("m.pkl", pickle.dumps([data, Evil(), data], protocol)))).refused
    assert not inspect(pack(("m.pkl", pickle.dumps(data, protocol)))).findings


def generated(members: int, size: int) -> Iterator[bytes]:
    """A tar.gz of files of `size` bytes, made as it is read."""
    block = bytes(range(256)) * (size // 256)
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=1, mtime=0) as packed:
        for number in range(members):
            packed.write(info(f"{number}.bin", size=len(block)).tobuf())
            packed.write(block)
            yield stream.getvalue()
            stream.seek(0)
            stream.truncate()
        packed.write(bytes(1024))
    yield stream.getvalue()


def peak(chunks: Iterator[bytes]) -> int:
    tracemalloc.start()
    try:
        assert not inspect_archive(chunks, script_mode=False, limits=Limits(max_ratio=10_000)).findings
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_archive():
    small, large = peak(generated(8, 2**20)), peak(generated(80, 2**20))
    assert large < small + 4 * 2**20
    assert large < 48 * 2**20


def test_memory_does_not_grow_with_a_pickle():
    content = dumped({"a": bytes(2**26), "b": [bytes(1000)] * 50})
    assert peak(iter([pack(("model.joblib", content))])) < 2**24

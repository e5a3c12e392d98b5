"""Archives that must not be released, each refused for its own reason."""

import functools
import gzip
import hashlib
import tarfile

import pytest

from endpoint_deploy.artifacts import Limits, inspect_archive
from tests.artifacts.archives import CODE, codes, info, inspect, link, pack, tar

GOOD = pack(CODE, ("weights.bin", bytes(range(256)) * 40))
ONE = ("a.txt", b"one")
# Without the time of day: parametrized, these bytes name tests, which each worker must name alike.
compress = functools.partial(gzip.compress, mtime=0)

PATHS = [
    "/etc/passwd",
    "../x",
    "a/../../x",
    "a/../b",
    "..",
    "..\\x",
    "a\\..\\..\\x",
    "C:\\x",
    "c:x",
    "\\x",
    "a\nb",
]


@pytest.mark.parametrize("name", PATHS)
def test_a_path_that_may_leave(name):
    report = inspect(pack(ONE, (name, b"x")))
    assert report.refused
    assert codes(report) == {"unsafe-path"}


@pytest.mark.parametrize("layout", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_a_path_hidden_in_an_extended_header(layout):
    report = inspect(pack(("d" * 120 + "/../../../x", b"x"), layout=layout))
    assert codes(report) == {"unsafe-path"}


@pytest.mark.parametrize(
    "entries",
    [
        [link("l", "/etc/passwd")],
        [link("l", "../x")],
        [link("a/b/l", "../../../x")],
        [link("a/l", "b/../../../x")],
        [link("l", "..\\x")],
        [link("l", "C:\\x")],
        [link("h", "/etc/passwd", hard=True)],
        [link("h", "../x", hard=True)],
        [link("h", "not/there", hard=True)],
        [link("s", "a.txt"), link("h", "s", hard=True)],
        # Each link alone stays inside; the second climbs from where the first has led.
        [link("deep/down/up", "../.."), link("deep/down/out", "up/../x")],
    ],
)
def test_a_link_that_leaves(entries):
    report = inspect(pack(ONE, *entries))
    assert report.refused
    assert codes(report) == {"unsafe-link"}


@pytest.mark.parametrize(
    "entries",
    [
        [link("d", "."), ("d/x", b"x")],
        [("d", b"a file"), ("d/x", b"x")],
        [link("d", "e"), info("d/x")],
        [info("d/")],
    ],
)
def test_a_member_written_through_another(entries):
    assert "unsafe-path" in codes(inspect(pack(*entries)))


@pytest.mark.parametrize(
    "entries",
    [
        [ONE, ONE],
        [("a", b"1"), ("./a", b"2")],
        [("d/a", b"1"), ("d//a", b"2")],
        [("a", b"1"), link("a", "b")],
        [("d/a", b"1"), link("d", ".")],
    ],
)
def test_the_same_name_twice(entries):
    assert "duplicate-member" in codes(inspect(pack(*entries)))


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "a named pipe"),
        (tarfile.CONTTYPE, "a member of type b'7'"),
        (b"V", "a member of type b'V'"),
    ],
)
def test_a_member_that_is_no_file(kind, what):
    report = inspect(pack(info("x", type=kind)))
    assert codes(report) == {"special-member"}
    assert what in report.findings[0].message


def test_a_sparse_file():
    header = bytearray(info("x", size=0).tobuf(tarfile.GNU_FORMAT)[:512])
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[483:495] = b"77777777777\0"  # its size, expanded
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    report = inspect(compress(bytes(header) + bytes(1024)))
    assert codes(report) == {"special-member"}
    assert "sparse" in report.findings[0].message


def test_a_bomb_by_ratio():
    limits = Limits(ratio_floor=1_000_000, max_ratio=50)
    assert codes(inspect(pack(("zeros", bytes(5_000_000))), limits)) == {"bomb-ratio"}


def test_a_bomb_by_total():
    assert codes(inspect(GOOD, Limits(max_unpacked_size=10_000))) == {"bomb-size"}


def test_a_bomb_by_count():
    files = [(f"{number}.txt", b"") for number in range(11)]
    assert codes(inspect(pack(*files), Limits(max_members=10))) == {"bomb-count"}
    assert not inspect(pack(*files), Limits(max_members=11)).findings


def test_a_bomb_in_a_header():
    name = info("long", type=tarfile.GNUTYPE_LONGNAME, size=5_000_000).tobuf(tarfile.GNU_FORMAT)
    assert codes(inspect(compress(name + bytes(5_001_216)))) == {"tar-header"}


@pytest.mark.parametrize("length", [0, 1, 5, 11, 200, len(GOOD) - 9, len(GOOD) - 5, len(GOOD) - 1])
def test_an_archive_cut_short(length):
    report = inspect(GOOD[:length])
    assert report.refused
    assert codes(report) <= {"empty", "not-gzip", "gzip-truncated", "gzip-corrupt"}


@pytest.mark.parametrize("position", [60, len(GOOD) // 2, len(GOOD) - 6, len(GOOD) - 2])
def test_a_damaged_archive(position):
    damaged = bytearray(GOOD)
    damaged[position] ^= 0x55
    report = inspect(bytes(damaged))
    assert report.refused
    assert report.sha256 == hashlib.sha256(damaged).hexdigest()
    assert report.size == len(GOOD)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (b"\0" * 600, "gzip-trailing"),
        (b"junk", "gzip-trailing"),
        (compress(b""), "gzip-members"),
        (pack(("b.txt", b"two")), "gzip-members"),
    ],
)
def test_something_behind_the_gzip_stream(more, code):
    assert codes(inspect(GOOD + more)) == {code}


@pytest.mark.parametrize("data", [b"PK\x03\x04" + bytes(100), b"BZh9" + bytes(100), tar(ONE), b"{}"])
def test_something_other_than_gzip(data):
    assert codes(inspect(data)) == {"not-gzip"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"no tar at all", "tar-corrupt"),
        (b"x" * 2048, "tar-corrupt"),
        (b"", "tar-corrupt"),
        (bytes(10240), "empty"),
        (tar(ONE)[:512], "tar-truncated"),
        (tar(("a", bytes(2000)))[:1500], "tar-truncated"),
        (tar(ONE)[:1024], "tar-truncated"),
        (tar(ONE)[:1200], "tar-truncated"),
        (tar(ONE)[:1024] + b"z" * 512 + bytes(1024), "tar-corrupt"),
        (tar(ONE) + tar(("b", b"hidden from most readers")), "tar-trailing"),
    ],
)
def test_a_damaged_tar_in_a_sound_gzip(content, code):
    assert codes(inspect(compress(content))) == {code}


def test_no_inference_code_for_a_script_mode_container():
    report = inspect(pack(("model.joblib", b""), ("inference.py", b"")), script_mode=True)
    assert "no-inference-code" in codes(report)
    assert "code/inference.py" in next(f.message for f in report.findings if f.code == "no-inference-code")
    assert not inspect(pack(CODE), script_mode=True).findings
    assert not inspect(pack(("./code/inference.py", b"")), script_mode=True).findings
    directory = info("code/inference.py", type=tarfile.DIRTYPE)
    assert "no-inference-code" in codes(inspect(pack(directory), script_mode=True))


def test_another_checksum():
    report = inspect(GOOD, expected_sha256="0" * 64)
    assert codes(report) == {"checksum"}
    assert hashlib.sha256(GOOD).hexdigest() in report.findings[0].message
    assert not inspect(GOOD, expected_sha256=hashlib.sha256(GOOD).hexdigest().upper()).findings


def test_every_refusal_names_what_was_found():
    report = inspect(pack(("../x", b""), link("l", "/y"), info("fifo", type=tarfile.FIFOTYPE)))
    assert [finding.member for finding in report.findings] == ["../x", "l", "fifo"]
    assert all(finding.severity == "refuse" and "expected" in finding.message for finding in report.findings)


def test_an_unreadable_source_is_not_a_finding():
    def broken():
        yield GOOD[:100]
        raise ConnectionResetError("the download broke off")

    with pytest.raises(ConnectionResetError, match="broke off"):
        inspect_archive(broken(), script_mode=False)


def test_the_archive_is_read_to_its_end_whatever_is_found():
    data = pack(("zeros", bytes(300_000))) + b"trailing" * 1000
    report = inspect(data, Limits(max_unpacked_size=1000))
    assert (report.size, report.sha256) == (len(data), hashlib.sha256(data).hexdigest())

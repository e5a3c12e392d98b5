"""Members that would land, lead or be somewhere or something else than they seem."""

import tarfile
from typing import Any

from tests.artifacts.archives import Entry, info, link, pack, tar
from tests.artifacts.hostile.base import Hostile, compress


def _header(
    name: str, *, size: bytes | None = None, layout: int = tarfile.USTAR_FORMAT, **attributes: Any
) -> bytes:
    """One header block, with a size field as it should not be, and a checksum that is right."""
    block = bytearray(info(name, **attributes).tobuf(layout)[-512:])
    if size is not None:
        block[124:136] = size
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _pax(kind: bytes, **records: str) -> bytes:
    body = b""
    for key, value in records.items():
        text = f" {key.replace('__', '.')}={value}\n".encode("utf-8", "surrogateescape")
        length = len(text)
        while len(str(length)) + len(text) != length:
            length = len(str(length)) + len(text)
        body += str(length).encode() + text
    padded = body + bytes(-len(body) % 512)
    return _header("pax", size=b"%011o\0" % len(body), type=kind) + padded


def _tars(*blocks: bytes) -> bytes:
    return compress(b"".join(blocks) + bytes(1024))


_X, _G = tarfile.XHDTYPE, tarfile.XGLTYPE
_ONE = ("a.txt", b"one")


def _refused(code: str, words: str, *entries: Entry, **options: Any) -> Hostile:
    return Hostile(pack(*entries, **options), code, words)


PATHS = {
    "absolute path": _refused("unsafe-path", "an absolute path", ("/etc/cron.d/x", b"x")),
    "absolute path by two slashes": _refused("unsafe-path", "an absolute path", ("//etc/x", b"x")),
    "parent directory": _refused("unsafe-path", "`..` in it", ("../x", b"x")),
    "parent directory in the middle": _refused("unsafe-path", "`..` in it", ("a/../../x", b"x")),
    "parent directory that stays inside": _refused("unsafe-path", "`..` in it", ("a/../b", b"x")),
    "parent directory behind a dot": _refused("unsafe-path", "`..` in it", ("./.././x", b"x")),
    "parent directory at the end": _refused("unsafe-path", "`..` in it", info("a/..", type=tarfile.DIRTYPE)),
    "parent directory by backslashes": _refused("unsafe-path", "`..` in it", ("..\\x", b"x")),
    "backslashes alone": _refused("unsafe-path", "backslashes", ("a\\b", b"x")),
    "drive letter": _refused("unsafe-path", "a drive letter", ("C:\\x", b"x")),
    "drive letter without a slash": _refused("unsafe-path", "a drive letter", ("c:x", b"x")),
    "share of a network": _refused("unsafe-path", "an absolute path", ("\\\\host\\share", b"x")),
    "line break in a name": _refused("unsafe-path", "control characters", ("a\nb", b"x")),
    "escape sequence in a name": _refused("unsafe-path", "control characters", ("\x1b[2Jx", b"x")),
    "name that is not UTF-8": _refused(
        "unsafe-path", "not UTF-8", ("\udcff\udcfe", b"x"), layout=tarfile.GNU_FORMAT
    ),
    "parent directory in a GNU long name": _refused(
        "unsafe-path", "`..` in it", ("d" * 120 + "/../../x", b"x"), layout=tarfile.GNU_FORMAT
    ),
    "parent directory in a PAX path": Hostile(
        _tars(_pax(_X, path="../../x"), _header("harmless")), "unsafe-path", "`..` in it"
    ),
    "parent directory in a global PAX path": Hostile(
        _tars(_pax(_G, path="../../x"), _header("harmless")), "unsafe-path", "`..` in it"
    ),
    "parent directory in the prefix": Hostile(_tars(_header("../" * 45 + "x")), "unsafe-path", "`..` in it"),
    "empty name": Hostile(_tars(_header("")), "unsafe-path", "an empty name"),
    "name that ends as a directory's": _refused("unsafe-path", "directory's name", link("d/", "e")),
}

LINKS = {
    "symlink to an absolute path": _refused("unsafe-link", "an absolute path", link("l", "/etc/passwd")),
    "symlink that climbs": _refused("unsafe-link", "climbs out", link("a/l", "../../x")),
    "symlink that descends and climbs": _refused(
        "unsafe-link", "after descending", link("a/l", "b/../../../x")
    ),
    # CVE-2025-4330, CVE-2025-4517: each stays inside, the second climbs from where the first has led.
    "symlink through a symlink": _refused(
        "unsafe-link", "after descending", link("d/e/up", "../.."), link("d/e/out", "up/../x")
    ),
    "symlink by backslashes": _refused("unsafe-link", "`..` in it", link("l", "..\\x")),
    "symlink in a PAX linkpath": Hostile(
        _tars(_pax(_X, linkpath="/etc/passwd"), _header("l", type=tarfile.SYMTYPE, linkname="a")),
        "unsafe-link",
        "an absolute path",
    ),
    "hard link to an absolute path": _refused(
        "unsafe-link", "an absolute path", link("h", "/etc/passwd", hard=True)
    ),
    "hard link that climbs": _refused("unsafe-link", "`..` in it", link("h", "../x", hard=True)),
    "hard link to what is not there": _refused(
        "unsafe-link", "no file that came before", link("h", "x", hard=True)
    ),
    "hard link to a symlink": _refused(
        "unsafe-link", "no file that came before", _ONE, link("s", "a.txt"), link("h", "s", hard=True)
    ),
    "file through a symlink": _refused("unsafe-path", "written through", link("d", "."), ("d/x", b"x")),
    "file through a file": _refused("unsafe-path", "written through", ("d", b""), ("d/x", b"x")),
    "file over a file": _refused("duplicate-member", "came before", _ONE, _ONE),
    "file over a file by another spelling": _refused(
        "duplicate-member", "came before", _ONE, ("./a.txt", b"2")
    ),
    "symlink over a directory": _refused("duplicate-member", "came before", ("d/a", b""), link("d", ".")),
}


def _sparse_of_gnu() -> bytes:
    header = bytearray(_header("x"))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[483:495] = b"77777777777\0"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return _tars(bytes(header))


def _of_type(kind: bytes) -> bytes:
    return pack(info("x", type=kind))


_SPARSE_0_1 = {"GNU__sparse__major": "0", "GNU__sparse__map": "0,0", "GNU__sparse__size": str(10**15)}
_SPARSE_1_0 = {
    "GNU__sparse__major": "1",
    "GNU__sparse__minor": "0",
    "GNU__sparse__name": "../../x",
    "GNU__sparse__realsize": str(10**15),
}
MEMBERS = {
    "character device": Hostile(_of_type(tarfile.CHRTYPE), "special-member", "a device"),
    "block device": Hostile(_of_type(tarfile.BLKTYPE), "special-member", "a device"),
    "named pipe": Hostile(_of_type(tarfile.FIFOTYPE), "special-member", "a named pipe"),
    "contiguous file": Hostile(_of_type(tarfile.CONTTYPE), "special-member", "a member of type"),
    "volume header": Hostile(_of_type(b"V"), "special-member", "a member of type"),
    "continued file": Hostile(_of_type(b"M"), "special-member", "a member of type"),
    "sparse file of GNU": Hostile(_sparse_of_gnu(), "special-member", "sparse"),
    "sparse file by PAX 0.1": Hostile(
        _tars(_pax(_X, **_SPARSE_0_1), _header("x")), "special-member", "sparse"
    ),
    "sparse file by PAX 1.0": Hostile(
        _tars(_pax(_X, **_SPARSE_1_0), _header("x", size=b"%011o\0" % 512), b"0\n".ljust(512, b"\0")),
        "special-member",
        "sparse",
    ),
    # CVE-2025-62518: to some readers what follows is data, to others members.
    "size that PAX says otherwise": Hostile(
        _tars(_pax(_X, size="1024"), _header("x", size=b"%011o\0" % 0), tar(_ONE)[:1024]),
        "tar-header",
        "by the extended one",
    ),
    "PAX size of nothing before data": Hostile(
        _tars(_pax(_X, size="0"), _header("x", size=b"%011o\0" % 1024), tar(_ONE)[:1024]),
        "tar-header",
        "by the extended one",
    ),
    "symlink with data": Hostile(
        _tars(_header("l", type=tarfile.SYMTYPE, linkname="a", size=b"%011o\0" % 1024), tar(_ONE)[:1024]),
        "tar-header",
        "where a link or a directory has none",
    ),
    "directory with data": Hostile(
        _tars(_header("d", type=tarfile.DIRTYPE, size=b"%011o\0" % 1024), tar(_ONE)[:1024]),
        "tar-header",
        "where a link or a directory has none",
    ),
    # CVE-2025-8194: reading went back, and round and round.
    "negative size": Hostile(
        _tars(_header("x", size=b"\xff" * 11 + b"\x00")), "tar-header", "fewer than none"
    ),
    "size beyond all files": Hostile(
        _tars(_header("x", size=b"\x80" + b"\x7f" * 11)), "tar-truncated", "in the middle"
    ),
    "PAX size that is no number": Hostile(
        _tars(_pax(_X, size="x"), _header("x"), bytes(512)), "tar-header", "x by the extended one"
    ),
}

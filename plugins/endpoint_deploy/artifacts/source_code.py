"""A directory of source code, known by what is in it, and packed as SageMaker's toolkits unpack it."""

import gzip
import hashlib
import io
import tarfile
from pathlib import Path

from endpoint_deploy.core import naming
from endpoint_deploy.errors import SpecError

_MOST_BYTES = 100 * 1024**2  # code, and not a virtual environment or data by mistake


def source_files(folder: Path) -> list[Path]:
    """The files of a directory and below it, sorted; hidden files and Python's caches are left out.

    Raises SpecError where there is no such directory or nothing in it.
    """
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and path.suffix != ".pyc"
        and not any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(folder).parts)
    )
    if not found:
        raise SpecError(f"{folder}: found no files, expected a directory of source code")
    return found


def source_digest(folder: Path) -> str:
    """Hex sha256 of the paths and contents of `source_files`."""
    return naming.digest(
        [
            [path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()]
            for path in source_files(folder)
        ]
    )


def pack(folder: Path) -> bytes:
    """The `source_files` as a tar.gz: the same files make the same archive, wherever and whenever.

    Raises SpecError where there are none, or more than 100 MB.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in source_files(folder):
            member = tarfile.TarInfo(path.relative_to(folder).as_posix())
            member.size = path.stat().st_size
            member.mode = 0o755
            if tar.offset + member.size > _MOST_BYTES:
                raise SpecError(f"{folder}: found more than {_MOST_BYTES} bytes, expected a script's code")
            with path.open("rb") as content:
                tar.addfile(member, content)
    return gzip.compress(buffer.getvalue(), mtime=0)

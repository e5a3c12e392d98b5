"""An archive of weights to be measured on: float32 that compresses by two fifths, as trained ones do."""

import io
import tarfile
from pathlib import Path

import numpy as np
from isal import igzip

MIB = 1024**2
_SHARD = 128 * MIB
_SMALL = 200
_SCRIPT = b"def model_fn(model_dir): ...\n"
_BLOCK = 32 * MIB
_LEVEL = 1


def write_archive(path: Path, size: int) -> None:
    """Write a `model.tar.gz` of at least `size` bytes, and at most a shard more, with NumPy's own files."""
    weights = _weights()
    with (
        path.open("wb") as raw,
        igzip.open(raw, "wb", compresslevel=_LEVEL) as packed,
        tarfile.open(fileobj=packed, mode="w|", bufsize=MIB) as tar,  # type: ignore[call-overload]
    ):
        _add(tar, "code/inference.py", _SCRIPT)
        for number in range(_SMALL):
            _add(tar, f"vocabulary/{number:03}.json", b'{"token": %d}' % number)
        number = 0
        while (missing := size - raw.tell()) > 0:
            _add(tar, f"weights-{number:04}.npy", _shard(weights, min(_SHARD, missing)))
            number += 1


def _weights() -> bytes:
    """Float32 of 12 significant bits: what float16 training leaves, kept as float32."""
    values = np.random.default_rng(0).normal(0, 0.02, _BLOCK // 4).astype(np.float32)
    return (values.view(np.uint32) & np.uint32(0xFFFFF000)).tobytes()


def _shard(weights: bytes, size: int) -> bytes:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (size // 4,)}
    )
    content = (weights * (size // len(weights) + 1))[: size // 4 * 4]
    return header.getvalue() + content


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))

"""Archives built in memory, good and bad."""

import gzip
import io
import os
import pickle
import tarfile
import zipfile
from collections.abc import Iterable
from typing import Any

import joblib
import numpy as np

from endpoint_deploy.artifacts import ArtifactReport, Limits, inspect_archive

CODE = ("code/inference.py", b"def model_fn(model_dir):\n    return None\n")
Entry = tuple[str, bytes] | tarfile.TarInfo


class Evil:
    """Runs a command when it is unpickled."""

    def __reduce__(self):
        return os.system, ("true",)


class Calls:
    """Pickles as a call of anything with anything."""

    def __init__(self, callee: Any, *arguments: Any) -> None:
        self.call = callee, arguments

    def __reduce__(self):
        return self.call


def tar(*entries: Entry, layout: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=layout) as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry, io.BytesIO(bytes(entry.size)) if entry.isreg() else None)
            else:
                archive.addfile(info(entry[0], size=len(entry[1])), io.BytesIO(entry[1]))
    return out.getvalue()


def pack(*entries: Entry, **options: Any) -> bytes:
    return gzip.compress(tar(*entries, **options), mtime=0)


def info(name: str, **attributes: Any) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.mode = 0o644
    for attribute, value in attributes.items():
        setattr(member, attribute, value)
    return member


def link(name: str, target: str, *, hard: bool = False) -> tarfile.TarInfo:
    return info(name, type=tarfile.LNKTYPE if hard else tarfile.SYMTYPE, linkname=target)


def dumped(value: Any, **options: Any) -> bytes:
    out = io.BytesIO()
    joblib.dump(value, out, **options)
    return out.getvalue()


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def checkpoint(payload: object) -> bytes:
    """A zip laid out as `torch.save` lays out its own."""
    return zipped(
        **{"model/data.pkl": pickle.dumps(payload, 2), "model/version": b"3\n", "model/data/0": bytes(64)}
    )


def pieces(data: bytes, size: int = 1000) -> Iterable[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def inspect(data: bytes, limits: Limits | None = None, **options: Any) -> ArtifactReport:
    return inspect_archive(pieces(data), limits=limits, **{"script_mode": False, **options})


def codes(report: ArtifactReport) -> set[str]:
    return {finding.code for finding in report.findings}

"""One pass over an archive in S3, in a process of its own: `python -m benchmarks.validation_readers WHO URL`.

Prints a JSON object: seconds from the request to the answer, peak resident memory in MiB, the sha256, and how
many members there were. Clients are made and libraries imported before the clock starts.
"""

import hashlib
import io
import json
import queue
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from local_stack.airflow_env import REGION

MIB = 1024**2
BUCKET, KEY = "models", "model.tar.gz"
BLOCK = 512
Pass = Callable[[], tuple[str, int]]


def ours(url: str) -> Pass:
    """The product's."""
    from endpoint_deploy.artifacts.s3 import inspect_object  # noqa: PLC0415 - the others import none of it
    from local_stack.sagemaker import make_client  # noqa: PLC0415 - as above

    client = make_client(url, "s3")

    def once() -> tuple[str, int]:
        report, _ = inspect_object(client, f"s3://{BUCKET}/{KEY}", region=REGION, script_mode=True)
        if report.findings:
            raise RuntimeError(f"the archive is a good one, found {report.findings}")
        return report.sha256, len(report.members)

    return once


def stdlib(url: str) -> Pass:
    """`tarfile` and `hashlib` over boto3's GetObject."""
    from local_stack.sagemaker import make_client  # noqa: PLC0415 - as above

    client = make_client(url, "s3")

    def once() -> tuple[str, int]:
        body = client.get_object(Bucket=BUCKET, Key=KEY)["Body"]
        digest = hashlib.sha256()

        class Hashing(io.RawIOBase):
            def read(self, size: int = -1) -> bytes:  # type: ignore[override]
                data: bytes = body.read(size)
                digest.update(data)
                return data

        hashing = Hashing()
        with tarfile.open(fileobj=hashing, mode="r|gz", bufsize=MIB) as tar:
            members = sum(1 for _ in tar)
        while hashing.read(MIB):
            pass
        return digest.hexdigest(), members

    return once


def fastest(url: str) -> Pass:
    """obstore, ISA-L and a bare walk, each in its thread; refuses nothing."""
    from isal import igzip_lib  # noqa: PLC0415 - as above
    from obstore.store import S3Store  # type: ignore[import-not-found]  # noqa: PLC0415 - no dependency

    keys = {"access_key_id": "local", "secret_access_key": "local"}
    store = S3Store(BUCKET, endpoint=url, region=REGION, client_options={"allow_http": True}, **keys)

    def once() -> tuple[str, int]:
        digest = hashlib.sha256()

        def hashed() -> Iterator[Any]:
            for chunk in store.get(KEY).stream(min_chunk_size=MIB):
                digest.update(chunk)
                yield chunk

        def inflated(chunks: Iterable[Any]) -> Iterator[bytes]:
            inflater = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
            for chunk in chunks:
                data = inflater.decompress(bytes(chunk), MIB)
                yield data
                while not inflater.eof and not inflater.needs_input:
                    yield inflater.decompress(b"", MIB)

        members = _bare_walk(_in_a_thread(inflated(_in_a_thread(hashed()))))
        return digest.hexdigest(), members

    return once


def _in_a_thread(chunks: Iterable[Any]) -> Iterator[Any]:
    ready: queue.Queue[Any] = queue.Queue(4)

    def fetch() -> None:
        try:
            for chunk in chunks:
                ready.put(chunk)
        finally:
            ready.put(None)

    threading.Thread(target=fetch, daemon=True).start()
    return iter(ready.get, None)


def _bare_walk(chunks: Iterator[bytes]) -> int:
    """Count members by their headers; knows plain ones only, and takes each header for a good one."""
    members, skip, header = 0, 0, b""
    for chunk in chunks:
        at = 0
        while at < len(chunk):
            if skip:
                step = min(skip, len(chunk) - at)
                skip -= step
            else:
                step = min(BLOCK - len(header), len(chunk) - at)
                header += chunk[at : at + step]
                if len(header) == BLOCK:
                    if header[0]:
                        members += 1
                        skip = -(-int(header[124:135], 8) // BLOCK) * BLOCK
                    header = b""
            at += step
    return members


def main(who: str, url: str) -> None:
    """Measure one pass."""
    once = {"ours": ours, "stdlib": stdlib, "fastest": fastest}[who](url)
    began = time.perf_counter()
    sha256, members = once()
    seconds = time.perf_counter() - began
    said = {"seconds": seconds, "peak_mib": _peak_mib(), "sha256": sha256, "members": members}
    print(json.dumps(said))


def _peak_mib() -> float:
    """Of this program: `ru_maxrss` would count the parent's pages from before the exec."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""S3 as fast as loopback goes: `python -m benchmarks.validation_s3 FILE` serves one object to all that ask.

It prints its address. The kernel sends the file (`sendfile`), so that next to nothing is spent here.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

from local_stack.airflow_env import REGION


class _Server(ThreadingHTTPServer):
    archive: Path


class _Object(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        """HeadBucket and HeadObject."""
        self._head()

    def do_GET(self) -> None:
        """GetObject."""
        self._head()
        with cast("_Server", self.server).archive.open("rb") as file:
            self.connection.sendfile(file)

    def _head(self) -> None:
        self.send_response(200)
        size = cast("_Server", self.server).archive.stat().st_size
        self.send_header("Content-Length", str(size))
        self.send_header("ETag", '"0123456789abcdef"')
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.send_header("x-amz-bucket-region", REGION)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    server = _Server(("127.0.0.1", 0), _Object)
    server.archive = Path(sys.argv[1])
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()

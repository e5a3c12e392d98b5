"""Runs moto's server in a process of its own, for every AWS service this package does not serve itself.

Prints its port on one line and ends when its standard input does, so that it never outlives the server.
A line on its standard input says what versions of S3 objects are to be called; see `identify`.
"""

import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import Any

from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

_ACCOUNT = "123456789012"


def main() -> None:
    """Serve on a free loopback port until standard input closes."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # one line a request is noise here
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    for line in sys.stdin.buffer:
        for version in json.loads(line):
            identify(version)
        print("done", flush=True)
    os._exit(0)


def identify(known: dict[str, Any]) -> None:
    """Give a version its id, ETag, time of change and composite checksum, none of which a client can.

    `known` has `bucket`, `key`, the version id it was `made` under, and what it is to have: `id`,
    `modified` (seconds since the epoch), `etag` and `checksum` (None for a delete marker).
    """
    bucket = s3_backends[_ACCOUNT]["aws"].get_bucket(known["bucket"])
    for version in bucket.keys.getlist(known["key"], []):
        if version.version_id != known["made"]:
            continue
        version._version_id = known["id"]
        version.last_modified = datetime.fromtimestamp(known["modified"], UTC).replace(tzinfo=None)
        if known["etag"]:
            version._etag = known["etag"]
        if known["checksum"]:
            version.checksum_algorithm = known["checksum"]["algorithm"]
            version.checksum_value = known["checksum"]["value"]
            version.checksum_parts = known["checksum"]["parts"]
            version.checksum_type = "COMPOSITE"
        return


if __name__ == "__main__":
    main()

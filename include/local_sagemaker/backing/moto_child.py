"""Runs moto's server in a process of its own, for every AWS service this package does not serve itself.

Prints its port on one line and ends when its standard input does, so that it never outlives the server.
"""

import logging
import os
import sys

from moto.server import ThreadedMotoServer


def main() -> None:
    """Serve on a free loopback port until standard input closes."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # one line a request is noise here
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()

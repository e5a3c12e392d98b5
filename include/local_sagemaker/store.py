"""The state that outlives the process: small JSON documents in one SQLite file."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Document = dict[str, Any]


class Store:
    """Documents by kind and key; a write is on disk, as a whole, when the call returns.

    WAL with `synchronous=NORMAL` loses nothing when the process is killed, which is what the server
    promises; it does not promise to survive a power cut.
    """

    def __init__(self, path: Path) -> None:
        # Autocommit: each statement is its own transaction.
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS document"
            " (kind TEXT, key TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID"
        )

    def get(self, kind: str, key: str) -> Document | None:
        """The document, or None."""
        row = self._db.execute("SELECT body FROM document WHERE kind = ? AND key = ?", (kind, key)).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, kind: str, key: str, document: Mapping[str, Any]) -> None:
        """Create or replace the document."""
        body = json.dumps(document, separators=(",", ":"))
        self._db.execute("INSERT OR REPLACE INTO document VALUES (?, ?, ?)", (kind, key, body))

    def delete(self, kind: str, key: str) -> None:
        """Remove the document, if it is there."""
        self._db.execute("DELETE FROM document WHERE kind = ? AND key = ?", (kind, key))

    def keys(self, kind: str, prefix: str) -> list[str]:
        """The keys of a kind that begin with `prefix`, in their order (that of their bytes)."""
        rows = self._db.execute(
            "SELECT key FROM document WHERE kind = ? AND key >= ? AND key < ? ORDER BY key",
            (kind, prefix, f"{prefix}\U0010ffff"),
        )
        return [key for (key,) in rows.fetchall()]

    def all(self, kind: str) -> Iterator[tuple[str, Document]]:
        """Every document of a kind with its key, in the order of the keys."""
        rows = self._db.execute("SELECT key, body FROM document WHERE kind = ? ORDER BY key", (kind,))
        for key, body in rows.fetchall():
            yield key, json.loads(body)

    def close(self) -> None:
        """Fold the write-ahead log into the file and let go of it."""
        self._db.close()

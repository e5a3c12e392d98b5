"""Databases of a PostgreSQL server: made where they are not there, and able to hold any text."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg2
from psycopg2.sql import SQL, Identifier

_SECONDS: Final = 5
_SERVERS_OWN: Final = frozenset({"", "postgres", "template0", "template1"})
_MAKE: Final = SQL("create database {} encoding 'UTF8' locale 'C' template template0")
_DROP: Final = SQL("drop database if exists {} with (force)")


class DatabaseError(RuntimeError):
    """A database cannot be used: says why."""


def create_database(url: str) -> bool:
    """Make the database that an address names; False where there is one already. Raises `DatabaseError`."""
    with _server(url) as (cursor, name):
        if _encoding(cursor, name) is not None:
            return False
        cursor.execute(_MAKE.format(Identifier(name)))
        return True


def drop_database(url: str) -> None:
    """Delete the database that an address names, whoever uses it; raises `DatabaseError`."""
    with _server(url) as (cursor, name):
        cursor.execute(_DROP.format(Identifier(name)))


def ensure_utf8(url: str) -> None:
    """Make an empty database anew whose encoding is another: a server's locale decided on it.

    Airflow keeps DAGs as JSON, of which PostgreSQL refuses any letter beyond ASCII under another encoding.
    Raises `DatabaseError` where the database is in use.
    """
    with _server(url) as (cursor, name):
        found = _encoding(cursor, name)
        if found in {"UTF8", None}:
            return
    with closing(psycopg2.connect(url, connect_timeout=_SECONDS)) as connection:
        within = connection.cursor()
        within.execute("select count(*) from pg_tables where schemaname = 'public'")
        if within.fetchone() != (0,):
            raise DatabaseError(f"found the database {name!r} in use with encoding {found}, expected UTF8")
    with _server(url) as (cursor, name):
        cursor.execute(_DROP.format(Identifier(name)))
        cursor.execute(_MAKE.format(Identifier(name)))


def _encoding(cursor: Any, name: str) -> str | None:
    """The encoding of a database, or None where there is no such."""
    cursor.execute("select pg_encoding_to_char(encoding) from pg_database where datname = %s", [name])
    found = cursor.fetchone()
    return None if found is None else str(found[0])


@contextmanager
def _server(url: str) -> Iterator[tuple[Any, str]]:
    """A cursor of the server's own database, and the name of the one that the address means."""
    parts = urlsplit(url)
    name = parts.path.removeprefix("/")
    if name in _SERVERS_OWN:
        raise DatabaseError(f"found the database {name!r}, expected one that is not the server's own")
    try:
        connection = psycopg2.connect(parts._replace(path="/postgres").geturl(), connect_timeout=_SECONDS)
    except psycopg2.OperationalError as error:
        raise DatabaseError(f"PostgreSQL does not answer: {error}") from None
    with closing(connection):
        connection.autocommit = True
        yield connection.cursor(), name

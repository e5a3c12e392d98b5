"""The PostgreSQL and the Redis that the distributed set-up runs on: a database in each, for it alone.

Both belong to the machine: they are neither started nor stopped, and nothing in them is touched but what was
made for this state directory.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import redis
from pydantic import BaseModel, ConfigDict

from local_stack.database import DatabaseError, create_database, drop_database
from local_stack.secret_store import write_private

_POSTGRES: Final = "postgresql://postgres@127.0.0.1:5432"
_REDIS: Final = "redis://127.0.0.1:6379"
_OWNER: Final = "endpoint-deploy:state-directory"  # a key in a database of Redis: whose it is
_NUMBERS: Final = range(1, 16)  # of Redis's databases; 0 is everybody's
_SECONDS: Final = 5


class BackingError(RuntimeError):
    """PostgreSQL or Redis cannot be used: says which, and what to do."""


class Backing(BaseModel):
    """Which databases a state directory has; kept there, so that the next start finds what is in them."""

    model_config = ConfigDict(frozen=True)

    database_url: str
    redis_url: str
    created: bool
    """Whether the database was made for this directory: another one is never dropped."""


def ensure_backing(state_dir: Path, environment: Mapping[str, str]) -> Backing:
    """The databases of a state directory, made where they are not there; raises `BackingError`.

    `DATABASE_URL` and `REDIS_URL` say where: by default the servers at 127.0.0.1, a database named after the
    directory, and the first of Redis's databases that is empty.
    """
    known = known_backing(state_dir)
    name = f"endpoint_deploy_{hashlib.sha256(str(state_dir).encode()).hexdigest()[:12]}"
    database_url = environment.get("DATABASE_URL") or (known.database_url if known else f"{_POSTGRES}/{name}")
    redis_url = _claim(
        environment.get("REDIS_URL") or (known.redis_url if known else _REDIS), owner=str(state_dir)
    )
    with _asked():
        created = create_database(database_url)
    kept = known is not None and known.database_url == database_url and known.created
    backing = Backing(database_url=database_url, redis_url=redis_url, created=created or kept)
    state_dir.mkdir(parents=True, exist_ok=True)
    write_private(_file(state_dir), backing.model_dump_json())
    return backing


def known_backing(state_dir: Path) -> Backing | None:
    """The databases of a state directory, or None where it has none."""
    try:
        return Backing.model_validate_json(_file(state_dir).read_text())
    except FileNotFoundError:
        return None


def remove_backing(state_dir: Path) -> None:
    """Delete what was made for a state directory, with all that is in it; raises `BackingError`."""
    backing = known_backing(state_dir)
    if backing is None:
        return
    with _broker(backing.redis_url) as client:
        if client.get(_OWNER) == str(state_dir):
            client.flushdb()
    if backing.created:
        with _asked():
            drop_database(backing.database_url)
    _file(state_dir).unlink()


def _file(state_dir: Path) -> Path:
    return state_dir / "backing.json"


@contextmanager
def _asked() -> Iterator[None]:
    """Say how PostgreSQL is named, where it cannot be used."""
    try:
        yield
    except DatabaseError as error:
        raise BackingError(f"{error}\nStart one, or say which by DATABASE_URL=postgresql://…") from None


@contextmanager
def _broker(url: str) -> Iterator["redis.Redis"]:
    try:
        with redis.Redis.from_url(url, decode_responses=True, socket_connect_timeout=_SECONDS) as client:
            client.ping()
            yield client
    except redis.RedisError as error:
        raise BackingError(
            f"Redis does not answer: {error}\nStart one, or say which by REDIS_URL=redis://…"
        ) from None


def _claim(url: str, owner: str) -> str:
    """The address of a database of Redis that is this owner's alone from now on."""
    asked = urlsplit(url).path.removeprefix("/")
    addresses = [url] if asked else [urlsplit(url)._replace(path=f"/{n}").geturl() for n in _NUMBERS]
    if mine := [each for each in addresses if _owner(each) == owner]:
        return mine[0]
    for address in addresses:
        with _broker(address) as client:
            # Whoever asks at the same time sets it or does not.
            if client.dbsize() == 0 and client.set(_OWNER, owner, nx=True):
                return address
    where = f"database {asked}" if asked else "each database"
    raise BackingError(f"REDIS_URL: found keys of something else in {where}, expected an empty one")


def _owner(url: str) -> str | None:
    with _broker(url) as client:
        found = client.get(_OWNER)
        return None if found is None else str(found)

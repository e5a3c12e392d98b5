"""Names from content: what is the same has the same name, what differs cannot collide."""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from endpoint_deploy.core.jobs import JobKind

_MAX_NAME = 63  # of a model, an endpoint configuration, an endpoint, a variant: the service's API model
_MAX_TUNING_NAME = 32
_NAME_DIGEST = 12
MOST_TRIES = 99  # jobs of the same content
_VARIANT_DIGEST = 8
_RELEASED_VARIANT = re.compile(rf"^(?P<declared>.+)-[0-9a-f]{{{_VARIANT_DIGEST}}}$")


def digest(content: Any) -> str:
    """Hex sha256 of JSON content, independent of key order."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def resource_name(base: str, content: Any, *, longest: int = _MAX_NAME) -> str:
    """`<base>-<digest>`, the base shortened where the service's 63 characters ask for it."""
    head = base[: longest - _NAME_DIGEST - 1].rstrip("-")
    # The digest covers the whole base, since two long ones may be the same once they are shortened.
    return f"{head}-{digest([base, content])[:_NAME_DIGEST]}"


def job_name(kind: JobKind, base: str, content: Any) -> str:
    """A job's name, with room for what `successive` adds. A tuning job's has at most 32 characters."""
    longest = _MAX_TUNING_NAME if kind == "tuning" else _MAX_NAME
    return resource_name(base, content, longest=longest - len(f"-{MOST_TRIES}"))


def successive(name: str) -> Iterator[str]:
    """The name, then `<name>-2`, `<name>-3`, …: a job's name is taken for ever, also by one that failed."""
    yield name
    for number in range(2, MOST_TRIES + 1):
        yield f"{name}-{number}"


def variant_name(declared: str, release_digest: str) -> str:
    """The declared name with its release, so that no metric or alarm mixes champion and candidate."""
    return f"{declared}-{release_digest[:_VARIANT_DIGEST]}"


def declared_name(variant: str) -> str:
    """The name as the spec has it, whether or not a release's digest was added."""
    match = _RELEASED_VARIANT.match(variant)
    return match["declared"] if match else variant


def run_key(dag_id: str, run_id: str) -> str:
    """Short and safe in a tag: which DAG run made a resource."""
    return digest([dag_id, run_id])[:16]


def artifact_key(sha256: str) -> str:
    """Where a store keeps the archive of this digest."""
    return f"artifacts/sha256/{sha256}/model.tar.gz"

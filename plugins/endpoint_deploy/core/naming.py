"""Names from content: what is the same has the same name, what differs cannot collide."""

import hashlib
import json
import re
from typing import Any

_MAX_NAME = 63  # of a model, an endpoint configuration, an endpoint, a variant: the service's API model
_NAME_DIGEST = 12
_VARIANT_DIGEST = 8
_RELEASED_VARIANT = re.compile(rf"^(?P<declared>.+)-[0-9a-f]{{{_VARIANT_DIGEST}}}$")


def digest(content: Any) -> str:
    """Hex sha256 of JSON content, independent of key order."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def resource_name(base: str, content: Any) -> str:
    """`<base>-<digest>`, the base shortened where the service's 63 characters ask for it."""
    head = base[: _MAX_NAME - _NAME_DIGEST - 1].rstrip("-")
    # The digest covers the whole base, since two long ones may be the same once they are shortened.
    return f"{head}-{digest([base, content])[:_NAME_DIGEST]}"


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

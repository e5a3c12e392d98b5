"""Runs moto's server in a process of its own, for every AWS service this package does not serve itself.

Prints its port on one line and ends when its standard input does, so that it never outlives the server.
Each line on its standard input asks for something that moto's API does not give, in JSON; a line on its
standard output answers (see ANSWERS). The names of moto's that begin with an underscore are used here
only; the tests notice when one is gone.
"""

import json
import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer
from moto.sns.models import sns_backends
from moto.sts.models import sts_backends

_ACCOUNT = "123456789012"
_TRIES = 5


def main() -> None:
    """Serve on a free loopback port until standard input closes."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # one line a request is noise here
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    for line in sys.stdin.buffer:
        [(question, argument)] = json.loads(line).items()
        print(json.dumps(_answered(ANSWERS[question], argument)), flush=True)
    os._exit(0)


def _answered(answer: Callable[[Any], Any], argument: Any) -> Any:
    """Again when a request changed what was being read."""
    for _ in range(_TRIES):
        try:
            return answer(argument)
        except RuntimeError:
            continue
    return answer(argument)


def identify(versions: list[dict[str, Any]]) -> None:
    """Give versions of objects their id, ETag, time of change and composite checksum.

    Each has `bucket`, `key`, the version id it was `made` under, and what it is to have: `id`,
    `modified` (seconds since the epoch), `etag` and `checksum` (None for a delete marker).
    """
    for known in versions:
        bucket = s3_backends[_ACCOUNT]["aws"].get_bucket(known["bucket"])
        for version in bucket.keys.getlist(known["key"], []):
            if version.version_id == known["made"]:
                _rename(version, known)
                break


def _rename(version: Any, known: dict[str, Any]) -> None:
    version._version_id = known["id"]
    version.last_modified = datetime.fromtimestamp(known["modified"], UTC).replace(tzinfo=None)
    if known["etag"]:
        version._etag = known["etag"]
    if known["checksum"]:
        version.checksum_algorithm = known["checksum"]["algorithm"]
        version.checksum_value = known["checksum"]["value"]
        version.checksum_parts = known["checksum"]["parts"]
        version.checksum_type = "COMPOSITE"


def holder(access_key: str) -> dict[str, Any] | None:
    """The user or the role's session behind an access key, with every policy that bears on it."""
    for user in list(iam_backends[_ACCOUNT]["aws"].users.values()):
        for key in user.access_keys:
            if key.access_key_id == access_key and key.status == "Active":
                return _user(user, key.secret_access_key)
    for session in list(sts_backends[_ACCOUNT]["aws"].assumed_roles):
        if session.access_key_id == access_key:
            return _session(session)
    return None


def access_key(known: dict[str, Any]) -> None:
    """Give an access key that was made again the id and secret it had."""
    for user in list(iam_backends[_ACCOUNT]["aws"].users.values()):
        for key in user.access_keys:
            if key.access_key_id == known["made"]:
                key.access_key_id, key.secret_access_key = known["known"]


def subscription(known: dict[str, Any]) -> None:
    """Give a subscription that was made again the ARN it had."""
    subscriptions = sns_backends[_ACCOUNT][known["region"]].subscriptions
    found = subscriptions.pop(known["made"], None)
    if found is not None:
        (found.arn,) = known["known"]
        subscriptions[found.arn] = found


def role(arn: str) -> dict[str, Any] | None:
    """A role's trust policy and what bears on its sessions."""
    found = _role(arn)
    return {"trust": found.assume_role_policy_document, **_of_role(found)} if found else None


def _user(user: Any, secret: str) -> dict[str, Any]:
    iam = iam_backends[_ACCOUNT]["aws"]
    policies = [policy["policy_document"] for policy in map(user.get_policy, user.policies)]
    policies += _managed(user.managed_policies)
    for group in iam.get_groups_for_user(user.name):
        policies += list(group.policies.values())
        policies += _managed(group.managed_policies)
    return {
        "arn": user.arn,
        "principal_arn": user.arn,
        "id": user.id,
        "user": user.name,
        "secret": secret,
        "token": None,
        "tags": _listed(iam.list_user_tags(user.name)),
        "policies": policies,
        "boundary": _boundary(user),
        "session": None,
    }


def _session(session: Any) -> dict[str, Any] | None:
    found = _role(session.role_arn)
    if found is None:
        return None
    name = f"{found.name}/{session.session_name}"
    return {
        "arn": f"arn:aws:sts::{_ACCOUNT}:assumed-role/{name}",
        "principal_arn": found.arn,
        "id": f"{found.id}:{session.session_name}",
        "user": None,
        "secret": session.secret_access_key,
        "token": session.session_token,
        **_of_role(found),
        "session": session.policy,
        "expires": session.expiration.replace(tzinfo=UTC).timestamp(),
    }


def _of_role(found: Any) -> dict[str, Any]:
    return {
        "tags": _listed(found.tags or []),
        "policies": [*found.policies.values(), *_managed(found.managed_policies)],
        "boundary": _boundary(found),
    }


def _role(arn: str) -> Any:
    roles = list(iam_backends[_ACCOUNT]["aws"].roles.values())
    return next((found for found in roles if found.arn == arn), None)


def _managed(attached: Any) -> list[str]:
    return [_current(policy) for policy in attached.values()]


def _current(policy: Any) -> str:
    versions = {version.version_id: version.document for version in policy.versions}
    return str(versions[policy.default_version_id])


def _boundary(entity: Any) -> str | None:
    arn = getattr(entity, "permissions_boundary_arn", None)  # moto keeps that of roles only
    policy = iam_backends[_ACCOUNT]["aws"].managed_policies.get(arn) if arn else None
    return _current(policy) if policy else None


def _listed(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


ANSWERS: dict[str, Callable[[Any], Any]] = {
    "identify": identify,
    "access_key": access_key,
    "subscription": subscription,
    "holder": holder,
    "role": role,
}

if __name__ == "__main__":
    main()

"""Who holds an access key, and what was granted to them: moto's IAM and STS are asked."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from local_sagemaker.api.caller import ROOT, Caller
from local_sagemaker.backing.moto import Moto
from local_sagemaker.iam.policies import Grants, Policy

ROOT_KEY = "local"  # the key and the secret of the account's root user, as the server prints them


@dataclass(frozen=True)
class Principal:
    """A user, a role's session, or root (whose `grants` is None: it may do everything)."""

    caller: Caller
    secret: str
    grants: Grants | None
    token: str | None = None
    expires: float | None = None  # seconds since the epoch, of a session
    context: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Role:
    """A role: who may assume it, and what it may do."""

    trust: Policy
    grants: Grants


class Principals:
    """Looks principals up, anew for every request: policies may have changed."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto

    async def holder(self, access_key: str) -> Principal | None:
        """Who holds the key, or None."""
        if access_key == ROOT_KEY:
            return Principal(ROOT, ROOT_KEY, None, context={"aws:PrincipalType": ["Account"]})
        found = await self._moto.ask({"holder": access_key})
        if found is None:
            return None
        context = {f"aws:PrincipalTag/{key}": [value] for key, value in found["tags"].items()}
        context["aws:PrincipalType"] = ["User" if found["user"] else "AssumedRole"]
        context["aws:PrincipalArn"] = [found["principal_arn"]]
        context["aws:userid"] = [found["id"]]
        if found["user"]:
            context["aws:username"] = [found["user"]]
        caller = Caller(found["arn"], found["id"])
        return Principal(
            caller, found["secret"], _grants(found), found["token"], found.get("expires"), context
        )

    async def role(self, arn: str) -> Role | None:
        """The role, or None."""
        found = await self._moto.ask({"role": arn})
        return Role(_document(found["trust"]), _grants(found)) if found else None


def _grants(found: dict[str, Any]) -> Grants:
    return Grants(
        policies=[_document(text) for text in found["policies"]],
        boundary=_document(found["boundary"]) if found["boundary"] else None,
        session=[_document(found["session"])] if found.get("session") else None,
    )


def _document(text: str) -> Policy:
    document: Policy = json.loads(unquote(text) if text.startswith("%7B") else text)
    return document

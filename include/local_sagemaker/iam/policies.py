"""Policies, and what they say of one action on one resource (IAM's guide, Policy evaluation logic)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from local_sagemaker.iam.conditions import Context, like, met, substituted

Policy = dict[str, Any]
Verdict = Literal["allow", "deny", "none"]


@dataclass(frozen=True)
class Need:
    """What a request needs to be allowed: an action on a resource, and the facts conditions look at."""

    action: str
    resource: str
    context: Context


@dataclass(frozen=True)
class Grants:
    """All that bounds a principal: what grants, and what limits what is granted (None: no limit)."""

    policies: Sequence[Policy]
    boundary: Policy | None = None
    session: Sequence[Policy] | None = None


def refusal(grants: Grants, need: Need) -> str | None:
    """Why the principal may not, in the words of the service's message; None when it may."""
    limits = {
        "identity-based policy": grants.policies,
        "permissions boundary": None if grants.boundary is None else [grants.boundary],
        "session policy": grants.session,
    }
    verdicts = {kind: verdict(policies, need) for kind, policies in limits.items() if policies is not None}
    for kind, found in verdicts.items():
        if found == "deny":
            article = "an" if kind[0] in "aeiou" else "a"
            return f"with an explicit deny in {article} {kind}"
    for kind, found in verdicts.items():
        if found != "allow":
            return f"because no {kind} allows the {need.action} action"
    return None


def verdict(policies: Iterable[Policy], need: Need, principal: str | None = None) -> Verdict:
    """What the policies say together; with a `principal`, those attached to a resource."""
    found: Verdict = "none"
    for policy in policies:
        for statement in _listed(policy.get("Statement", [])):
            if _applies(statement, need, principal):
                if statement["Effect"] == "Deny":
                    return "deny"
                found = "allow"
    return found


def _applies(statement: Policy, need: Need, principal: str | None) -> bool:
    if principal is not None and not _names(statement.get("Principal", {}), principal):
        return False
    context = {name.lower(): values for name, values in need.context.items()}
    action = need.action.lower()
    if not _chosen(statement, "Action", lambda pattern: like(action, pattern.lower())):
        return False
    about_resource = "Resource" in statement or "NotResource" in statement
    if about_resource and not _chosen(
        statement, "Resource", lambda pattern: like(need.resource, substituted(pattern, context))
    ):
        return False
    return met(statement.get("Condition", {}), need.context)


def _chosen(statement: Policy, element: str, fits: Any) -> bool:
    """Whether an element, or the `Not` form of it, chooses what is asked about."""
    if f"Not{element}" in statement:
        return not any(fits(pattern) for pattern in _listed(statement[f"Not{element}"]))
    return any(fits(pattern) for pattern in _listed(statement.get(element, [])))


def _names(principals: Any, principal: str) -> bool:
    """Whether a Principal element names a service, an ARN, or the account that the ARN is of."""
    if principals == "*":
        return True
    for named in (name for names in principals.values() for name in _listed(names)):
        if named in ("*", principal):
            return True
        if principal.startswith("arn:") and principal.split(":")[4] in (named, _account_of(named)):
            return True
    return False


def _account_of(named: str) -> str | None:
    return named.split(":")[4] if named.startswith("arn:") and named.endswith(":root") else None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

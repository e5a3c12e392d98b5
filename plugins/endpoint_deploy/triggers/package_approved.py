"""The trigger behind a package group's asset: whoever approves a package, a release starts."""

from datetime import datetime
from typing import Any

from endpoint_deploy.aws.claims import Claims
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.aws.registry import ModelRegistry
from endpoint_deploy.core.package import Package
from endpoint_deploy.triggers.watcher import News, Watcher


class PackageApprovedTrigger(Watcher):
    """Fires once for each approval in the group, of whichever version: for what was not approved a look ago.

    Of several given between two looks the last is announced. A package that is approved stays known, whatever
    is edited of it and whatever is rejected beside it; one that is found rejected and then approved again is
    approved anew. Where nothing is remembered yet, only the newest version is new. What a retraining approves
    itself, it announces itself. The event is `{"model_package": ARN}`. One ListModelPackages a look for every
    hundred approved packages, and a DescribeModelPackage for each that was not approved a look ago.
    """

    def __init__(self, *, group: str, endpoint: str, **settings: Any) -> None:
        super().__init__(**settings)
        self.group = group
        self.endpoint = endpoint
        self._approved: frozenset[str] | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class path is stored with the asset: moving this class breaks what is watched."""
        return (
            "endpoint_deploy.triggers.package_approved.PackageApprovedTrigger",
            {"group": self.group, "endpoint": self.endpoint, **self.settings()},
        )

    def look(self, hook: EndpointHook, remembered: Any) -> News | None:
        """Ask for the approved packages; news where they are others than they were."""
        registry = ModelRegistry(hook.sagemaker, self.group)
        approved = registry.approved()
        known = self._approved
        if known is None:
            # At the very first look: approved before anybody watched, and nobody knows in which order.
            known = frozenset((remembered or {}).get("approved", approved[1:]))
        claims = Claims(hook.s3, self.store, self.endpoint)
        fresh = [registry.describe(arn) for arn in approved if arn not in known]
        fresh = [each for each in fresh if each.status == "Approved" and not claims.covers(each.approval)]
        self._approved = frozenset(approved)
        if remembered is not None and remembered.get("approved") == sorted(approved):
            return None
        last = max(fresh, key=_when, default=None)
        return News(
            payload={"model_package": last.arn} if last else None, memory={"approved": sorted(approved)}
        )


def _when(package: Package) -> tuple[datetime, int]:
    return datetime.fromisoformat(package.modified), package.version

"""Waiting for endpoints: a handful is described one by one; many are found by ListEndpoints.

A list has a page of 100 endpoints, and only those that left every state in progress are described.
"""

import asyncio
from typing import TYPE_CHECKING, cast

from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.aws.polling import Poller
from endpoint_deploy.core.observed import IN_PROGRESS, ObservedEndpoint

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.literals import EndpointStatusType

_DESCRIBE_AT_MOST = len(IN_PROGRESS)  # beyond as many calls, listing by status is cheaper


class EndpointPoller(Poller[str, ObservedEndpoint | None]):
    """Waits for endpoints by name."""

    def __init__(self, conn_id: str, region: str) -> None:
        super().__init__(conn_id, region)
        # A list costs a call even where nothing is in that status: asked for are those found the last time.
        self._statuses = IN_PROGRESS

    async def look(self, keys: set[str]) -> None:
        """Describe the endpoints, or where they are many, those that no longer change."""
        names = set(keys)
        hook = await self.client()
        if len(names) > _DESCRIBE_AT_MOST:
            names = await self._settled(hook, names)
        for name in sorted(names):
            self.tell(name, await asyncio.to_thread(hook.find_endpoint, name))

    async def _settled(self, hook: EndpointHook, names: set[str]) -> set[str]:
        """Those of the names that are in no list of a status in progress, or few whose status is unknown."""
        listed = await asyncio.to_thread(self._listed, hook, self._statuses, names)
        left = names.difference(*listed.values())
        if len(left) > _DESCRIBE_AT_MOST and (others := IN_PROGRESS - self._statuses):
            listed |= await asyncio.to_thread(self._listed, hook, others, names)
            left = names.difference(*listed.values())
        self._statuses = frozenset(status for status, found in listed.items() if found) or IN_PROGRESS
        return left

    @staticmethod
    def _listed(hook: EndpointHook, statuses: frozenset[str], names: set[str]) -> dict[str, set[str]]:
        """Which of the names are in each of the statuses."""
        paginator = hook.sagemaker.get_paginator("list_endpoints")
        return {
            status: names.intersection(
                endpoint["EndpointName"]
                for page in paginator.paginate(
                    StatusEquals=cast("EndpointStatusType", status), PaginationConfig={"PageSize": 100}
                )
                for endpoint in page["Endpoints"]
            )
            for status in sorted(statuses)
        }

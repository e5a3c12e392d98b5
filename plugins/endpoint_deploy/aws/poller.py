"""Waiting for endpoints: a handful is described one by one; many are found by ListEndpoints.

A list has a page of 100 endpoints, and only those that left every state in progress are described.
"""

import asyncio

from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.aws.polling import Poller
from endpoint_deploy.core.observed import IN_PROGRESS, ObservedEndpoint

_DESCRIBE_AT_MOST = len(IN_PROGRESS)  # beyond as many calls, listing by status is cheaper


class EndpointPoller(Poller[str, ObservedEndpoint | None]):
    """Waits for endpoints by name."""

    async def look(self, keys: set[str]) -> None:
        """Describe the endpoints, or where they are many, those that no longer change."""
        names = set(keys)
        if len(names) > _DESCRIBE_AT_MOST:
            names -= await asyncio.to_thread(self._in_progress, await self.client())
        hook = await self.client()
        for name in sorted(names):
            self.tell(name, await asyncio.to_thread(hook.find_endpoint, name))

    @staticmethod
    def _in_progress(hook: EndpointHook) -> set[str]:
        paginator = hook.sagemaker.get_paginator("list_endpoints")
        return {
            endpoint["EndpointName"]
            for status in sorted(IN_PROGRESS)
            for page in paginator.paginate(StatusEquals=status, PaginationConfig={"PageSize": 100})
            for endpoint in page["Endpoints"]
        }

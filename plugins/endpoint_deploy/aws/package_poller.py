"""Waiting for what becomes of model packages."""

import asyncio

from endpoint_deploy.aws.polling import Poller
from endpoint_deploy.aws.registry import ModelRegistry
from endpoint_deploy.core.package import Package
from endpoint_deploy.errors import ReleaseFailed


class PackagePoller(Poller[str, Package]):
    """Describes each package that is waited for, by its ARN: there are only as many as open questions."""

    async def look(self, keys: set[str]) -> None:
        """Describe them one by one; a package that is gone ends its own wait only."""
        hook = await self.client()
        for arn in sorted(keys):
            registry = ModelRegistry(hook.sagemaker, arn.split("/")[1])
            try:
                self.tell(arn, await asyncio.to_thread(registry.describe, arn))
            except ReleaseFailed as error:
                self.fail(error, arn)

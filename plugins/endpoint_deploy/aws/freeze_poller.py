"""Looking at the freezes of the endpoints whose releases are held."""

import asyncio

from endpoint_deploy.aws.freezes import Freezes
from endpoint_deploy.aws.polling import Poller
from endpoint_deploy.core.standstill import Freeze


class FreezePoller(Poller[tuple[str, str], Freeze | None]):
    """Reads one object for each held release, by its store and endpoint."""

    async def look(self, keys: set[tuple[str, str]]) -> None:
        """Read them one by one."""
        hook = await self.client()
        for store, endpoint in sorted(keys):
            freezes = Freezes(hook.s3, store, endpoint)
            self.tell((store, endpoint), await asyncio.to_thread(freezes.read))

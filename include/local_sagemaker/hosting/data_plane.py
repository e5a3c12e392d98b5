"""Everything between a request to an endpoint and what comes of it, put together."""

from local_sagemaker.clock import Clock
from local_sagemaker.cloudwatch.endpoint_metrics import EndpointMetrics
from local_sagemaker.hosting.capture import Capture
from local_sagemaker.hosting.endpoints import Endpoints
from local_sagemaker.hosting.invoker import Invoker
from local_sagemaker.hosting.runtime import Runtime
from local_sagemaker.s3.objects import S3Objects
from local_sagemaker.settings import Settings


class DataPlane:
    """The runtime's API, and what works in the background for it."""

    def __init__(
        self, settings: Settings, clock: Clock, endpoints: Endpoints, metrics: EndpointMetrics, s3: S3Objects
    ) -> None:
        self._capture = Capture(s3, clock)
        self._invoker = Invoker(metrics, self._capture)
        self.runtime = Runtime(settings, endpoints, clock, self._invoker)

    def start(self) -> None:
        """Work from now on."""
        self._capture.start()

    async def stop(self) -> None:
        """Give up what nobody waits for, and write what was captured."""
        await self._invoker.close()
        await self._capture.stop()

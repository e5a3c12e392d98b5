"""Everything between a request to an endpoint and what comes of it, put together."""

from local_sagemaker.backing.moto import Moto
from local_sagemaker.clock import Clock
from local_sagemaker.cloudwatch.endpoint_metrics import EndpointMetrics
from local_sagemaker.hosting.async_inference import AsyncInference
from local_sagemaker.hosting.async_results import Results
from local_sagemaker.hosting.capture import Capture
from local_sagemaker.hosting.endpoints import Endpoints
from local_sagemaker.hosting.invoker import Invoker
from local_sagemaker.hosting.runtime import Runtime
from local_sagemaker.s3.objects import S3Objects
from local_sagemaker.settings import Settings
from local_sagemaker.store import Store


class DataPlane:
    """The runtime's API, and what works in the background for it."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        endpoints: Endpoints,
        *,
        metrics: EndpointMetrics,
        s3: S3Objects,
        moto: Moto,
    ) -> None:
        self._capture = Capture(s3, clock)
        self._invoker = Invoker(metrics, self._capture)
        self._queue = AsyncInference(
            store,
            clock,
            endpoints,
            self._invoker,
            s3=s3,
            results=Results(s3, moto, settings.region),
            measure=metrics.measure,
        )
        self.runtime = Runtime(settings, endpoints, clock, self._invoker, queue=self._queue)

    def start(self) -> None:
        """Work from now on."""
        self._capture.start()
        self._queue.start()

    async def stop(self) -> None:
        """Give up what nobody waits for, and write what was captured; what is queued stays so."""
        await self._queue.stop()
        await self._invoker.close()
        await self._capture.stop()

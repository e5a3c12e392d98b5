"""A request to a variant, on one of its instances, measured; and copies of it to shadow variants."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from local_sagemaker.api.errors import ServiceError
from local_sagemaker.cloudwatch.endpoint_metrics import EndpointMetrics, Invocation
from local_sagemaker.hosting.asked import Asked, refused
from local_sagemaker.hosting.capture import Capture
from local_sagemaker.hosting.container import NONE_READY, Answer, Call, Opened, invoke, open_answer
from local_sagemaker.hosting.instance import Instance
from local_sagemaker.hosting.multi_model import ModelNotReadyError
from local_sagemaker.hosting.variant_fleet import VariantFleet

# Copies in flight; further ones are dropped: a shadow that cannot keep up costs the endpoint nothing.
MAX_MIRRORED = 200
_T = TypeVar("_T")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class OpenedBy:
    """An answer whose body is still to come, and the instance that it keeps busy until then."""

    instance: Instance
    answer: Opened


class Invoker:
    """Asks variants, whoever wants to know."""

    def __init__(self, metrics: EndpointMetrics, capture: Capture) -> None:
        self._metrics = metrics
        self._capture = capture
        self._copies: set[asyncio.Task[None]] = set()

    async def ask(self, asked: Asked, fleet: VariantFleet, call: Call) -> Answer:
        """The answer of one of the variant's instances.

        Raises ServiceError for what the service itself refuses: throttling, a model that is not there.
        """
        sent = time.perf_counter()
        while True:
            instance = await fleet.acquire(asked.option("session-id"))
            if instance is None:
                answer = NONE_READY
                break
            try:
                answer = await _model_errors(invoke(instance, call))
            finally:
                fleet.release(instance)
            if not answer.unsent:
                _follow_session(fleet, instance, answer)
                break
            # Its process is gone and nothing of the request was sent: another can have it.
            instance.refusing = True
        self.measure(asked, fleet, answer.status, sent)
        if fleet.data_capture:
            self._capture.take(asked, fleet, call, answer)
        return answer

    async def open(self, asked: Asked, fleet: VariantFleet, call: Call) -> Answer | OpenedBy:
        """As `ask`, with the body of a success still to come; the instance is to be released after it."""
        while True:
            instance = await fleet.acquire(asked.option("session-id"))
            if instance is None:
                return NONE_READY
            try:
                opened = await _model_errors(open_answer(instance, call))
            except BaseException:
                fleet.release(instance)
                raise
            if isinstance(opened, Opened):
                return OpenedBy(instance, opened)
            fleet.release(instance)
            if not opened.unsent:
                return opened
            instance.refusing = True

    def measure(self, asked: Asked, fleet: VariantFleet, status: int, sent: float) -> None:
        """Count an invocation that ends now; it was sent to the variant at `sent`, a perf_counter's."""
        self._metrics.record(
            Invocation(
                endpoint=asked.endpoint,
                variant=fleet.variant.name,
                config=fleet.config_name,
                instances=len(fleet.instances),
                status=status,
                model_us=(time.perf_counter() - sent) * 1e6,
                overhead_us=(sent - asked.began) * 1e6,
            )
        )

    def mirror(self, asked: Asked, shadows: Iterable[VariantFleet], call: Call) -> None:
        """Send copies of a request to shadow variants; nobody waits for their answers."""
        for shadow in shadows:
            if len(self._copies) >= MAX_MIRRORED:
                return
            copy = asyncio.create_task(self._mirror(asked, shadow, call))
            self._copies.add(copy)
            copy.add_done_callback(self._copies.discard)

    async def _mirror(self, asked: Asked, shadow: VariantFleet, call: Call) -> None:
        try:
            await self.ask(asked, shadow, call)
        except ServiceError:
            pass  # it is the shadow's, and no caller is there to hear of it
        except Exception:
            logger.exception(
                "endpoint %s: a copy for shadow variant %s failed", asked.endpoint, shadow.variant.name
            )

    async def close(self) -> None:
        """Give up the copies that are on their way."""
        for copy in self._copies:
            copy.cancel()
        await asyncio.gather(*self._copies, return_exceptions=True)


async def _model_errors(asking: Awaitable[_T]) -> _T:
    try:
        return await asking
    except LookupError as error:
        raise refused(str(error)) from error
    except ModelNotReadyError as error:
        raise ServiceError("ModelNotReadyException", str(error), status=429) from error


def _follow_session(fleet: VariantFleet, instance: Instance, answer: Answer) -> None:
    opened = answer.headers.get("x-amzn-sagemaker-new-session-id")
    closed = answer.headers.get("x-amzn-sagemaker-closed-session-id")
    if opened:
        fleet.open_session(opened.partition(";")[0], instance)
    if closed:
        fleet.close_session(closed)

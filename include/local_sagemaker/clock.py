"""The service's clock: real waits of minutes, run through in seconds."""

import asyncio
import time


class Clock:
    """Turns the service's seconds into real ones.

    Only waits are divided by the scale. Times of day are real, so that they agree with what the
    caller's own clock, S3 and CloudWatch say.
    """

    def __init__(self, scale: float) -> None:
        self._scale = scale

    def real(self, service_seconds: float) -> float:
        """Real seconds that `service_seconds` of the service's time take here."""
        return service_seconds / self._scale

    def limit(self, service_seconds: float, at_least: float) -> float:
        """Real seconds that a model's own work may take: scaled, but never below `at_least`.

        Waits can be run through faster, work cannot.
        """
        return max(self.real(service_seconds), at_least)

    async def sleep(self, service_seconds: float) -> None:
        """Wait for that much of the service's time."""
        await asyncio.sleep(self.real(service_seconds))

    def now(self) -> float:
        """Seconds since the epoch, to the millisecond, as the API reports them."""
        return round(time.time(), 3)

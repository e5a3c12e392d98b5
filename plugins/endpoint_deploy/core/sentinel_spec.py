"""The scheduled check of what is live."""

from pydantic import Field

from endpoint_deploy.core import fields as f
from endpoint_deploy.core.strict import Strict


class SentinelSpec(Strict):
    """Whether what serves is still what was released, and whether it could be started again."""

    schedule: f.Cron = Field("@hourly", description="When what is live is checked.")
    canary: bool = Field(True, description="Whether the smoke tests are sent to every live variant.")

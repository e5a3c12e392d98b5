"""How a release is looked at, whatever its strategy."""

from typing import Annotated

from pydantic import Field

from endpoint_deploy.core.strict import Strict

_DAY = 86_400
LookSeconds = Annotated[float, Field(ge=0.1, le=3600)]


class WatchSpec(Strict):
    """How long a release is watched once it has all the traffic."""

    seconds: Annotated[int, Field(ge=0, le=7 * _DAY)] = Field(
        0,
        description="Within it a fault takes the release back; a staged one's champion stays warm for as "
        "long, at weight 0. 0: no watch.",
    )
    look_seconds: LookSeconds = Field(30, description="Pause between two looks at alarms and analysis.")

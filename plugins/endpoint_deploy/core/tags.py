"""The pipeline's own tags: what carries them is ours, what does not is never touched."""

from collections.abc import Mapping

_PREFIX = "endpoint-deploy:"
DEPLOYMENT = _PREFIX + "deployment"
ENDPOINT = _PREFIX + "endpoint"
ARTIFACT = _PREFIX + "artifact-sha256"
CREATED_BY = _PREFIX + "created-by"  # run_key of the DAG run
STAGE = _PREFIX + "stage"  # on configurations: final | joint; on alarms: SCALING
FINAL_CONFIG = _PREFIX + "final-config"  # on a joint configuration: where its release leads
SCALING = "scaling"  # STAGE of an alarm that sets a scaling policy off
SCALE_IN_HELD = _PREFIX + "scale-in-held"  # on a scalable target: a release has suspended its scale-in
CHAMPION_CONFIG = _PREFIX + "champion-config"  # on a joint configuration: where its release came from


def as_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """In the form of the service's `Tags`."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def as_dict(tags: list[dict[str, str]]) -> dict[str, str]:
    """From the service's form."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def ours(tags: Mapping[str, str], endpoint: str) -> bool:
    """Whether a resource was made by this pipeline for this endpoint."""
    return tags.get(ENDPOINT) == endpoint

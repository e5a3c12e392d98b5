"""What stops the work on an artifact, as opposed to what is found in it (see `model.Finding`)."""

from endpoint_deploy.errors import EndpointDeployError


class BadUri(EndpointDeployError):
    """A URI is not of the form `s3://bucket/key`."""


class ArtifactUnreadable(EndpointDeployError):
    """S3 refuses access to the artifact or to the place it is to be pinned at."""


class ArtifactChanged(EndpointDeployError):
    """The object is no longer the one that was inspected."""

"""What stops a check, as opposed to what a check finds."""

from endpoint_deploy.errors import EndpointDeployError, Refused, ReleaseFailed


class SuiteInvalid(EndpointDeployError):
    """A file is no Great Expectations suite."""


class PredictionsUnreadable(ReleaseFailed):
    """A model's answer is not what its content type says, or not a list of predictions."""


class DataUnreadable(Refused):
    """A data file is not what its format says, to the last line."""

"""What can go wrong, told apart by what the caller should do about it.

EndpointDeployError            cannot succeed by retrying
├── SpecError                  the YAML is wrong: fix the file
├── NotAsPlanned               the world is not what the plan saw: clear from `plan`
├── Conflict                   a resource of that name exists and differs: never overwritten
├── ReleaseFailed              the candidate does not do what it must: roll back
└── TryAgain                   may succeed by retrying
"""


class EndpointDeployError(Exception):
    """Says where, what was found, what was expected and what to do next. Retrying does not help."""


class SpecError(EndpointDeployError):
    """A deployment's YAML cannot be used as it is."""


class NotAsPlanned(EndpointDeployError):
    """What is live is not what the plan was made for."""


class Conflict(EndpointDeployError):
    """A resource with the wanted name exists, and is another thing."""


class ReleaseFailed(EndpointDeployError):
    """The candidate, or the service, did not do what the release needs.

    `data_docs` is the s3:// address of the report that shows it, where there is one.
    """

    def __init__(self, message: str, *, data_docs: str | None = None) -> None:
        super().__init__(message)
        self.data_docs = data_docs


class TryAgain(EndpointDeployError):
    """Something that passes: a lock held by a live run, a change still in progress."""

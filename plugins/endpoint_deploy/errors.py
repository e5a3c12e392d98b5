"""What can go wrong, told apart by what the caller should do about it.

EndpointDeployError            cannot succeed by retrying
├── SpecError                  the YAML is wrong: fix the file
├── NotAsPlanned               the world is not what the plan saw: clear from `plan`
├── Conflict                   a resource of that name exists and differs: never overwritten
├── ReleaseFailed              the candidate does not do what it must: roll back
│   └── Refused                a gate has judged data or a model, and lets them not pass
├── Rejected                   whoever was asked has said no
└── TryAgain                   may succeed by retrying
"""

from collections.abc import Callable


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


class Refused(ReleaseFailed):
    """A gate's judgement of data or a model, told apart from a gate that could not judge."""


class Rejected(EndpointDeployError):
    """Whoever was asked has said no, or nobody has said anything in time."""


class TryAgain(EndpointDeployError):
    """Something that passes: a lock held by a live run, a change still in progress."""


def hide_in(error: BaseException, hide: Callable[[str], str]) -> None:
    """Change what an error and those that led to it say: Airflow logs all of them with their tracebacks."""
    found: BaseException | None = error
    while found is not None:
        found.args = tuple(hide(each) if isinstance(each, str) else each for each in found.args)
        found = found.__cause__ or found.__context__

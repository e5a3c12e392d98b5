"""What a run is asked to release, and what of it has been proved."""

from endpoint_deploy.core.strict import Strict


class PromotedFrom(Strict):
    """The release of another environment that is taken over."""

    deployment: str
    release: int


class ReleaseRequest(Strict):
    """What the run is asked to release; `image` is a resolved URI.

    `champion_at_evaluation` is the sha256 of what the model package was compared with before it was
    registered; None without a package, and where it was compared with nothing.
    """

    artifact: str
    image: str
    expected_sha256: str | None = None
    model_package: str | None = None
    champion_at_evaluation: str | None = None
    promoted_from: PromotedFrom | None = None
    plan_only: bool = False
    reason: str = ""


class Candidate(Strict):
    """An artifact that passed validation. `pinned` is its copy under its digest, which nothing replaces."""

    artifact: str
    image: str
    sha256: str
    pinned: str

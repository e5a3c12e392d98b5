"""What a run is asked to release, and what of it has been proved."""

from endpoint_deploy.core.spec import Strict


class ReleaseRequest(Strict):
    """What the run is asked to release; `image` is a resolved URI."""

    artifact: str
    image: str
    expected_sha256: str | None = None
    plan_only: bool = False
    reason: str = ""


class Candidate(Strict):
    """An artifact that passed validation. `pinned` is its copy under its digest, which nothing replaces."""

    artifact: str
    image: str
    sha256: str
    pinned: str

"""What a run is asked to release: by its form, an asset event, the registry, another environment or the spec.

Shared by the task that resolves a run's release and by the preview of a plan. Reads, and changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from endpoint_deploy.artifacts.s3 import sha256_of
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.aws.images import resolve_image
from endpoint_deploy.aws.ledger import Ledger
from endpoint_deploy.aws.registry import ModelRegistry
from endpoint_deploy.core.candidate import PromotedFrom, ReleaseRequest
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.package import check_releasable
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.errors import ReleaseFailed, SpecError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Connect = Callable[[DeploymentSpec], EndpointHook]


@dataclass(frozen=True)
class Wish:
    """What a run's form says, and the model package of the event that started it. None: nothing."""

    artifact: str | None = None
    image: str | None = None
    model_package: str | None = None
    announced: str | None = None


class Resolver:
    """Resolves for one deployment, through its hook. `connect` gives one for another environment's spec."""

    def __init__(self, deployment: Deployment, hook: EndpointHook, connect: Connect) -> None:
        self._deployment = deployment
        self._spec = deployment.spec
        self._hook = hook
        self._connect = connect

    def resolve(self, wish: Wish) -> ReleaseRequest:
        """The first that there is of: the form's, the event's package, the registry's newest, the spec's.

        With promotion it is what the other environment has released. Raises ReleaseFailed where that may
        not be released, SpecError where the spec says too little.
        """
        if wish.model_package and (wish.artifact or wish.image):
            raise ReleaseFailed(
                "the form has a model package beside an artifact or an image; expected one of them: a "
                "package says both"
            )
        if self._spec.promotion:
            return self._promoted(wish)
        if (arn := self._package(wish)) is not None:
            return self._of_package(arn, wish)
        chosen = wish.artifact or self._spec.model.artifact
        if chosen is None:
            group = self._spec.registry.group if self._spec.registry else None
            raise SpecError(
                f"there is nothing to release: group {group} has no approved model package, and the spec "
                "names no artifact; approve a package, or give an artifact in the form"
            )
        return ReleaseRequest(
            artifact=chosen,
            image=wish.image or self._image(),
            # The spec's checksum is that of the spec's artifact, and says nothing of another one.
            expected_sha256=self._spec.model.sha256 if chosen == self._spec.model.artifact else None,
        )

    def reader(self, request: ReleaseRequest) -> tuple["S3Client", str]:
        """Client and region by which the request's artifact is read: its own environment's."""
        other = self._deployment.proved_in
        if other and request.promoted_from and request.artifact.startswith(other.spec.aws.store):
            return self._hook_of(other).s3, other.spec.aws.region
        return self._hook.s3, self._spec.aws.region

    def _image(self) -> str:
        first = self._spec.endpoint.variants[0]
        return resolve_image(
            self._spec.model.image, region=self._spec.aws.region, instance_type=first.instance_type
        )

    def _package(self, wish: Wish) -> str | None:
        if wish.model_package or wish.artifact or self._spec.registry is None:
            return wish.model_package
        registry = ModelRegistry(self._hook.sagemaker, self._spec.registry.group)
        return wish.announced or registry.newest_approved()

    def _of_package(self, arn: str, wish: Wish) -> ReleaseRequest:
        if self._spec.registry is None:
            raise ReleaseFailed(
                f"the form names {arn}, and the spec has no section `registry`, whose group it must be in"
            )
        package = ModelRegistry(self._hook.sagemaker, self._spec.registry.group).describe(arn)
        check_releasable(package, self._spec.registry.group)
        if wish.image:
            raise ReleaseFailed(
                f"the form names the image {wish.image}, and model package {arn} has one of its own; give "
                "an artifact with the image, or neither"
            )
        return ReleaseRequest(
            artifact=package.artifact,
            image=package.image,
            expected_sha256=package.sha256,
            model_package=package.arn,
            champion_at_evaluation=package.champion,
        )

    def _promoted(self, wish: Wish) -> ReleaseRequest:
        if wish.model_package:
            raise ReleaseFailed(
                f"the form names {wish.model_package}, and this environment releases only what "
                f"{self._spec.promoted_key} has released; release it there"
            )
        other = self._deployment.proved_in
        if other is None:
            raise SpecError(
                f"promotion.from_environment: the spec of {self._spec.promoted_key} is missing or cannot be "
                "used; `python -m endpoint_deploy validate` says why"
            )
        ledger = Ledger(self._hook_of(other).s3, other.spec.aws.store, other.spec.endpoint_name)
        release = self._proved(ledger, other, wish.artifact)
        if release.pinned is None or release.image is None:
            raise ReleaseFailed(
                f"release {release.sequence} of {other.key} names no pinned artifact and image"
            )
        if wish.image not in {None, release.image}:
            raise ReleaseFailed(
                f"the form names the image {wish.image}; release {release.sequence} of {other.key} was "
                f"proved in {release.image}, and no other is released here"
            )
        return ReleaseRequest(
            artifact=wish.artifact or release.pinned,
            image=release.image,
            expected_sha256=release.artifact_sha256,
            promoted_from=PromotedFrom(deployment=other.key, release=release.sequence),
        )

    def _proved(self, ledger: Ledger, other: Deployment, artifact: str | None) -> Release:
        if artifact is None:
            if (release := ledger.last_good()) is None:
                raise ReleaseFailed(
                    f"{other.key} has no good release to be taken over; release there first, then here"
                )
            return release
        digest = sha256_of(self._hook.s3, artifact)
        for release in ledger.newest_first():
            if release.restorable and release.artifact_sha256 == digest:
                return release
        raise ReleaseFailed(
            f"{artifact} has the sha256 {digest}, which was never released in {other.key}; this environment "
            "releases only what was: release it there first"
        )

    def _hook_of(self, other: Deployment) -> EndpointHook:
        mine, theirs = self._spec.aws, other.spec.aws
        same = (mine.conn_id, mine.region) == (theirs.conn_id, theirs.region)
        return self._hook if same else self._connect(other.spec)

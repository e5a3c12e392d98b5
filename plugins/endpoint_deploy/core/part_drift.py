"""Whether what an endpoint's instances are started from is still what it was."""

from collections.abc import Iterator

from endpoint_deploy.core.findings import Baseline, Drift

_SHOWN = 19  # of `sha256:` and a digest, or of an ETag


def artifact_drift(
    uri: str, expected_sha256: str | None, found: tuple[str, str | None] | None, baseline: Baseline
) -> Iterator[Drift]:
    """An archive that is gone or was replaced. found: ETag, and checksum by its metadata; None: gone."""
    if found is None:
        yield Drift(
            kind="artifact",
            subject=f"{uri} gone",
            message=f"{uri} is gone: no instance can be started or added; put the same bytes back",
        )
        return
    etag, sha256 = found
    first = baseline.artifacts.get(uri)
    if sha256 != expected_sha256 and expected_sha256 is not None:
        said = f"its metadata names sha256 {sha256}, expected {expected_sha256}"
    elif first is not None and first != etag:
        said = f"found ETag {etag}, expected {first}"
    else:
        return
    yield Drift(
        kind="artifact",
        subject=uri,
        message=f"{uri} was replaced: {said}; instances that are added now run something else",
    )


def image_drift(image: str, digest: str | None, baseline: Baseline) -> Iterator[Drift]:
    """An image that is gone, or whose tag stands for another digest than when it was first seen."""
    first = baseline.images.get(image)
    if digest is None:
        # One that ECR never knew is not judged: it may be a registry's that only SageMaker can see.
        if first is not None:
            yield Drift(
                kind="image",
                subject=f"{image} gone",
                message=f"image {image} is gone from ECR: no instance can be started or added; push it again",
            )
    elif first is not None and digest != first:
        yield Drift(
            kind="image",
            subject=image,
            message=f"image {image} is {digest[:_SHOWN]} now, and was {first[:_SHOWN]} when it was released: "
            "somebody pushed the tag anew",
        )


def role_drift(arn: str) -> Drift:
    """An execution role that is gone."""
    return Drift(
        kind="role",
        subject=arn,
        message=f"execution role {arn} is gone: no instance can read its archive or image; make it again",
    )


def model_drift(name: str) -> Drift:
    """A model that somebody has deleted under a live configuration."""
    return Drift(
        kind="model",
        subject=name,
        message=f"model {name} is gone: SageMaker refuses to update the endpoint; create it again by hand "
        "under that name, or release anew",
    )

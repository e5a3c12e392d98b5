"""Container images: a URI as it stands, or one of AWS's own by framework and version."""

import logging
import re
from typing import Literal

from endpoint_deploy.core.image import FrameworkImage
from endpoint_deploy.errors import SpecError

_CPU_INSTANCE = "ml.m5.large"  # serverless inference has no GPU, and image_uris asks for an instance type
_SUPPORTED = re.compile(r"Unsupported (?P<what>[^:]+): .*Supported [^:]+\(s\): (?P<known>.+?)\.?$", re.DOTALL)
_NOT_A_VERSION = "version_aliases, "  # a key of the registry's own files that its messages list as a version


class UnknownImage(SpecError):
    """No image of AWS's own answers the description."""

    def __init__(self, found: str, expected: str) -> None:
        self.found, self.expected = found, expected
        super().__init__(found, expected)

    def __str__(self) -> str:
        return f"model.image: found {self.found}, expected {self.expected}"


def resolve_image(
    image: str | FrameworkImage,
    *,
    region: str,
    instance_type: str | None,
    scope: Literal["inference", "training"] = "inference",
) -> str:
    """The image's URI in a region; `instance_type` decides between CPU and GPU (None: CPU).

    Raises UnknownImage with the versions that there are. Looks into files that sagemaker-core carries: no
    AWS call, but an import of more than a second, so not for a DAG's parse.
    """
    if isinstance(image, str):
        return image
    logging.getLogger("sagemaker").setLevel(logging.ERROR)  # it reports each default it takes
    from sagemaker.core import image_uris  # noqa: PLC0415  slow, and not every spec needs it

    try:
        uri = image_uris.retrieve(
            image.framework,
            region,
            version=image.version,
            py_version=image.py_version,
            base_framework_version=image.base_framework_version,
            instance_type=image.instance_type or instance_type or _CPU_INSTANCE,
            image_scope=scope,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise _unknown(image, region, str(error)) from None
    return str(uri)


def _unknown(image: FrameworkImage, region: str, said: str) -> UnknownImage:
    asked = f"{image.framework} {image.version}"
    python = f" on {image.py_version}" if image.py_version else ""
    base = f" with {image.base_framework_version}" if image.base_framework_version else ""
    found = f"{asked}{python}{base} in {region}"
    if match := _SUPPORTED.search(said):
        known = match["known"].replace(_NOT_A_VERSION, "")
        return UnknownImage(found, f"a {match['what']} that sagemaker-core knows: {known}")
    return UnknownImage(found, f"an image that sagemaker-core knows, which says: {said}")

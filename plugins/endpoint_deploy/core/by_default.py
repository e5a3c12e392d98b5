"""What a run without parameters releases, in words for forms and pages."""

from endpoint_deploy.core.image import FrameworkImage
from endpoint_deploy.core.spec import DeploymentSpec


def image_by_default(spec: DeploymentSpec) -> str:
    """The image of such a run, as people call it."""
    image = spec.model.image
    return f"{image.framework} {image.version}" if isinstance(image, FrameworkImage) else image


def released_by_default(spec: DeploymentSpec) -> str:
    """What a run without parameters releases."""
    if spec.promotion:
        return f"what `{spec.promoted_key}` has released last"
    own = f"`{spec.model.artifact}` in image `{image_by_default(spec)}`" if spec.model.artifact else ""
    if spec.registry is None:
        return own
    newest = f"the newest approved package of group `{spec.registry.group}`"
    return f"{newest}, or without one {own}" if own else newest

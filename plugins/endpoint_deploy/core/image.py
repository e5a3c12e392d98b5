"""A container image as a spec names it."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from endpoint_deploy.core import fields as f
from endpoint_deploy.core.strict import Strict


class FrameworkImage(Strict):
    """One of AWS's own containers, looked up by sagemaker-core's `image_uris`."""

    framework: Literal["sklearn", "xgboost", "pytorch", "tensorflow", "mxnet", "huggingface"]
    version: f.FrameworkVersion
    py_version: f.PythonVersion | None = None
    base_framework_version: f.FrameworkVersion | None = Field(
        None, description="What huggingface's images stand on, as image_uris names it, e.g. pytorch2.1.0."
    )
    instance_type: f.InstanceType | None = Field(
        None, description="Decides between CPU and GPU images; the first variant's by default."
    )


def _image_kind(value: object) -> str | None:
    if isinstance(value, str):
        return "[uri]"
    return "[framework]" if isinstance(value, dict | FrameworkImage) else None


# Told apart by what was written, so that a mistake in one form is not explained in terms of the other.
# The tags stand in pydantic's error locations: in brackets, no key of the spec can be mistaken for one.
Image = Annotated[
    Annotated[f.ImageUri, Tag("[uri]")] | Annotated[FrameworkImage, Tag("[framework]")],
    Discriminator(_image_kind),
]

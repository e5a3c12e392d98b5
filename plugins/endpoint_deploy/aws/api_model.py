"""What SageMaker's own API model enumerates, as the installed botocore carries it."""

from functools import cache
from typing import Final, Literal

import botocore.session

Purpose = Literal["hosting", "training", "processing", "batch transform"]
_SHAPES: Final[dict[Purpose, str]] = {
    "hosting": "ProductionVariantInstanceType",
    "training": "TrainingInstanceType",
    "processing": "ProcessingInstanceType",
    "batch transform": "TransformInstanceType",
}


@cache
def instance_types(purpose: Purpose) -> frozenset[str]:
    """Every instance type that a production variant, or a job of the kind, may have."""
    return _enumeration(_SHAPES[purpose])


def _enumeration(shape: str) -> frozenset[str]:
    model = botocore.session.get_session().get_service_model("sagemaker")
    return frozenset(model.shape_for(shape).metadata["enum"])

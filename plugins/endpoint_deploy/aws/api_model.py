"""What SageMaker's own API model enumerates, as the installed botocore carries it."""

from functools import cache

import botocore.session


@cache
def instance_types() -> frozenset[str]:
    """Every instance type that a production variant may have."""
    return _enumeration("ProductionVariantInstanceType")


def _enumeration(shape: str) -> frozenset[str]:
    model = botocore.session.get_session().get_service_model("sagemaker")
    return frozenset(model.shape_for(shape).metadata["enum"])

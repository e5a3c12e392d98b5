"""CloudWatch's errors, by the codes that its clients see."""

from local_sagemaker.api.errors import ServiceError


def invalid_value(message: str) -> ServiceError:
    """`InvalidParameterValue`: a parameter that is not allowed by itself."""
    return ServiceError("InvalidParameterValue", message)


def invalid_combination(message: str) -> ServiceError:
    """`InvalidParameterCombination`: parameters that exclude each other."""
    return ServiceError("InvalidParameterCombination", message)


def missing(parameter: str) -> ServiceError:
    """`MissingParameter`: a parameter that the others ask for."""
    return ServiceError("MissingParameter", f"The parameter {parameter} is required.")


def validation(message: str) -> ServiceError:
    """`ValidationError`: what is wrong with the request as a whole."""
    return ServiceError("ValidationError", message)


def not_found(message: str) -> ServiceError:
    """`ResourceNotFound`, which CloudWatch answers with 404."""
    return ServiceError("ResourceNotFound", message, status=404)

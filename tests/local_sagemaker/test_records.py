"""State written by an older server is read, or refused."""

import pytest
from pydantic import ValidationError

from local_sagemaker.hosting.records import Variant

OLD = {
    "name": "main",
    "model_name": "model",
    "image": "image:1",
    "model_data_url": "s3://models/model.tar.gz",
    "environment": {"RELEASE": "1"},
    "instance_type": "ml.m5.large",
    "serverless": None,
    "startup_timeout": 480.0,
    "weight": 1.0,
    "count": 2,
}


def test_a_variant_from_before_there_were_several_containers_has_one():
    variant = Variant.model_validate(OLD)
    (container,) = variant.containers
    assert (container.hostname, container.image) == ("primary", "image:1")
    assert (container.model_data_url, container.environment) == (OLD["model_data_url"], {"RELEASE": "1"})
    assert (variant.count, variant.mode) == (2, "Serial")
    assert Variant.model_validate(variant.model_dump()) == variant


def test_what_is_not_known_is_refused():
    with pytest.raises(ValidationError, match="invented"):
        Variant.model_validate({**OLD, "invented": 1})

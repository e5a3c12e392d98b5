import pytest

from endpoint_deploy.aws.api_model import instance_types
from endpoint_deploy.aws.images import UnknownImage, resolve_image
from endpoint_deploy.core.image import FrameworkImage
from endpoint_deploy.errors import SpecError


def resolve(instance_type: str | None = "ml.m5.large", region: str = "eu-west-1", **image: str) -> str:
    return resolve_image(FrameworkImage.model_validate(image), region=region, instance_type=instance_type)


def test_a_uri_stays_as_it_is() -> None:
    uri = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/churn:1"
    assert resolve_image(uri, region="eu-west-1", instance_type=None) == uri


def test_a_framework_s_image_is_that_of_the_region() -> None:
    assert resolve(framework="sklearn", version="1.2-1") == (
        "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    )
    assert ".us-east-1.amazonaws.com/" in resolve(framework="sklearn", version="1.2-1", region="us-east-1")


def test_the_instance_type_decides_between_cpu_and_gpu() -> None:
    image = {"framework": "pytorch", "version": "2.3"}
    assert "-cpu-" in resolve(**image)
    assert "-gpu-" in resolve("ml.g5.xlarge", **image)
    own = FrameworkImage(framework="pytorch", version="2.3", instance_type="ml.g5.xlarge")
    assert "-gpu-" in resolve_image(own, region="eu-west-1", instance_type="ml.m5.large")


def test_serverless_has_no_instance_type() -> None:
    assert "-cpu-" in resolve(None, framework="pytorch", version="2.3")


def test_huggingface_stands_on_another_framework() -> None:
    uri = resolve(framework="huggingface", version="4.37.0", base_framework_version="pytorch2.1.0")
    assert "/huggingface-pytorch-inference:2.1.0-transformers4.37.0-cpu-" in uri


@pytest.mark.parametrize(
    ("image", "found", "known"),
    [
        ({"framework": "sklearn", "version": "9-9"}, "sklearn 9-9 in eu-west-1", "1.2-1"),
        (
            {"framework": "sklearn", "version": "1.2-1", "region": "mars-1"},
            "sklearn 1.2-1 in mars-1",
            "eu-west-1",
        ),
        (
            {"framework": "pytorch", "version": "2.3", "py_version": "py27"},
            "pytorch 2.3 on py27 in eu-west-1",
            "py311",
        ),
        (
            {"framework": "huggingface", "version": "4.37.0"},
            "huggingface 4.37.0 in eu-west-1",
            "pytorch2.1.0",
        ),
    ],
)
def test_an_unknown_image_names_what_there_is(image: dict[str, str], found: str, known: str) -> None:
    with pytest.raises(UnknownImage) as caught:
        resolve(**image)
    assert isinstance(caught.value, SpecError)
    assert caught.value.found == found
    assert known in caught.value.expected
    assert "version_aliases" not in caught.value.expected
    assert str(caught.value) == f"model.image: found {found}, expected {caught.value.expected}"


def test_instance_types_are_those_of_hosting() -> None:
    assert {"ml.m5.large", "ml.g5.xlarge"} <= instance_types("hosting")
    assert "m5.large" not in instance_types("hosting")

"""What can be wrong with a deployment beyond its YAML, found without an AWS call.

The files that it names, the instance types that the service's API model lists, the framework's image.
"""

import difflib
from collections.abc import Iterator

from endpoint_deploy.aws.api_model import Purpose, instance_types
from endpoint_deploy.aws.check_files import Where, file_problems
from endpoint_deploy.aws.images import UnknownImage, resolve_image
from endpoint_deploy.core.document import Document
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.problems import SpecProblem


def check(deployment: Deployment, document: Document) -> tuple[SpecProblem, ...]:
    """Every problem of a deployment whose YAML is good, in the order of its lines."""
    return tuple(
        sorted(
            (
                *file_problems(deployment, document),
                *_instances(deployment, document),
                *_images(deployment, document),
            )
        )
    )


def _instances(deployment: Deployment, document: Document) -> Iterator[SpecProblem]:
    spec = deployment.spec
    image = spec.model.image
    named: dict[Where, tuple[Purpose, str | None]] = {
        ("endpoint", "variants", index, "instance_type"): ("hosting", variant.instance_type)
        for index, variant in enumerate(spec.endpoint.variants)
    }
    if not isinstance(image, str):
        named["model", "image", "instance_type"] = ("hosting", image.instance_type)
    if retrain := spec.retrain:
        named["retrain", "training", "instance_type"] = ("training", retrain.training.instance_type)
        named["retrain", "evaluation", "instance_type"] = ("processing", retrain.evaluation.instance_type)
    if batch := spec.batch_transform:
        named["batch_transform", "instance_type"] = ("batch transform", batch.instance_type)
    for path, (purpose, found) in named.items():
        known = instance_types(purpose)
        if found is not None and found not in known:
            close = difflib.get_close_matches(found, sorted(known), n=3)
            expected = f"one of SageMaker's {len(known)} instance types for {purpose}"
            hint = f"close to it: {', '.join(close)}" if close else ""
            yield document.problem(path, found=repr(found), expected=expected, hint=hint)


def _images(deployment: Deployment, document: Document) -> Iterator[SpecProblem]:
    spec = deployment.spec
    region = spec.aws.region
    hosting = spec.endpoint.variants[0].instance_type
    try:
        resolve_image(spec.model.image, region=region, instance_type=hosting)
    except UnknownImage as error:
        yield document.problem(("model", "image"), found=error.found, expected=error.expected)
        if spec.retrain is None or spec.retrain.training.image is None:
            return  # the one that is trained in is the same
    if spec.retrain is None:
        return
    training = spec.retrain.training
    try:
        resolve_image(
            training.image or spec.model.image,
            region=region,
            instance_type=training.instance_type,
            scope="training",
        )
    except UnknownImage as error:
        yield document.problem(
            ("retrain", "training", "image"), found=error.found, expected=f"{error.expected}, for training"
        )

"""The body of CreateTransformJob, and whose model predicts."""

from typing import Any

from endpoint_deploy.core.batch_spec import BatchTransformSpec
from endpoint_deploy.core.naming import declared_name
from endpoint_deploy.core.observed import ObservedConfig
from endpoint_deploy.errors import NotAsPlanned

Body = dict[str, Any]


def transform_body(batch: BatchTransformSpec, *, model: str, manifest: str, output: str) -> Body:
    """CreateTransformJob's body without name and tags, split and assembled by line.

    `manifest` and `output` are s3:// addresses: what is predicted, and where the job stores its outputs.
    """
    return {
        "ModelName": model,
        "MaxConcurrentTransforms": batch.max_concurrent,
        "MaxPayloadInMB": batch.max_payload_mb,
        "BatchStrategy": batch.strategy,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": manifest}},
            "ContentType": batch.content_type,
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": output, "Accept": batch.accept, "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": batch.instance_type, "InstanceCount": batch.instances},
    }


def choose_variant(config: ObservedConfig, wanted: str | None) -> tuple[str, str]:
    """Declared name and model of the wanted variant of a release, or of the one with most weight."""
    models = {
        declared_name(str(variant["VariantName"])): str(variant["ModelName"]) for variant in config.variants
    }
    if wanted is None:
        most = max(config.variants, key=lambda variant: float(variant.get("InitialVariantWeight", 1.0)))
        wanted = declared_name(str(most["VariantName"]))
    if wanted not in models:
        raise NotAsPlanned(
            f"endpoint configuration {config.name} has no variant {wanted!r}, only "
            f"{', '.join(sorted(models))}; name one of them in batch_transform.variant, or another release "
            "in the form"
        )
    return wanted, models[wanted]

"""An endpoint from the inside: its fleets, what each answers of the traffic, and their processes."""

from typing import Any

from local_sagemaker.cloudwatch.metrics import Metrics
from local_sagemaker.console.log_files import LogFiles
from local_sagemaker.console.rates import rates
from local_sagemaker.hosting.fleet import VariantFleet
from local_sagemaker.hosting.lifecycle import Lifecycle
from local_sagemaker.hosting.progress import Side


def endpoint_view(endpoint: Lifecycle, metrics: Metrics, logs: LogFiles) -> dict[str, Any]:
    """Everything but what models are given: no environment, no request."""
    record = endpoint.record
    traffic = endpoint.serving
    shares = traffic.shares() if traffic else {}
    variants = []
    for fleet in endpoint.fleets:
        side: Side = "new" if fleet is endpoint.incoming else "old"
        for variant in fleet.everyone:
            name = variant.variant.name
            stage = (endpoint.progress.status(side, name) or [{}])[0]
            variants.append(
                {
                    **_variant(variant, logs),
                    "share": shares.get(variant, 0.0),
                    "shadow": name in fleet.shadows,
                    "fleet": side if endpoint.incoming else None,
                    "stage": stage.get("StatusMessage"),
                    "rates": rates(metrics, record.name, name, variant.config_name),
                }
            )
    return {
        "name": record.name,
        "status": record.status,
        "config": record.config_name,
        "pending_config": record.pending.config_name if record.pending else None,
        "failure_reason": record.failure_reason,
        "created": record.created,
        "modified": record.modified,
        "variants": variants,
        "logs": logs.of_endpoint(record.name),
    }


def _variant(variant: VariantFleet, logs: LogFiles) -> dict[str, Any]:
    declared = variant.variant
    return {
        "name": declared.name,
        "config": variant.config_name,
        "weight": declared.weight,
        "model": declared.model_name,
        "serverless": declared.serverless is not None,
        "desired": declared.count,
        "instances": len(variant.instances),
        "replaced": variant.replaced,
        "replicas": [
            {
                "pid": replica.pid,
                "requests": instance.requests,
                "log": str(replica.log_path),
                "log_name": logs.name_of(replica.log_path),
                "container": hostname if len(instance.containers) > 1 else None,
            }
            for instance in variant.instances
            for hostname, host in instance.containers.items()
            for replica in host.replicas
        ],
    }

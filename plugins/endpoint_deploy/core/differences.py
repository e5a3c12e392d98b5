"""The diff between what is live and what a plan leads to, in lines a person reads."""

import json
from collections.abc import Mapping
from typing import Any

from endpoint_deploy.core import naming, tags
from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.observed import ObservedConfig
from endpoint_deploy.core.plan import Difference


def differences(
    live: ObservedConfig | None, wanted: Mapping[str, Any], candidate: Candidate
) -> tuple[Difference, ...]:
    """Compare the live configuration with CreateEndpointConfig's body, variants by declared name."""
    before = _flat(live.variants, live.data_capture, live.kms_key_id) if live else {}
    if live and tags.ARTIFACT in live.tags:
        before["artifact sha256"] = live.tags[tags.ARTIFACT]
    after = _flat(wanted["ProductionVariants"], wanted.get("DataCaptureConfig"), wanted.get("KmsKeyId"))
    after["artifact sha256"] = candidate.sha256
    return tuple(
        Difference(path=path, before=before.get(path), after=after.get(path))
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    )


def _flat(variants: Any, capture: Any, key_id: str | None) -> dict[str, str]:
    lines = {"data capture": json.dumps(capture, sort_keys=True)} if capture else {}
    if key_id:
        lines["KMS key"] = key_id
    for variant in variants:
        name = naming.declared_name(variant["VariantName"])
        for key, value in variant.items():
            if key != "VariantName":
                lines[f"variant {name} {key}"] = _text(value)
    return lines


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.7g}"  # to the precision of the service's 32-bit floats, where 0.3 is 0.30000001
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)

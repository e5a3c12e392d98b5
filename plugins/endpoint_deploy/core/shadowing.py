"""The candidate as the champion's shadow: whether that can be, and its configuration."""

from collections.abc import Mapping

from endpoint_deploy.core import naming, requests
from endpoint_deploy.core.observed import ObservedConfig
from endpoint_deploy.core.plan import RollBackTo
from endpoint_deploy.core.release_spec import ShadowRelease
from endpoint_deploy.core.requests import Body, Desired
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.core.staging import cannot_stage, champion_bodies

_WHOLE = 100


def cannot_shadow(want: Desired, champion: ObservedConfig | None, back: RollBackTo | None) -> str | None:
    """Say why the candidate cannot be a shadow of what is live; None where it can."""
    if obstacle := cannot_stage(want, champion, back):
        return obstacle
    if champion and len(champion.variants) > 1:
        return "the live endpoint has several variants, and one with a shadow has one"
    if back and not all(variant.weight for variant in back.variants):
        return "the live variant has no weight, and a shadow's share is in proportion to it"
    return None


def shadow_config_body(
    spec: DeploymentSpec,
    want: Desired,
    champion: ObservedConfig,
    back: RollBackTo,
    counts: Mapping[str, int],
) -> Body:
    """CreateEndpointConfig's body: the champion as it runs now, and the candidate as its shadow.

    A shadow's weight, in proportion to the production variant's, is the share of the requests that are copied
    to it (the guide, "Testing models with shadow variants").
    """
    release = spec.release
    percent = release.sampling_percent if isinstance(release, ShadowRelease) else _WHOLE
    production = champion_bodies(champion, back)
    weight = sum(body["InitialVariantWeight"] for body in production) * percent / _WHOLE
    final = requests.final_config_body(spec, want)
    shadows = [
        {
            **body,
            "InitialVariantWeight": weight,
            "InitialInstanceCount": counts.get(body["VariantName"], body["InitialInstanceCount"]),
        }
        for body in final["ProductionVariants"]
    ]
    rest = {
        key: value for key, value in final.items() if key not in {"EndpointConfigName", "ProductionVariants"}
    }
    content = {"ProductionVariants": production, "ShadowProductionVariants": shadows, **rest}
    return {
        "EndpointConfigName": naming.resource_name(spec.endpoint_name, ["shadow", content]),
        **content,
    }

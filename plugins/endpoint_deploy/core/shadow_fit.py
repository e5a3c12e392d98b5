"""Whether the endpoint that a spec declares can have a shadow."""

from endpoint_deploy.core.endpoint_spec import EndpointSpec
from endpoint_deploy.core.guardrail_spec import MAX_ALARMS
from endpoint_deploy.core.problems import Unfit
from endpoint_deploy.core.release_spec import ShadowRelease


def check_shadow(release: ShadowRelease, endpoint: EndpointSpec, *, named_alarms: int) -> None:
    """Refuse what CreateEndpointConfig would; raises Unfit.

    "A maximum of one shadow variant per endpoint", and with it of one production variant; not with serverless
    inference or Inf1 instances (the guide, "Create a shadow test").
    """
    if len(endpoint.variants) > 1:
        raise Unfit(
            at=("release", "strategy"),
            found=f"shadow with {len(endpoint.variants)} variants",
            expected="another strategy, as an endpoint with a shadow has one production variant",
        )
    variant = endpoint.variants[0]
    if variant.serverless or (variant.instance_type or "").startswith("ml.inf1."):
        raise Unfit(
            at=("release", "strategy"),
            found=f"shadow for {variant.instance_type or 'a serverless variant'}",
            expected="another strategy, as SageMaker has no shadows of these",
        )
    if variant.autoscaling:
        raise Unfit(
            at=("endpoint", "variants", 0, "autoscaling"),
            found="autoscaling with release.strategy shadow",
            expected="another strategy: targets are carried between production variants only",
        )
    if variant.weight <= 0:
        raise Unfit(
            at=("endpoint", "variants", 0, "weight"),
            found=f"{variant.weight:g} with release.strategy shadow",
            expected="more than 0: a shadow's share is in proportion to it",
        )
    if named_alarms + release.guard.metrics > MAX_ALARMS:
        raise Unfit(
            at=("release", "guard"),
            found=f"{release.guard.metrics} alarms of its own beside {named_alarms} in alarms",
            expected=f"at most {MAX_ALARMS} together",
        )

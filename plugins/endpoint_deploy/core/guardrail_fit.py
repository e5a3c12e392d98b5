"""Whether guardrails fit the endpoint that a spec declares."""

from endpoint_deploy.core.endpoint_spec import EndpointSpec
from endpoint_deploy.core.guardrail_spec import MAX_ALARMS, AllAtOnce, Rolling, bounds
from endpoint_deploy.core.problems import Unfit
from endpoint_deploy.core.release_spec import DirectRelease


def check_guardrails(release: DirectRelease, endpoint: EndpointSpec, *, named_alarms: int) -> None:
    """Refuse what UpdateEndpoint would refuse, or would quietly not do; raises Unfit.

    What is excluded stands in the guide's page "Exclusions" of the deployment guardrails.
    """
    routing, guard = release.routing, release.guard
    asks = guard is not None or routing != AllAtOnce()
    if endpoint.is_serverless and asks:
        raise Unfit(
            at=("release", "guard" if routing == AllAtOnce() else "routing"),
            found="guardrails for a serverless variant",
            expected="neither routing nor guard, as guardrails are for instances",
        )
    if isinstance(routing, Rolling) and len(endpoint.variants) > 1:
        raise Unfit(
            at=("release", "routing", "type"),
            found=f"rolling with {len(endpoint.variants)} variants",
            expected="all_at_once, canary or linear, as a rolling update takes one variant only",
        )
    for variant in endpoint.variants:
        count = variant.instances
        if count is None:
            continue
        for key, size, low, high in routing.bounded():
            if not size.within(count, low, high):
                raise Unfit(
                    at=("release", "routing", key, "value"),
                    found=f"{size.words} of the {count} of variant {variant.name}",
                    expected=bounds(low, high),
                )
        limit, waits = routing.maximum_execution_timeout_seconds, routing.bake_seconds(count)
        # "should be larger than the total waiting time" (BlueGreenUpdatePolicy's reference)
        if limit is not None and waits >= limit:
            raise Unfit(
                at=("release", "routing", "maximum_execution_timeout_seconds"),
                found=str(limit),
                expected=f"more than all waits together, which are {waits} seconds",
            )
        timeout = endpoint.wait.timeout_seconds
        if waits and waits >= timeout:
            raise Unfit(
                at=("release", "routing"),
                found=f"waits of {waits} seconds together",
                expected=f"less than endpoint.wait.timeout_seconds, which is {timeout}, or a longer one",
            )
    alarms = named_alarms + (guard.metrics * len(endpoint.variants) if guard else 0)
    if alarms > MAX_ALARMS:
        raise Unfit(
            at=("release", "guard"),
            found=f"{alarms - named_alarms} alarms of its own beside {named_alarms} in alarms",
            expected=f"at most {MAX_ALARMS} together, as an update takes no more",
        )

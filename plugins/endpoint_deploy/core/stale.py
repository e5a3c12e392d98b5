"""Whether what is live is still what a plan was made for."""

from endpoint_deploy.core.observed import ObservedEndpoint
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.errors import EndpointDeployError, NotAsPlanned, TryAgain


def is_as_planned(plan: Plan, seen: ObservedEndpoint | None) -> bool:
    """Whether the endpoint has the status and the configuration that the plan saw."""
    found = (seen.status, seen.config) if seen else (None, None)
    return found == (plan.expects.status, plan.expects.config)


def stale(plan: Plan, seen: ObservedEndpoint | None, *, then: str = "clear from plan") -> EndpointDeployError:
    """The error of a plan that is out of date; one that passes where the endpoint is only being scaled.

    then: what the person on call should do next.
    """
    expected = f"{plan.expects.config} ({plan.expects.status})" if plan.expects.config else "no endpoint"
    found = f"{seen.config} ({seen.status})" if seen else "no endpoint"
    if seen is not None and seen.in_progress and seen.config == plan.expects.config:
        return TryAgain(f"endpoint {plan.endpoint} is {seen.status} for another reason; trying again")
    return NotAsPlanned(f"the plan is stale: expected {expected}, found {found}; {then}")

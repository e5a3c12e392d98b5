"""A planned A/B test beside what its metric says of the champion at present."""

from datetime import UTC, datetime

from endpoint_deploy.analysis.success import champion_rate
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core.ab_plan import champions_of, with_rate
from endpoint_deploy.core.ab_spec import AbTestRelease
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.judge.measurements import Unavailable


def with_rate_read(plan: Plan, spec: DeploymentSpec, hook: EndpointHook) -> Plan:
    """The plan with the champion's present rate, from which the number of samples follows."""
    release, variants = spec.release, champions_of(plan)
    if not variants or not isinstance(release, AbTestRelease):
        return plan
    found = champion_rate(hook.cloudwatch, plan.endpoint, variants, release.metric, now=datetime.now(UTC))
    return with_rate(plan, spec, found.reason if isinstance(found, Unavailable) else found)

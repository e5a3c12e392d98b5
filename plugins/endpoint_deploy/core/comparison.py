"""Whether a model package's metrics say anything of the model that is live now."""

from endpoint_deploy.core import tags
from endpoint_deploy.core.candidate import ReleaseRequest
from endpoint_deploy.core.observed import Observed
from endpoint_deploy.core.plan import Plan

_SHOWN = 12  # hex digits of a checksum


def with_comparison(plan: Plan, request: ReleaseRequest, observed: Observed) -> Plan:
    """The plan, with a warning where the package was evaluated against another champion than the live one."""
    live = observed.champion
    if request.model_package is None or live is None or plan.action == "nothing":
        return plan
    champion = live.tags.get(tags.ARTIFACT)
    if champion is not None and champion in {request.champion_at_evaluation, plan.artifact_sha256}:
        return plan
    before = request.champion_at_evaluation
    warning = (
        f"{request.model_package} was evaluated against {before[:_SHOWN] if before else 'no champion'}, and "
        f"{champion[:_SHOWN] if champion else 'a model of unknown checksum'} is live: its metrics do not say "
        "that it is the better one"
    )
    return plan.model_copy(update={"warnings": (*plan.warnings, warning)})

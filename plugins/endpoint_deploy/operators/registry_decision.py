"""A decision about a release, and the registry's status of the package that it is of: the two must agree."""

from endpoint_deploy.aws.claims import Claims
from endpoint_deploy.aws.registry import ModelRegistry
from endpoint_deploy.core.approval import Decision
from endpoint_deploy.core.package import Package

_LONGEST = 1024  # ApprovalDescription, in SageMaker's API model


def is_rejected(package: Package) -> bool:
    """Whether the registry says that the package must not be released."""
    return package.status == "Rejected"


def rejection(package: Package, *, plan: str, asked: str) -> Decision:
    """The registry's rejection, as a decision about a plan."""
    return Decision(
        verdict="rejected",
        by="registry",
        at=package.modified,
        note=package.said,
        plan=plan,
        asked=asked,
    )


def agree(registry: ModelRegistry, claims: Claims, arn: str, decision: Decision) -> Decision:
    """Return the decision that counts, once the registry says the same with who and why.

    A package that was rejected in the registry stays so, whatever was approved in Airflow. Safe to repeat.
    """
    package = registry.describe(arn)
    if is_rejected(package):
        if decision.approved:
            return rejection(package, plan=decision.plan, asked=decision.asked)
        return decision
    wanted = "Approved" if decision.approved else "Rejected"
    because = decision.sentence[:_LONGEST]
    if (package.status, package.said) != (wanted, because):
        package = registry.set_status(arn, wanted, because)
    if decision.approved:
        # This run releases it: its approval is no news to whoever watches the registry.
        claims.claim(package.approval)
    return decision

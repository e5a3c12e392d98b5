"""What a person is told beside the plan: what is live, how good the package is, and where the reports are."""

from collections.abc import Mapping
from typing import Any

from endpoint_deploy.core import question
from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.retrain import RetrainRecord
from endpoint_deploy.links import object_url
from endpoint_deploy.task_base import Kit


def gather(
    kit: Kit, plan: Plan, validated: Mapping[str, Any], *, package: str | None, timeout_seconds: int
) -> question.Facts:
    """Gather, from the ledger, the retrainings' records and the live configuration.

    validated: what `validate_artifact` returned; package: the ARN of the model package, where it is one.
    """
    hook, live = kit.hook, plan.expects.config
    config = hook.find_config(live) if live else None
    record = _retraining(kit, package) if package else None
    reports = {"the archive's manifest": validated["data_docs"], **(record.data_docs if record else {})}
    return question.Facts(
        candidate=Candidate.model_validate(validated["candidate"]),
        model_package=package,
        live=_release_on(kit, live) if live else None,
        instances=question.instances_of(config.variants) if config else {},
        metrics=record.metrics if record else None,
        links={f"Data Docs of {judged}": object_url(hook.s3, uri) for judged, uri in reports.items() if uri},
        timeout_seconds=timeout_seconds,
    )


def _release_on(kit: Kit, config: str) -> Release | None:
    """The release in the ledger that has made a configuration live last."""
    known = kit.ledger.newest_first()
    return next((each for each in known if each.restorable and each.config_after == config), None)


def _retraining(kit: Kit, package: str) -> RetrainRecord | None:
    """The retraining that has registered a package; None where somebody else has."""
    known = kit.retrains.newest_first()
    return next((each for each in known if each.package and each.package.arn == package), None)

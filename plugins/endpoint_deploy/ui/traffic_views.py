"""The documents of the charts: asked for beside the pages, so that no page waits for CloudWatch."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.release import Release
from endpoint_deploy.ui.known import Known
from endpoint_deploy.ui.service import RECORDS, Service
from endpoint_deploy.ui.traffic import SpanName

_MOST_VARIANTS = 40


def traffic_of_live(service: Service, deployments: Sequence[Deployment]) -> dict[str, Any]:
    """What the live variants of some deployments have had in the last hour, by deployment."""
    known = Known()
    live = _live(service, deployments, known)
    found = service.traffic([(each, live[each.key]) for each in deployments], "hour", page="all")
    rows = {key: known.take("CloudWatch", answer) for key, answer in found.items()}
    return {"traffic": {key: row.model_dump() for key, row in rows.items() if row}, **known.document()}


def traffic_of_one(service: Service, deployment: Deployment, span: SpanName) -> dict[str, Any]:
    """What a deployment's clients have had, by whichever release: `traffic` is None where nobody knows.

    A staged release has variants of its own, so that those of earlier ones are looked for in the ledger.
    """
    known = Known()
    latest = known.take("the ledger", service.latest(deployment)) or {}
    records = latest.get(deployment.spec.endpoint_name, ())
    newest = records[0].sequence if records else 0
    history: list[Release] = known.take("the ledger", service.history(deployment, newest, RECORDS)) or []
    live = _live(service, [deployment], known)[deployment.key]
    names = list(dict.fromkeys([*live, *_named(history)]))[:_MOST_VARIANTS]
    found = service.traffic([(deployment, names)], span, page="one")
    rows = [known.take("CloudWatch", answer) for answer in found.values()]
    return {"traffic": row.model_dump() if (row := next(iter(rows), None)) else None, **known.document()}


def _live(service: Service, deployments: Sequence[Deployment], known: Known) -> dict[str, list[str]]:
    """Names of the variants, by deployment, as DescribeEndpoint has them."""
    listed = {
        name: found for each in deployments for name, found in (known.listed(service, each) or {}).items()
    }
    seen = service.described(deployments, listed)
    views = {key: known.take("SageMaker", answer) for key, answer in seen.items()}
    return {
        each.key: [variant.name for variant in view.variants] if (view := views.get(each.key)) else []
        for each in deployments
    }


def _named(newest_first: Iterable[Release]) -> Iterator[str]:
    """The variants that records name: those that were proved, and those that had a part of the traffic."""
    for release in newest_first:
        yield from (variant.name for variant in (release.live.variants if release.live else ()))
        for said in release.evidence.values():
            stages = said.get("stages", ()) if isinstance(said, dict) else ()
            for stage in stages:
                yield from stage.get("weights", ())

"""What endpoints use of the quotas."""

from collections import Counter
from collections.abc import Iterable

from local_sagemaker.hosting.records import Deployment, Endpoint
from local_sagemaker.quotas import SERVERLESS_CONCURRENCY, instances


def use_of(deployments: Iterable[Deployment]) -> dict[str, int]:
    """Instances and serverless concurrency of deployments, by the names of the quotas."""
    by_type: Counter[str] = Counter()
    concurrency = 0
    for deployment in deployments:
        for variant in (*deployment.variants, *deployment.shadows):
            if variant.serverless is not None:
                concurrency += variant.serverless.get("MaxConcurrency", 0)
            elif variant.instance_type is not None:
                by_type[variant.instance_type] += variant.count
    return {**instances("endpoint", by_type), SERVERLESS_CONCURRENCY: concurrency}


def running(record: Endpoint) -> list[Deployment]:
    """What an endpoint holds: while a new fleet comes up, the old one counts too."""
    found = [record.live] if record.live else []
    if record.pending is None:
        return found
    return [record.pending] if record.pending.in_place else [*found, record.pending]


def needed(record: Endpoint, target: Deployment) -> dict[str, int]:
    """What a change to `target` needs beyond what the endpoint holds.

    A resize needs the difference; a new configuration a whole second fleet, until the old one is gone
    (hosting guide, Blue/Green deployments).
    """
    asked = use_of([target])
    if not target.in_place or record.live is None:
        return asked
    held = use_of([record.live])
    return {name: count - held.get(name, 0) for name, count in asked.items()}

"""What endpoints use of the quotas."""

from collections import Counter
from collections.abc import Iterable

from local_sagemaker.hosting.policy import part, policy_in_force, portion
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
    found = [deployment for deployment in (record.live, record.beside) if deployment]
    if record.pending is None:
        return found
    if record.pending.in_place:
        return [record.pending]
    return [*found, _beside(record, record.pending)]


def needed(record: Endpoint, target: Deployment) -> dict[str, int]:
    """What a change to `target` needs beyond what the endpoint holds.

    A resize needs the difference; a new configuration a whole second fleet, until the old one is gone
    (hosting guide, Blue/Green deployments), and a rolling deployment a batch (Rolling deployments).
    """
    if not target.in_place or record.live is None:
        return use_of([_beside(record, target)])
    asked, held = use_of([target]), use_of([record.live])
    return {name: count - held.get(name, 0) for name, count in asked.items()}


def _beside(record: Endpoint, target: Deployment) -> Deployment:
    """`target` with as many instances as run beside the old fleet's when there are the most of them."""
    live = record.live
    if live is None or record.beside or (policy := policy_in_force(target, live)).kind != "ROLLING":
        return target
    ((new,), (old,)) = target.variants, live.variants
    if new.instance_type != old.instance_type:
        return target
    most, left = 0, old.count
    for done in policy.steps(new.count):
        most = max(most, done + left)
        left = portion(old.count, part(done, new.count))
    return target.model_copy(update={"variants": [new.model_copy(update={"count": most - old.count})]})

"""The Airflow assets by which one DAG of a deployment starts another. Names and URIs follow from its key.

A watched asset has its watcher wherever it is named: Airflow stops watching when a DAG file names it without.
"""

from collections.abc import Iterable
from typing import Any

from airflow.sdk import Asset, AssetAlias, AssetWatcher

from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.triggers.new_data import NewDataTrigger
from endpoint_deploy.triggers.package_approved import PackageApprovedTrigger

_GROUP = "endpoint-deploy"


def package_asset(spec: DeploymentSpec) -> Asset:
    """A model package is approved: `extra` is `{"model_package": ARN}`. Watched as `registry` says."""
    asset = _asset("package", spec.key)
    if spec.registry and spec.registry.watched:
        trigger = PackageApprovedTrigger(
            group=spec.registry.group,
            endpoint=spec.endpoint_name,
            conn_id=spec.aws.conn_id,
            region=spec.aws.region,
            store=spec.aws.store,
            memory=f"announced/{spec.endpoint_name}.json",
            poll_seconds=spec.registry.poll_seconds,
        )
        asset.watchers.append(AssetWatcher(name=f"approvals of {asset.name}", trigger=trigger))
    return asset


def released_asset(spec: DeploymentSpec) -> Asset:
    """A deploy run has released: `extra` is `{"release": number in the ledger}`."""
    return _asset("released", spec.key)


def promoted_asset(spec: DeploymentSpec) -> Asset | None:
    """The released asset of the environment that this one promotes; None without `promotion`."""
    return _asset("released", spec.promoted_key) if spec.promoted_key else None


def data_asset(spec: DeploymentSpec) -> Asset:
    """There are new files under `retrain.data.source`: watched where the spec says `on_new_data`."""
    asset = _asset("data", spec.key)
    if spec.retrain and spec.retrain.on_new_data:
        _watch(asset, spec, spec.retrain.data.source, spec.retrain.poll_seconds)
    return asset


def input_asset(spec: DeploymentSpec) -> Asset:
    """There are new files under `batch_transform.input`: watched where the spec says `on_new_data`."""
    asset = _asset("input", spec.key)
    if spec.batch_transform and spec.batch_transform.on_new_data:
        _watch(asset, spec, spec.batch_transform.input, spec.batch_transform.poll_seconds)
    return asset


def maybe(asset: Asset) -> AssetAlias:
    """What a task has for an outlet that publishes the asset only in some of its runs.

    An asset as an outlet is published whenever its task succeeds; through an alias, only when it is added to
    `outlet_events[maybe(asset)]`.
    """
    return AssetAlias(name=f"maybe-{asset.name}", group=_GROUP)


def announced_package(events: Iterable[Any]) -> str | None:
    """The model package of the newest of these events of `package_asset`; None where none names one."""
    for event in sorted(events, key=lambda each: each.timestamp, reverse=True):
        # A watcher's event carries what the trigger yielded as its `payload` (airflow.models.trigger).
        said = event.extra.get("payload") or event.extra
        if isinstance(said, dict) and (arn := said.get("model_package")):
            return str(arn)
    return None


def _watch(asset: Asset, spec: DeploymentSpec, prefix: str, poll_seconds: float) -> None:
    trigger = NewDataTrigger(
        prefix=prefix,
        conn_id=spec.aws.conn_id,
        region=spec.aws.region,
        store=spec.aws.store,
        memory=f"watched/{asset.name}.json",
        poll_seconds=poll_seconds,
    )
    asset.watchers.append(AssetWatcher(name=f"files of {asset.name}", trigger=trigger))


def _asset(what: str, key: str) -> Asset:
    # A URI of its own per deployment, as two active assets may not share one; Airflow takes `x-` as it is.
    return Asset(name=f"{what}__{key}", uri=f"x-endpoint-deploy://{key}/{what}", group=_GROUP)

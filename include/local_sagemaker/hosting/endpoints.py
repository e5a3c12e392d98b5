"""The operations on endpoints."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Protocol

from local_sagemaker.api import errors
from local_sagemaker.api.listing import page
from local_sagemaker.hosting.announcements import Announcements, Emit
from local_sagemaker.hosting.bake import AlarmStates
from local_sagemaker.hosting.catalog import ENDPOINT, Catalog
from local_sagemaker.hosting.deployments import plan_deployment, plan_resize
from local_sagemaker.hosting.fleet import FleetTools
from local_sagemaker.hosting.lifecycle import KIND, Lifecycle
from local_sagemaker.hosting.policy import check_policy, policy_of
from local_sagemaker.hosting.records import IN_PROGRESS, Deployment, Endpoint, Resource
from local_sagemaker.hosting.surroundings import Surroundings
from local_sagemaker.hosting.usage import needed, running, use_of
from local_sagemaker.hosting.views import description, summary
from local_sagemaker.quotas import Quotas
from local_sagemaker.settings import Settings
from local_sagemaker.store import Store

Request = dict[str, Any]


class ScalableTargets(Protocol):
    """What auto scaling has a say in."""

    def check_update(self, endpoint: str, live: Deployment, target: Deployment) -> None:
        """Raise the service's error where an update would take a scaled variant, or its instance type."""

    def forget_endpoint(self, endpoint: str) -> None:
        """The endpoint is being deleted."""


class Endpoints:
    """Every endpoint, by name; names differ in more than case."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        tools: FleetTools,
        configs: Catalog,
        models: Catalog,
        *,
        quotas: Quotas,
        alarm_states: AlarmStates,
        emit: Emit,
    ) -> None:
        self._settings = settings
        self._store = store
        self._tools = tools
        announcements = Announcements(emit)
        self._around = Surroundings(
            store=store,
            tools=tools,
            alarm_states=alarm_states,
            announce_status=announcements.status,
            announce_deployment=announcements.deployment,
            provision_seconds=settings.provision_seconds,
            omit_rollback_reason=settings.omit_rollback_reason,
        )
        self._configs = configs
        self._models = models
        self._quotas = quotas
        quotas.count(lambda: use_of(held for endpoint in self.all() for held in running(endpoint.record)))
        self._by_key: dict[str, Lifecycle] = {}
        self._scalable: ScalableTargets | None = None

    def scaled_by(self, targets: ScalableTargets) -> None:
        """Ask these before an update, and tell them of a deletion."""
        self._scalable = targets

    def load(self) -> None:
        """Read every endpoint from the store; none serves until it is resumed."""
        for key, document in self._store.all(KIND):
            self._by_key[key] = Lifecycle(Endpoint.model_validate(document), self._around)

    async def resume(self) -> None:
        """Bring back what served when the state was last written, and go on with what was under way."""
        await asyncio.gather(*(endpoint.resume() for endpoint in self.all()))

    async def close(self) -> None:
        """Stop every process; the store keeps what is to be resumed."""
        await asyncio.gather(*(endpoint.close() for endpoint in self.all()))

    def all(self) -> list[Lifecycle]:
        """Every endpoint there is."""
        self._by_key = {key: endpoint for key, endpoint in self._by_key.items() if not endpoint.gone}
        return list(self._by_key.values())

    def processes(self) -> Iterator[tuple[str, str, list[int]]]:
        """Of every running instance: the endpoint's name, the variant's, and its processes."""
        for endpoint in self.all():
            for fleet in endpoint.fleets:
                for variant in fleet.everyone:
                    for instance in variant.instances:
                        pids = [replica.pid for replica in instance.replicas if replica.pid is not None]
                        yield endpoint.record.name, variant.variant.name, pids

    def find(self, name: str) -> Lifecycle | None:
        """The endpoint of that name, in any case."""
        endpoint = self._by_key.get(name.lower())
        return None if endpoint is None or endpoint.gone else endpoint

    def get(self, name: str) -> Lifecycle:
        """The endpoint of that name, or the service's error."""
        endpoint = self.find(name)
        if endpoint is None:
            raise errors.not_found(ENDPOINT.label, ENDPOINT.arn(self._settings.region, name))
        return endpoint

    def create(self, request: Request) -> dict[str, Any]:
        """CreateEndpoint."""
        name = request["EndpointName"]
        arn = ENDPOINT.arn(self._settings.region, name)
        if self.find(name):
            raise errors.already_exists(ENDPOINT.label, arn)
        target = self._plan(self._configs.get(request["EndpointConfigName"]), request, None)
        self._quotas.require(use_of([target]))
        endpoint = Lifecycle(
            Endpoint(
                name=name,
                arn=arn,
                config_name=target.config_name,
                status="Creating",
                created=target.started,
                modified=target.started,
                pending=target,
                # Kept for updates that retain it: it changes nothing about the creation.
                deployment_config=target.policy,
                tags={tag["Key"]: tag["Value"] for tag in request.get("Tags", [])},
            ),
            self._around,
        )
        self._by_key[name.lower()] = endpoint
        endpoint.create()
        return {"EndpointArn": arn}

    def describe(self, request: Request) -> dict[str, Any]:
        """DescribeEndpoint."""
        return description(self.get(request["EndpointName"]))

    def list_page(self, request: Request) -> dict[str, Any]:
        """ListEndpoints."""
        return page(request, [summary(endpoint) for endpoint in self.all()], "Endpoints", "EndpointName")

    async def update(self, request: Request) -> dict[str, Any]:
        """UpdateEndpoint."""
        self._planned(request)
        await self._check_alarms(self._deployment_config(request))
        # Again: other requests were answered in between.
        endpoint, target = self._planned(request)
        given = request.get("DeploymentConfig")
        endpoint.update(target, **({"deployment_config": given} if given else {}))
        return {"EndpointArn": endpoint.record.arn}

    def _planned(self, request: Request) -> tuple[Lifecycle, Deployment]:
        """What UpdateEndpoint asks for, all of it checked."""
        endpoint = self._changeable(request["EndpointName"])
        record = endpoint.record
        if not endpoint.fleets:
            raise self._cannot_update(record)
        config = self._configs.get(request["EndpointConfigName"])
        # A deleted live configuration fails the next update, naming the old one
        # (hashicorp/terraform-provider-aws 40048).
        self._configs.get(record.config_name)
        target = self._plan(config, request, record.live)
        if self._scalable and record.live:
            self._scalable.check_update(record.name, record.live, target)
        self._quotas.require(needed(record, target))
        return endpoint, target

    def _plan(self, config: Resource, request: Request, live: Deployment | None) -> Deployment:
        excluded = {
            entry["VariantPropertyType"] for entry in request.get("ExcludeRetainedVariantProperties", [])
        }
        target = plan_deployment(
            config,
            self._models,
            self._tools.clock.now(),
            retained=live if request.get("RetainAllVariantProperties") else None,
            excluded=excluded,
            policy=self._deployment_config(request),
        )
        check_policy(target, live)
        return target

    def _deployment_config(self, request: Request) -> dict[str, Any] | None:
        """The one given, or the last one where that is to be kept."""
        given: dict[str, Any] | None = request.get("DeploymentConfig")
        if given is None and request.get("RetainDeploymentConfig"):
            return self.get(request["EndpointName"]).record.deployment_config
        return given

    async def _check_alarms(self, config: dict[str, Any] | None) -> None:
        names = policy_of(config).alarms
        missing = set(names) - set(await self._around.alarm_states(names)) if names else None
        if missing:
            raise errors.invalid(f"Could not find CloudWatch alarm(s) {', '.join(sorted(missing))}.")

    def update_weights_and_capacities(self, request: Request) -> dict[str, Any]:
        """UpdateEndpointWeightsAndCapacities."""
        endpoint = self._changeable(request["EndpointName"])
        record = endpoint.record
        if record.live is None or record.beside:
            raise self._cannot_update(record)
        target = plan_resize(record.live, request["DesiredWeightsAndCapacities"], self._tools.clock.now())
        self._quotas.require(needed(record, target))
        endpoint.update(target)
        return {"EndpointArn": record.arn}

    def delete(self, request: Request) -> dict[str, Any]:
        """DeleteEndpoint."""
        endpoint = self.get(request["EndpointName"])
        if endpoint.record.status in IN_PROGRESS:
            raise errors.in_progress(endpoint.record.arn)
        if self._scalable:
            # Without notice (hosting guide, Delete endpoints configured for auto scaling).
            self._scalable.forget_endpoint(endpoint.record.name)
        endpoint.delete()
        return {}

    def tags_of(self, name: str) -> tuple[dict[str, str], Callable[[dict[str, str]], None]]:
        """The tags of an endpoint, and how to change them."""
        endpoint = self.get(name)
        return endpoint.record.tags, endpoint.save_tags

    def operations(self) -> dict[str, Callable[[Request], dict[str, Any] | Awaitable[dict[str, Any]]]]:
        """The API's operations on endpoints, by name."""
        return {
            "CreateEndpoint": self.create,
            "DescribeEndpoint": self.describe,
            "DeleteEndpoint": self.delete,
            "ListEndpoints": self.list_page,
            "UpdateEndpoint": self.update,
            "UpdateEndpointWeightsAndCapacities": self.update_weights_and_capacities,
        }

    def _changeable(self, name: str) -> Lifecycle:
        endpoint = self.get(name)
        if endpoint.record.status in IN_PROGRESS:
            raise errors.in_progress(endpoint.record.arn)
        # Of a failed endpoint "DeleteEndpoint is the only operation that can be performed"
        # (DescribeEndpoint's documentation); one out of service is not updated into service either.
        if endpoint.record.status not in ("InService", "UpdateRollbackFailed"):
            raise self._cannot_update(endpoint.record)
        return endpoint

    @staticmethod
    def _cannot_update(record: Endpoint) -> errors.ServiceError:
        return errors.invalid(f'Cannot update endpoint "{record.arn}" in status {record.status}.')

"""From what is wanted and what is live to a plan. Pure: the same input gives the same plan."""

from collections.abc import Iterable

from endpoint_deploy.core import requests, tags
from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.counts import kept_counts, retained_counts
from endpoint_deploy.core.differences import differences
from endpoint_deploy.core.observed import Observed, ObservedConfig, ObservedEndpoint, same_weights
from endpoint_deploy.core.plan import (
    Action,
    EndpointChange,
    Live,
    Plan,
    PlannedConfig,
    PlannedModel,
    RollBackTo,
    Shift,
    VariantTarget,
)
from endpoint_deploy.core.requests import Desired, DesiredVariant
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.core.staging import cannot_stage, champion_bodies
from endpoint_deploy.core.way_back import observed_target, way_back
from endpoint_deploy.errors import NotAsPlanned, TryAgain


def make_plan(
    spec: DeploymentSpec, candidate: Candidate, observed: Observed, *, plan_only: bool = False
) -> Plan:
    """Decide how the endpoint gets from what is observed to the candidate.

    Raises TryAgain while the service is still changing the endpoint, and NotAsPlanned where nothing can be
    planned before a person has acted.
    """
    return _Planner(spec, candidate, observed).plan().model_copy(update={"plan_only": plan_only})


def refuse_deleted_config(endpoint: ObservedEndpoint) -> NotAsPlanned:
    """What is wrong with an endpoint whose configuration is gone (terraform-provider-aws 40048)."""
    return NotAsPlanned(
        f"endpoint {endpoint.name} runs on configuration {endpoint.config}, which has been deleted; "
        "SageMaker refuses every update of such an endpoint. Create that configuration again, or "
        "run the teardown DAG and release anew"
    )


class _Planner:
    """Holds the three inputs, so that each state's plan reads as one short method."""

    def __init__(self, spec: DeploymentSpec, candidate: Candidate, observed: Observed) -> None:
        self.spec = spec
        self.candidate = candidate
        self.seen = observed
        self.want: Desired = requests.desired(spec, candidate)
        self.back = way_back(observed, self.want.config)

    def plan(self) -> Plan:
        endpoint = self.seen.endpoint
        if endpoint is None:
            return self._create()
        if endpoint.in_progress:
            raise TryAgain(
                f"endpoint {endpoint.name} is {endpoint.status}; expected it settled. "
                "Wait until the service is done, then clear from `plan`"
            )
        if endpoint.status in {"Failed", "OutOfService"}:
            return self._recreate(endpoint)
        if endpoint.status == "UpdateRollbackFailed":
            why = "the endpoint serves a mix of two configurations; one update makes it whole"
            return self._update(endpoint, why)
        return self._in_service(endpoint)

    def _in_service(self, endpoint: ObservedEndpoint) -> Plan:
        config = self.seen.config
        if endpoint.config == self.want.config:
            return self._same_config(endpoint)
        if config is None:
            raise refuse_deleted_config(endpoint)
        if self.spec.release.strategy == "direct":
            return self._direct(endpoint, "one update")
        # A release that hung, asked for again; or its champion, asked for in its place.
        ends = {config.joint_final, config.joint_champion}
        if self.want.config in ends and self._all_wanted_stand(endpoint):
            return self._resume(endpoint)
        return self._stage(endpoint)

    def _create(self) -> Plan:
        summary = f"create endpoint {self.spec.endpoint_name} on {self.want.config}"
        return self._plan("create", summary, change=self._to_final("create"))

    def _recreate(self, endpoint: ObservedEndpoint) -> Plan:
        if self._foreign:
            raise NotAsPlanned(
                f"endpoint {endpoint.name} is {endpoint.status} and can only be deleted, but its "
                f"configuration {endpoint.config} was not made by this pipeline, which deletes nothing of "
                "others. "
                "Delete the endpoint by hand, then clear from `plan`"
            )
        # Neither state can be updated into service: DeleteEndpoint is all that is of use.
        return self._plan(
            "recreate",
            f"endpoint {endpoint.name} is {endpoint.status}: delete it and create it on {self.want.config}",
            change=self._to_final("recreate"),
        )

    def _same_config(self, endpoint: ObservedEndpoint) -> Plan:
        weights = {v.name: v.weight for v in self.want.variants}
        drifted = not same_weights(endpoint.weights, weights)
        if not drifted and self.seen.config:
            return Plan(
                endpoint=endpoint.name,
                action="nothing",
                summary=f"nothing to do: {endpoint.name} already serves {self.want.config}",
                expects=_live(endpoint),
                artifact_sha256=self.candidate.sha256,
                live_after=observed_target(endpoint),
            )
        todo = [f"bring the weights of {endpoint.name} back to the spec's"] if drifted else []
        if self.seen.config is None:
            todo.append(f"create {self.want.config} again, which was deleted behind the endpoint")
        return self._plan("reweigh", "; ".join(todo), shift=Shift(weights=weights) if drifted else None)

    def _direct(self, endpoint: ObservedEndpoint, why: str) -> Plan:
        champion = self.seen.champion
        if champion is None or self.back is None:
            return self._update(endpoint, why)
        kept = retained_counts(
            self.want, endpoint, kept_counts(self.want, self.back, champion), self.seen.config or champion
        )
        return self._update(endpoint, why, counts=kept.counts, notes=kept.notes)

    def _update(
        self,
        endpoint: ObservedEndpoint,
        why: str,
        *,
        counts: dict[str, int] | None = None,
        notes: tuple[str, ...] = (),
    ) -> Plan:
        return self._plan(
            "direct",
            f"update endpoint {endpoint.name} to {self.want.config} ({why})",
            change=self._to_final("update", counts=counts, retain=self._all_but_counts() if counts else None),
            warnings=notes,
        )

    def _stage(self, endpoint: ObservedEndpoint) -> Plan:
        champion, back = self.seen.champion, self.back
        obstacle = cannot_stage(self.want, champion, back)
        if obstacle or champion is None or back is None:
            plan = self._direct(endpoint, f"not staged: {obstacle}")
            warning = f"this release cannot be staged: {obstacle}"
            return plan.model_copy(update={"warnings": (*plan.warnings, warning)})
        kept = kept_counts(self.want, back, champion)
        joint = self._joint(champion, back, kept.counts)
        candidates = tuple(_target(v, kept.counts, weight=0.0) for v in self.want.variants)
        return self._plan(
            "stage",
            f"add {_names(v.name for v in candidates)} beside {_names(v.name for v in back.variants)} on "
            f"{endpoint.name}, prove it, shift the traffic, retire the old",
            joint=joint,
            change=EndpointChange(operation="update", config=joint.name, variants=back.variants + candidates),
            shift=self._shift(v.name for v in back.variants),
            retire=self._retire(kept.counts),
            warnings=kept.notes,
        )

    def _resume(self, endpoint: ObservedEndpoint) -> Plan:
        counts = {v.name: v.desired_count for v in endpoint.variants if v.desired_count}
        return self._plan(
            "resume",
            f"candidate and champion already stand side by side on {endpoint.name}: prove, shift, retire",
            shift=self._shift(v.name for v in endpoint.variants),
            retire=self._retire(counts),
        )

    def _plan(
        self,
        action: Action,
        summary: str,
        *,
        change: EndpointChange | None = None,
        joint: PlannedConfig | None = None,
        shift: Shift | None = None,
        retire: EndpointChange | None = None,
        warnings: tuple[str, ...] = (),
    ) -> Plan:
        endpoint = self.seen.endpoint
        final = requests.final_config_body(self.spec, self.want)
        return Plan(
            endpoint=self.spec.endpoint_name,
            action=action,
            summary=summary,
            expects=_live(endpoint) if endpoint else Live(status=None, config=None),
            artifact_sha256=self.candidate.sha256,
            models=tuple(PlannedModel(name=m, exists=m in self.seen.existing) for m in self.want.models),
            config=self._config(final, {tags.STAGE: "final"}),
            joint=joint,
            change=change,
            proves=tuple(v.name for v in self.want.variants),
            shift=shift,
            retire=retire,
            roll_back_to=self.back,
            live_after=RollBackTo(config=self.want.config, variants=self._targets_after(retire or change)),
            differences=differences(self.seen.champion, final, self.candidate),
            warnings=warnings + self._cautions(),
        )

    def _targets_after(self, last: EndpointChange | None) -> tuple[VariantTarget, ...]:
        if last:
            return last.variants
        # Weights alone are changed: the counts stay what they are, autoscaled or not.
        live = self.seen.endpoint.variants if self.seen.endpoint else ()
        counts = {v.name: v.desired_count for v in live if v.desired_count is not None}
        return tuple(_target(v, counts) for v in self.want.variants)

    def _cautions(self) -> tuple[str, ...]:
        endpoint, cautions = self.seen.endpoint, []
        if endpoint and self._foreign:
            cautions.append(f"the live configuration {endpoint.config} was not made by this pipeline")
        if endpoint and self.back is None:
            cautions.append("there is no way back: no other configuration is known to be good")
        return tuple(cautions)

    def _config(self, body: requests.Body, extra: dict[str, str]) -> PlannedConfig:
        name = body["EndpointConfigName"]
        return PlannedConfig(
            name=name,
            exists=name in self.seen.existing,
            body=body,
            tags={**requests.base_tags(self.spec), tags.ARTIFACT: self.candidate.sha256, **extra},
        )

    def _joint(self, champion: ObservedConfig, back: RollBackTo, counts: dict[str, int]) -> PlannedConfig:
        return self._config(
            requests.joint_config_body(self.spec, self.want, champion_bodies(champion, back), counts),
            {tags.STAGE: "joint", tags.FINAL_CONFIG: self.want.config, tags.CHAMPION_CONFIG: back.config},
        )

    @property
    def _foreign(self) -> bool:
        config = self.seen.config
        return config is not None and not tags.ours(config.tags, self.spec.endpoint_name)

    def _all_wanted_stand(self, endpoint: ObservedEndpoint) -> bool:
        return {v.name for v in self.want.variants} <= endpoint.weights.keys()

    def _shift(self, standing: Iterable[str]) -> Shift:
        return Shift(weights=dict.fromkeys(standing, 0.0) | {v.name: v.weight for v in self.want.variants})

    def _retire(self, counts: dict[str, int]) -> EndpointChange:
        # Names stand in both configurations here, so the service retains the counts. The final configuration
        # declares the weights that were shifted to; data capture is the joint configuration's already.
        return self._to_final("update", counts=counts, retain=("DesiredWeight",))

    def _all_but_counts(self) -> tuple[str, ...]:
        """What an update that retains the counts must not retain: the spec's weights and capture win."""
        live = self.seen.config.data_capture if self.seen.config else None
        wanted = requests.final_config_body(self.spec, self.want).get("DataCaptureConfig")
        # The guide calls this exclusion "not currently supported", so it is sent only where it matters.
        return ("DesiredWeight",) if live == wanted else ("DesiredWeight", "DataCaptureConfig")

    def _to_final(
        self, operation: str, *, counts: dict[str, int] | None = None, retain: tuple[str, ...] | None = None
    ) -> EndpointChange:
        return EndpointChange.model_validate(
            {
                "operation": operation,
                "config": self.want.config,
                "variants": [_target(v, counts or {}) for v in self.want.variants],
                "retain": retain,
            }
        )


def _target(variant: DesiredVariant, counts: dict[str, int], *, weight: float | None = None) -> VariantTarget:
    return VariantTarget(
        name=variant.name,
        count=counts.get(variant.name, variant.count),
        weight=variant.weight if weight is None else weight,
    )


def _live(endpoint: ObservedEndpoint) -> Live:
    return Live(status=endpoint.status, config=endpoint.config)


def _names(names: Iterable[str]) -> str:
    return " and ".join(names)

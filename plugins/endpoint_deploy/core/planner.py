"""From what is wanted and what is live to a plan. Pure: the same input gives the same plan."""

from collections.abc import Iterable

from endpoint_deploy.core import naming, requests, tags
from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.differences import differences
from endpoint_deploy.core.observed import (
    Observed,
    ObservedConfig,
    ObservedEndpoint,
    ObservedVariant,
    same_weights,
)
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
from endpoint_deploy.core.requests import Desired
from endpoint_deploy.core.spec import MAX_VARIANTS, DeploymentSpec
from endpoint_deploy.errors import NotAsPlanned, TryAgain


def make_plan(
    spec: DeploymentSpec, candidate: Candidate, observed: Observed, *, plan_only: bool = False
) -> Plan:
    """Decide how the endpoint gets from what is observed to the candidate.

    Raises TryAgain while the service is still changing the endpoint, and NotAsPlanned where nothing can be
    planned before a person has acted.
    """
    return _Planner(spec, candidate, observed).plan().model_copy(update={"plan_only": plan_only})


class _Planner:
    """Holds the three inputs, so that each state's plan reads as one short method."""

    def __init__(self, spec: DeploymentSpec, candidate: Candidate, observed: Observed) -> None:
        self.spec = spec
        self.candidate = candidate
        self.seen = observed
        self.want: Desired = requests.desired(spec, candidate)

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
            return self._direct(
                endpoint,
                "the endpoint serves a mix of two configurations; one update makes it whole",
                self._last_good() or self._whole(self.seen.champion),
            )
        return self._in_service(endpoint)

    def _in_service(self, endpoint: ObservedEndpoint) -> Plan:
        if endpoint.config == self.want.config:
            return self._same_config(endpoint)
        if self.seen.config is None:
            raise NotAsPlanned(
                f"endpoint {endpoint.name} runs on configuration {endpoint.config}, which has been deleted; "
                "SageMaker refuses every update of such an endpoint. Create that configuration again, or "
                "run the teardown DAG and release anew"
            )
        if self.spec.release.strategy == "direct":
            return self._direct(endpoint, "one update", self._champion_target(endpoint))
        if self.seen.config.joint_final == self.want.config and self._candidate_stands(endpoint):
            return self._resume(endpoint)
        return self._stage(endpoint)

    def _create(self) -> Plan:
        return self._plan(
            "create",
            f"create endpoint {self.spec.endpoint_name} on {self.want.config}",
            change=self._to_final("create"),
            back=None,
        )

    def _recreate(self, endpoint: ObservedEndpoint) -> Plan:
        # Neither state can be updated into service: DeleteEndpoint is all that is of use.
        return self._plan(
            "recreate",
            f"endpoint {endpoint.name} is {endpoint.status}: delete it and create it on {self.want.config}",
            change=self._to_final("recreate"),
            back=self._last_good(),
        )

    def _same_config(self, endpoint: ObservedEndpoint) -> Plan:
        weights = {v.name: v.weight for v in self.want.variants}
        if same_weights(endpoint.weights, weights):
            return Plan(
                endpoint=endpoint.name,
                action="nothing",
                summary=f"nothing to do: {endpoint.name} already serves {self.want.config}",
                expects=_live(endpoint),
                artifact_sha256=self.candidate.sha256,
                live_after=self._observed_target(endpoint),
            )
        return self._plan(
            "reweigh",
            f"bring the weights of {endpoint.name} back to the spec's",
            shift=Shift(weights=weights),
            back=self._observed_target(endpoint),
        )

    def _direct(self, endpoint: ObservedEndpoint, why: str, back: RollBackTo | None) -> Plan:
        retained, warnings = self._retained(endpoint)
        # The spec's weights and data capture win; only what autoscaling set is kept.
        excluded = ("DesiredWeight", "DataCaptureConfig")
        return self._plan(
            "direct",
            f"update endpoint {endpoint.name} to {self.want.config} ({why})",
            change=self._to_final("update", counts=retained, retain=excluded if retained else None),
            back=back,
            warnings=warnings,
        )

    def _stage(self, endpoint: ObservedEndpoint) -> Plan:
        champion, back = self.seen.champion, self._champion_target(endpoint)
        obstacle = self._cannot_stage(champion)
        if obstacle or champion is None or back is None:
            plan = self._direct(endpoint, f"not staged: {obstacle}", back or self._whole(self.seen.config))
            return plan.model_copy(
                update={"warnings": (*plan.warnings, f"this release cannot be staged: {obstacle}")}
            )
        counts, notes = self._kept_counts(endpoint)
        joint = self._joint(champion, back, counts)
        candidates = tuple(VariantTarget(name=v.name, count=counts.get(v.name, v.count), weight=0.0)
                           for v in self.want.variants)  # fmt: skip
        return self._plan(
            "stage",
            f"add {_names(v.name for v in candidates)} beside {_names(v.name for v in back.variants)} on "
            f"{endpoint.name}, prove it, shift the traffic, retire the old",
            joint=joint,
            change=EndpointChange(operation="update", config=joint.name, variants=back.variants + candidates),
            shift=self._shift(back),
            retire=self._retire(counts),
            back=back,
            warnings=notes,
        )

    def _resume(self, endpoint: ObservedEndpoint) -> Plan:
        back = self._champion_target(endpoint)
        if back is None:  # the champion's configuration is gone: there is nothing to go back to but this
            return self._direct(endpoint, "the champion's configuration is gone", None)
        counts = {v.name: v.desired_count for v in endpoint.variants if v.desired_count is not None}
        return self._plan(
            "resume",
            f"candidate and champion already stand side by side on {endpoint.name}: prove, shift, retire",
            shift=self._shift(back),
            retire=self._retire(counts),
            back=back,
        )

    def _plan(
        self,
        action: Action,
        summary: str,
        *,
        back: RollBackTo | None,
        change: EndpointChange | None = None,
        joint: PlannedConfig | None = None,
        shift: Shift | None = None,
        retire: EndpointChange | None = None,
        warnings: tuple[str, ...] = (),
    ) -> Plan:
        endpoint = self.seen.endpoint
        final = requests.final_config_body(self.spec, self.want)
        last = retire or change
        targets = last.variants if last else tuple(_target(v) for v in self.want.variants)
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
            roll_back_to=back,
            live_after=RollBackTo(config=self.want.config, variants=targets),
            differences=differences(self.seen.champion, final, self.candidate),
            warnings=warnings,
        )

    def _config(self, body: requests.Body, extra: dict[str, str]) -> PlannedConfig:
        name = body["EndpointConfigName"]
        return PlannedConfig(
            name=name,
            exists=name in self.seen.existing,
            body=body,
            tags={**requests.base_tags(self.spec), tags.ARTIFACT: self.candidate.sha256, **extra},
        )

    def _joint(
        self, champion: ObservedConfig, back: RollBackTo, counts: dict[str, int]
    ) -> PlannedConfig:  # fmt: skip
        live = {v.name: v for v in back.variants}
        bodies = []
        for body in champion.variants:
            target = live[body["VariantName"]]
            bodies.append(
                {**body, "InitialInstanceCount": target.count, "InitialVariantWeight": target.weight}
            )
        return self._config(
            requests.joint_config_body(self.spec, self.want, bodies, counts),
            {tags.STAGE: "joint", tags.FINAL_CONFIG: self.want.config, tags.CHAMPION_CONFIG: back.config},
        )

    def _cannot_stage(self, champion: ObservedConfig | None) -> str | None:
        if champion is None:
            return "the configuration that the champion came from is gone"
        if champion.serverless:
            return "the live endpoint is serverless"
        if any("InstancePools" in v or "InitialInstanceCount" not in v for v in champion.variants):
            return "the live endpoint has a variant without a fixed instance count"
        if len(champion.variants) + len(self.want.variants) > MAX_VARIANTS:
            return f"{len(champion.variants)} live variants leave no room; an endpoint takes {MAX_VARIANTS}"
        return None

    def _candidate_stands(self, endpoint: ObservedEndpoint) -> bool:
        return {v.name for v in self.want.variants} <= endpoint.weights.keys()

    def _champion_target(self, endpoint: ObservedEndpoint) -> RollBackTo | None:
        """Counts and weights to go back to: the live ones, or the champion's own where a release hung."""
        if self.seen.config and self.seen.config.joint_final:
            return self._whole(self.seen.champion)
        return self._observed_target(endpoint)

    @staticmethod
    def _observed_target(endpoint: ObservedEndpoint) -> RollBackTo:
        return RollBackTo(
            config=endpoint.config,
            variants=tuple(VariantTarget(name=v.name, count=v.desired_count, weight=v.desired_weight)
                           for v in endpoint.variants),
        )  # fmt: skip

    def _last_good(self) -> RollBackTo | None:
        return self._whole(self.seen.last_good)

    @staticmethod
    def _whole(config: ObservedConfig | None) -> RollBackTo | None:
        """A configuration with the counts and weights that it declares."""
        if config is None:
            return None
        return RollBackTo(config=config.name, variants=declared_targets(config.variants))

    def _autoscaled(self, endpoint: ObservedEndpoint) -> dict[str, ObservedVariant]:
        """By declared name, the live variants whose count is no longer what their configuration set."""
        initial = {
            v["VariantName"]: v.get("InitialInstanceCount")
            for v in (self.seen.config.variants if self.seen.config else ())
        }
        return {
            naming.declared_name(v.name): v
            for v in endpoint.variants
            if v.desired_count is not None and initial.get(v.name) not in {None, v.desired_count}
        }

    def _kept_counts(self, endpoint: ObservedEndpoint) -> tuple[dict[str, int], tuple[str, ...]]:
        """The candidate's counts that differ from the spec's because autoscaling moved the champion's."""
        scaled = self._autoscaled(endpoint)
        kept = {
            v.name: count
            for v in self.want.variants
            if v.declared in scaled
            and (count := scaled[v.declared].desired_count) is not None
            and v.count is not None
        }
        notes = tuple(
            f"variant {name} starts with {count} instances, as the champion runs now, not the spec's"
            for name, count in kept.items()
        )
        return kept, notes

    def _retained(self, endpoint: ObservedEndpoint) -> tuple[dict[str, int], tuple[str, ...]]:
        """The same for a direct update, where the service itself retains counts, or resets them all."""
        kept, notes = self._kept_counts(endpoint)
        live = {v.name for v in endpoint.variants}
        initial = {v["VariantName"]: v.get("InitialInstanceCount")
                   for v in (self.seen.config.variants if self.seen.config else ())}  # fmt: skip
        changed = [v.name for v in self.want.variants if v.name in live and v.count != initial.get(v.name)]
        kept = {name: count for name, count in kept.items() if name in live}
        if kept and changed:
            return {}, (f"the update resets the autoscaled counts of {_names(kept)} to the spec's",)
        return kept, notes if kept else ()

    def _shift(self, champion: RollBackTo) -> Shift:
        return Shift(
            weights={v.name: 0.0 for v in champion.variants} | {v.name: v.weight for v in self.want.variants}
        )

    def _retire(self, counts: dict[str, int]) -> EndpointChange:
        # Names stand in both configurations here, so the service retains counts and the shifted weights.
        return self._to_final("update", counts=counts, retain=("DataCaptureConfig",))

    def _to_final(
        self, operation: str, *, counts: dict[str, int] | None = None, retain: tuple[str, ...] | None = None
    ) -> EndpointChange:
        return EndpointChange.model_validate(
            {
                "operation": operation,
                "config": self.want.config,
                "variants": [_target(v, (counts or {}).get(v.name)) for v in self.want.variants],
                "retain": retain,
            }
        )


def declared_targets(variants: Iterable[requests.Body]) -> tuple[VariantTarget, ...]:
    """The counts and weights that a configuration declares."""
    return tuple(
        VariantTarget(
            name=v["VariantName"],
            count=v.get("InitialInstanceCount"),
            weight=v.get("InitialVariantWeight", 1.0),
        )
        for v in variants
    )


def _target(variant: requests.DesiredVariant, count: int | None = None) -> VariantTarget:
    return VariantTarget(name=variant.name, count=count or variant.count, weight=variant.weight)


def _live(endpoint: ObservedEndpoint) -> Live:
    return Live(status=endpoint.status, config=endpoint.config)


def _names(names: Iterable[str]) -> str:
    return " and ".join(names)

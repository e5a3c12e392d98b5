"""What every plan of a release is made of: the slots that do not depend on the strategy."""

from endpoint_deploy.core import requests, tags
from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.costs import costs
from endpoint_deploy.core.differences import differences
from endpoint_deploy.core.observed import Observed, ObservedEndpoint
from endpoint_deploy.core.plan import (
    Action,
    EndpointChange,
    Live,
    Plan,
    PlannedAlarm,
    PlannedConfig,
    PlannedModel,
    RollBackTo,
    Shift,
    VariantTarget,
    Watch,
)
from endpoint_deploy.core.plan_cautions import cautions
from endpoint_deploy.core.requests import Desired, DesiredVariant
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.core.way_back import way_back


class Draft:
    """What is wanted, what is live and the way back between them, from which each strategy draws its plan."""

    def __init__(self, spec: DeploymentSpec, candidate: Candidate, observed: Observed) -> None:
        self.spec = spec
        self.candidate = candidate
        self.seen = observed
        self.want: Desired = requests.desired(spec, candidate)
        self.back = way_back(observed, self.want.config)

    def plan(
        self,
        action: Action,
        summary: str,
        *,
        change: EndpointChange | None = None,
        alarms: tuple[PlannedAlarm, ...] = (),
        joint: PlannedConfig | None = None,
        shift: Shift | None = None,
        retire: EndpointChange | None = None,
        warnings: tuple[str, ...] = (),
    ) -> Plan:
        """A plan with the given slots, and those that every plan fills the same way."""
        endpoint = self.seen.endpoint
        final = requests.final_config_body(self.spec, self.want)
        return Plan(
            endpoint=self.spec.endpoint_name,
            action=action,
            summary=summary,
            expects=live(endpoint) if endpoint else Live(status=None, config=None),
            artifact_sha256=self.candidate.sha256,
            models=tuple(PlannedModel(name=m, exists=m in self.seen.existing) for m in self.want.models),
            config=self._config(final, {tags.STAGE: "final"}),
            joint=joint,
            alarms=alarms,
            change=change,
            proves=tuple(v.name for v in self.want.variants),
            shift=shift,
            watch=self._watch if change or retire else None,
            retire=retire,
            roll_back_to=self.back,
            live_after=RollBackTo(config=self.want.config, variants=self._targets_after(retire or change)),
            differences=differences(self.seen.champion, final, self.candidate),
            warnings=warnings
            + cautions(self.spec, self.want, self.seen, back=self.back, change=change, final=final),
            costs=costs(self.spec, self.want, change, retire),
        )

    def to_final(
        self, operation: str, *, counts: dict[str, int] | None = None, retain: tuple[str, ...] | None = None
    ) -> EndpointChange:
        """The change that leaves the candidate alone; counts: the ones that are not to be the spec's."""
        return EndpointChange.model_validate(
            {
                "operation": operation,
                "config": self.want.config,
                "variants": [target(v, counts or {}) for v in self.want.variants],
                "retain": retain,
            }
        )

    def between(self, body: requests.Body, back: RollBackTo) -> PlannedConfig:
        """A configuration that stands only while the release is under way."""
        return self._config(
            body,
            {tags.STAGE: "joint", tags.FINAL_CONFIG: self.want.config, tags.CHAMPION_CONFIG: back.config},
        )

    def _config(self, body: requests.Body, extra: dict[str, str]) -> PlannedConfig:
        name = body["EndpointConfigName"]
        return PlannedConfig(
            name=name,
            exists=name in self.seen.existing,
            body=body,
            tags={**requests.base_tags(self.spec), tags.ARTIFACT: self.candidate.sha256, **extra},
        )

    def _targets_after(self, last: EndpointChange | None) -> tuple[VariantTarget, ...]:
        if last:
            return last.variants
        # Weights alone are changed: the counts stay what they are, autoscaled or not.
        found = self.seen.endpoint.variants if self.seen.endpoint else ()
        counts = {v.name: v.desired_count for v in found if v.desired_count is not None}
        return tuple(target(v, counts) for v in self.want.variants)

    @property
    def _watch(self) -> Watch | None:
        """Without another release to go back to there is nothing to watch for."""
        seconds = self.spec.release.watch.seconds
        leads_back = self.back is not None and self.back.config != self.want.config
        return Watch(seconds=seconds) if seconds and leads_back else None


def target(variant: DesiredVariant, counts: dict[str, int], *, weight: float | None = None) -> VariantTarget:
    """A wanted variant with the given count and weight, or else the spec's."""
    return VariantTarget(
        name=variant.name,
        count=counts.get(variant.name, variant.count),
        weight=variant.weight if weight is None else weight,
    )


def live(endpoint: ObservedEndpoint) -> Live:
    """What a plan expects to find when it is carried out."""
    return Live(status=endpoint.status, config=endpoint.config)

"""The analysis at a stage of a release: which comparison a look belongs to, and what it says of the stage."""

from dataclasses import dataclass

from airflow.sdk import timezone

from endpoint_deploy.analysis.look import Look, Stage, Subject, sides_of
from endpoint_deploy.analysis.looks import Looks
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.stages import Comparison, Said, StageRecord
from endpoint_deploy.judge.verdicts import Verdict
from endpoint_deploy.judge.way_on import Way, WayOn


@dataclass(frozen=True)
class StageAnalysis:
    """Takes looks at the stages of one release.

    judged: how many stages are judged, which share the false alarms that the spec bears. watches: whether the
    stage is the watch. One comparison after the other is made there, since a fault may come late, each with
    half of the false alarms of the one before: together they never have more than the stage's share.
    """

    hook: EndpointHook
    deployment: Deployment
    subject: Subject
    judged: int
    watches: bool
    has_steps: bool

    @classmethod
    def of(
        cls, hook: EndpointHook, deployment: Deployment, plan: Plan, *, run_key: str, watches: bool
    ) -> "StageAnalysis | None":
        """None without a section `analysis`, and where no champion stands beside the candidate."""
        sides = sides_of(plan)
        if deployment.spec.analysis is None or sides is None:
            return None
        steps = plan.shift.steps if plan.shift else ()
        return cls(
            hook=hook,
            deployment=deployment,
            subject=Subject(hook, deployment, sides, run_key),
            judged=max(1, len(steps) + bool(plan.watch)),
            watches=watches,
            has_steps=bool(steps),
        )

    def look(self, record: StageRecord) -> tuple[StageRecord, WayOn]:
        """One more look: what is to be kept of it, and what follows."""
        from endpoint_deploy.analysis.take_look import take_look  # noqa: PLC0415 - scipy is not for parsing

        now = timezone.utcnow()
        comparison = record.comparison or Comparison(since=record.began or now)
        stage = self._stage(record, comparison)
        previous = self._looks(stage).look(comparison.looks) if comparison.looks else None
        look = take_look(self.subject, stage, previous)
        comparison = comparison.model_copy(update={"looks": look.number})
        said = Said(at=look.at, verdict=look.judgement.verdict, reason=look.on.reason, look=look.number)
        kept = {"comparison": comparison, "analysis": look.evidence}
        seen = record.with_said(said).model_copy(update=kept)
        return self._of_the_watch(seen, look) if self.watches else (seen, look.on)

    def anew(self, record: StageRecord) -> StageRecord:
        """The stage with a comparison of its own from now on: more samples for one that is used up."""
        number = 1 + (record.comparison.number if record.comparison else 0)
        comparison = Comparison(number=number, since=timezone.utcnow())
        return record.model_copy(update={"comparison": comparison, "asked": None})

    def folder(self, record: StageRecord) -> str:
        """The s3:// address of the looks at a stage, and of what they rest on."""
        comparison = record.comparison or Comparison(since=record.began or timezone.utcnow())
        return self._looks(self._stage(record, comparison)).uri

    def _of_the_watch(self, seen: StageRecord, look: Look) -> tuple[StageRecord, WayOn]:
        """What is not proven bad goes on: good was proven at the steps, and time ends the watch."""
        first_of_all = not self.has_steps and seen.comparison is not None and seen.comparison.number == 1
        if look.on.way is Way.LOOK_AGAIN or look.judgement.verdict is Verdict.FAIL:
            return seen, look.on
        if first_of_all and look.on.way is not Way.PROMOTE:
            return seen, look.on
        return self.anew(seen), WayOn(way=Way.LOOK_AGAIN, reason=look.on.reason)

    def _stage(self, record: StageRecord, comparison: Comparison) -> Stage:
        halved = comparison.number if self.watches else comparison.number - 1
        name = f"{record.name}-{comparison.number}"
        return Stage(name=name, since=comparison.since, of=self.judged * 2**halved)

    def _looks(self, stage: Stage) -> Looks:
        spec = self.deployment.spec
        return Looks(self.hook.s3, spec.aws.store, spec.endpoint_name, self.subject.run_key, stage)

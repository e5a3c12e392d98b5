"""One look at a stage of a release: measure, judge, decide what follows, keep it."""

from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError

from endpoint_deploy.analysis.captured import captured_requests
from endpoint_deploy.analysis.expected import unexpected
from endpoint_deploy.analysis.look import Look, Stage, Subject
from endpoint_deploy.analysis.looks import Looks
from endpoint_deploy.analysis.measure import Measured, distinct, summary
from endpoint_deploy.analysis.replay import Replay, Replayed
from endpoint_deploy.analysis.requests import Request, chosen, requests_in_files
from endpoint_deploy.analysis.spread import spread
from endpoint_deploy.analysis.traffic import is_scarce, traffic
from endpoint_deploy.analysis.ways import follow
from endpoint_deploy.aws import errors
from endpoint_deploy.core.analysis_spec import AnalysisSpec, needs_replay
from endpoint_deploy.errors import SpecError
from endpoint_deploy.judge.judge import judge


def take_look(subject: Subject, stage: Stage, previous: Look | None) -> Look:
    """Look once more at a stage, `previous` being the look before this one, None for the first.

    A look that was taken already is returned as it was kept: whoever lost the answer takes no other. The
    look's `on.way` is one of promote, roll_back, look_again (after a pause) and ask.
    Raises SpecError without a section `analysis`, and TryAgain, or what boto3 raises, where S3 cannot be
    reached; what cannot be measured is a verdict instead.
    """
    return _Taking(subject, stage, previous).look()


class _Taking:
    """Holds the inputs of one look."""

    def __init__(self, subject: Subject, stage: Stage, previous: Look | None) -> None:
        spec = subject.deployment.spec
        if spec.analysis is None:
            raise SpecError(f"{spec.key}: found no section `analysis`, expected one to judge by")
        self.analysis: AnalysisSpec = spec.analysis
        self.subject = subject
        self.stage = stage
        self.previous = previous
        self.number = previous.number + 1 if previous else 1
        self.looks = Looks(subject.hook.s3, spec.aws.store, spec.endpoint_name, subject.run_key, stage)

    def look(self) -> Look:
        if (there := self.looks.look(self.number)) is not None:
            return there
        hook, endpoint = self.subject.hook, self.subject.deployment.spec.endpoint_name
        now = datetime.now(UTC)
        of_all = traffic(
            hook.cloudwatch, endpoint, self.subject.sides, self.analysis, since=self.stage.since, now=now
        )
        earlier = [found for each in range(1, self.number) if (found := self.looks.replayed(each))]
        # Hardly anybody asks a side: our own requests are counted by CloudWatch, too.
        scarce = any(is_scarce(of_all.get(each.name), each.least) for each in self.analysis.metrics)
        early = now < self._heard_from()
        # What is replayed must show in CloudWatch, once it has heard of the stage at all.
        may_replay = scarce and (early or len(earlier) < self.analysis.limits.errors)
        replayed, no_replay = self._replay(earlier, now, instead=may_replay)
        measured = Measured(
            replays=(replays := [*earlier, replayed] if replayed else earlier),
            no_replay=no_replay,
            traffic=of_all,
            unexpected=unexpected(self.subject.deployment, self.analysis, replays),
        )
        measurements = measured.of(self.analysis)
        judgement = judge(
            self.analysis.judge_plan(stages=self.stage.of),
            measurements,
            self.previous.judgement if self.previous else None,
        )
        on = follow(
            judgement,
            self.analysis,
            replayed=may_replay and bool(replayed and replayed.pairs),
            news=bool(replayed and replayed.candidate),
            early=early,
        )
        return self.looks.keep(
            Look(
                stage=self.stage.name,
                number=self.number,
                since=self.stage.since,
                at=now,
                judgement=judgement,
                on=on,
                measured=summary(measured),
                spreads={
                    name: its for name, each in measurements.items() if (its := spread(each)) is not None
                },
                kept=self.looks.uri,
            )
        )

    def _heard_from(self) -> datetime:
        """When CloudWatch must have something to say of the stage, if there was any traffic."""
        patience = self.analysis.delay_seconds + self.analysis.period_seconds * self.analysis.limits.errors
        return self.stage.since + timedelta(seconds=patience)

    def _replay(
        self, earlier: list[Replayed], now: datetime, *, instead: bool
    ) -> tuple[Replayed | None, str | None]:
        """What this look replays, and why not where it does not; `instead` of traffic, if need be."""
        if (there := self.looks.replayed(self.number)) is not None:
            return there, None
        replay = self.analysis.replay
        wanted = any(needs_replay(metric) for metric in self.analysis.metrics)
        if replay is None or not (wanted or instead):
            return None, "nothing was replayed"
        pool, said = self._pool(now)
        if not pool:
            return None, f"found no request to replay: {said}"
        known = distinct(earlier)
        sender = Replay(
            self.subject.hook, self.subject.deployment.spec.endpoint_name, self.subject.sides, known
        )
        replayed = sender.send(
            chosen(pool, known, replay.requests_per_look),
            concurrency=replay.concurrency,
            seconds=replay.seconds_per_look,
        )
        return self.looks.keep_replayed(self.number, replayed.model_copy(update={"pool": said})), None

    def _pool(self, now: datetime) -> tuple[list[Request], str]:
        """The requests to choose from, and which they are in words."""
        spec = self.subject.deployment.spec
        of_files = requests_in_files(self.subject.deployment)
        said = f"{len(of_files)} of files"
        if not (self.analysis.replay and self.analysis.replay.captured):
            return of_files, said
        try:
            captured = captured_requests(self.subject.hook, spec, now=now)
        except ClientError as error:
            return of_files, f"{said}; captured ones cannot be read: {errors.code(error)}"
        return [*captured, *of_files], f"{said}, {len(captured)} captured"

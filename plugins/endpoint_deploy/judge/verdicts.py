"""What came of a look: a verdict of each metric, with its numbers, and one of the release."""

from enum import StrEnum

from endpoint_deploy.core.strict import Strict


class Verdict(StrEnum):
    """In the order from best to worst; a release has the worst of its metrics that count."""

    PASS = "pass"  # noqa: S105 - no password
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    FAIL = "fail"


class Numbers(Strict):
    """What a verdict rests on.

    candidate, champion: the metric's values; effect: the candidate's against the champion's, a ratio or a
    share; low, high: its confidence interval at this look, None where there is none; worse_than_tolerated,
    better_than_unacceptable: p-values, to be at most fail_at and pass_at; tolerated, unacceptable: the
    effect's bounds, of which the second is above 1 for a ratio and at most 1 for a share.
    """

    candidate_samples: int
    champion_samples: int
    candidate: float
    champion: float
    effect: float
    low: float | None
    high: float | None
    worse_than_tolerated: float
    better_than_unacceptable: float
    fail_at: float | None = None
    pass_at: float | None = None
    tolerated: float | None = None
    unacceptable: float | None = None


class MetricVerdict(Strict):
    """One metric at one look.

    looks: for each look so far that counted, the share of the planned samples that it had;
    false_alarms_spent: of what the metric may spend, in probability; passed: at this look or before;
    no_traffic: one side had no samples.
    """

    metric: str
    verdict: Verdict
    reason: str
    dry_run: bool = False
    must_pass: bool = True
    numbers: Numbers | None = None
    looks: tuple[float, ...] = ()
    false_alarms_spent: float = 0
    passed: bool = False
    no_traffic: bool = False

    @property
    def counts(self) -> bool:
        """Whether the release's verdict has regard to it: what need not pass counts where it fails."""
        return not self.dry_run and (self.must_pass or self.verdict is Verdict.FAIL)

    @property
    def exhausted(self) -> bool:
        """Whether the planned samples are used up: more of them would prove nothing."""
        return bool(self.looks) and self.looks[-1] >= 1


class Judgement(Strict):
    """One look at a release; in_a_row: how many looks up to this one had this verdict."""

    verdict: Verdict
    reason: str
    metrics: tuple[MetricVerdict, ...]
    look: int
    in_a_row: int

    def of(self, metric: str) -> MetricVerdict | None:
        """A metric's verdict; None where it was not judged."""
        return next((each for each in self.metrics if each.metric == metric), None)

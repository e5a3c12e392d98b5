"""Error proportions.

The ratio of the rates is tested by the exact conditional test, stratified by windows: of the m errors of both
sides in a window the candidate's are binomial with the share n_c r / (n_c r + n_h), where the rates' ratio is
r. That is exact for rare errors (Przyborowski and Wilenski, 1940), and asks for more than it must where they
are not.
"""

import numpy as np
from scipy.special import betaincinv, ndtri

from endpoint_deploy.core.judging import ErrorRate
from endpoint_deploy.judge.evidence import Evidence, TooFew, UnusableError, too_few, worth
from endpoint_deploy.judge.measurements import ErrorCounts
from endpoint_deploy.judge.tails import Ints, at_least, at_most, binomial_tails


def error_evidence(metric: ErrorRate, measured: ErrorCounts) -> Evidence | TooFew:
    """Raises UnusableError for counts that cannot be."""
    counts = np.array(
        [
            (each.candidate, each.candidate_errors, each.champion, each.champion_errors)
            for each in measured.windows
        ],
        dtype=np.int64,
    ).reshape(-1, 4)
    if (counts < 0).any() or (counts[:, [1, 3]] > counts[:, [0, 2]]).any():
        raise UnusableError("found windows with fewer requests than errors, or with counts below 0")
    candidate, errors, champion, others = (int(each) for each in counts.sum(axis=0))
    rate = errors / max(1, candidate)
    stop = None
    if candidate >= metric.least and rate > metric.stop_at:
        stop = (
            f"{errors} of {candidate} requests failed, more than {metric.stop_at:.0%}, where it ends at once"
        )
    few = too_few(candidate, champion, metric.least, "requests")
    if few and not stop:
        return few
    both = counts[(counts[:, 0] > 0) & (counts[:, 2] > 0)]
    worse = min(_ratio(both, metric.tolerated)[0], 1.0)
    within = _ratio(both, metric.unacceptable)[1]
    if metric.negligible:
        worse = max(worse, at_least(errors, candidate, metric.negligible))
        # Either proof will do, so each gets half.
        within = min(1.0, 2 * min(within, at_most(errors, candidate, metric.negligible)))
    # Half an error more on each side (Haldane and Anscombe), so that no error has a ratio to no error.
    logs = np.log([(errors + 0.5) / (candidate + 0.5), (others + 0.5) / (champion + 0.5)])
    spread = float(np.sqrt(1 / (errors + 0.5) + 1 / (others + 0.5)))

    def interval(tail: float) -> tuple[float, float]:
        reach = float(-ndtri(tail)) * spread
        return float(np.exp(logs[0] - logs[1] - reach)), float(np.exp(logs[0] - logs[1] + reach))

    return Evidence(
        candidate_samples=candidate,
        champion_samples=champion,
        planned=worth(int(both[:, 0].sum()), int(both[:, 2].sum())),
        candidate=rate,
        champion=others / max(1, champion),
        effect=float(np.exp(logs[0] - logs[1])),
        worse_than_tolerated=worse,
        better_than_unacceptable=within,
        interval=interval,
        stop=stop,
    )


def proportion_interval(found: int, of: int, tail: float) -> tuple[float, float]:
    """Clopper and Pearson's."""
    low = float(betaincinv(found, of - found + 1, tail)) if found else 0.0
    high = float(betaincinv(found + 1, of - found, 1 - tail)) if found < of else 1.0
    return low, high


def _ratio(counts: Ints, ratio: float) -> tuple[float, float]:
    """Tails of the candidate's errors, if its rate were `ratio` times the champion's."""
    candidate, errors, champion, others = counts.T
    shares = candidate * ratio / (candidate * ratio + champion)
    return binomial_tails(int(errors.sum()), errors + others, shares)

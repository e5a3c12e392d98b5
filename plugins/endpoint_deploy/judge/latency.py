"""Quantiles of single requests' latencies.

Divided by the ratio that is tested, the candidate's latencies have the champion's quantile if the ratio is
just that. Then of all samples beyond the common quantile the candidate's part in each window is
hypergeometric (Mood's quantile test): no distribution is assumed, and one outlier counts as one sample
however far out it lies.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import bdtrik

from endpoint_deploy.core.judging import LatencyQuantile
from endpoint_deploy.judge.evidence import Evidence, TooFew, UnusableError, too_few, worth
from endpoint_deploy.judge.measurements import LatencySamples
from endpoint_deploy.judge.tails import Floats, Ints, hypergeometric_tails


def latency_evidence(metric: LatencyQuantile, measured: LatencySamples) -> Evidence | TooFew:
    """Raises UnusableError for what cannot be a latency."""
    candidate, mine = _joined([window.candidate for window in measured.windows])
    champion, theirs = _joined([window.champion for window in measured.windows])
    for side, values in (("candidate", candidate), ("champion", champion)):
        if wrong := int((~(np.isfinite(values) & (values > 0))).sum()):
            raise UnusableError(
                f"found {wrong} of {len(values)} latencies of the {side} to be no positive numbers"
            )
    stop = _stop(metric, candidate)
    few = too_few(len(candidate), len(champion), metric.least, "latencies")
    if few and not stop:
        return few
    worse, _ = _tails(candidate / metric.tolerated, champion, mine, theirs, metric.quantile)
    _, within = _tails(candidate / metric.unacceptable, champion, mine, theirs, metric.quantile)
    ordered = np.sort(candidate), np.sort(champion)
    found = [float(np.quantile(each, metric.quantile)) if len(each) else 0.0 for each in ordered]

    def interval(tail: float) -> tuple[float, float]:
        """Woodruff's of each quantile, from the ranks around it, joined by the method of variance
        recovery."""
        (low, high), (low2, high2) = (_ends(each, metric.quantile, tail) for each in ordered)
        mid, mid2 = np.log(found)
        down, up = np.hypot(mid - low, high2 - mid2), np.hypot(high - mid, mid2 - low2)
        return float(np.exp(mid - mid2 - down)), float(np.exp(mid - mid2 + up))

    return Evidence(
        candidate_samples=len(candidate),
        champion_samples=len(champion),
        planned=worth(len(candidate), len(champion)),
        candidate=found[0],
        champion=found[1],
        effect=found[0] / found[1] if found[1] else 0.0,
        worse_than_tolerated=worse,
        better_than_unacceptable=within,
        interval=interval,
        stop=stop,
    )


def _joined(windows: Sequence[Sequence[float]]) -> tuple[Floats, Ints]:
    """All values, and the number of each one's window."""
    arrays = [np.asarray(window, dtype=np.float64) for window in windows]
    lengths = [len(each) for each in arrays]
    return (
        np.concatenate([np.empty(0), *arrays]),
        np.repeat(np.arange(len(arrays), dtype=np.int64), lengths),
    )


def _stop(metric: LatencyQuantile, values: Floats) -> str | None:
    if metric.stop_at is None or len(values) < metric.least:
        return None
    found = float(np.quantile(values, metric.quantile))
    if found <= metric.stop_at:
        return None
    return f"p{metric.quantile * 100:g} is {found:.4g}, above {metric.stop_at:g}, where it ends at once"


def _tails(
    candidate: Floats, champion: Floats, mine: Ints, theirs: Ints, quantile: float
) -> tuple[float, float]:
    """How likely so many, and so few, of the slow samples are the candidate's."""
    if not len(champion) or not len(candidate):
        return 1.0, 1.0
    both = np.concatenate([candidate, champion])
    rank = int(np.ceil(quantile * len(both))) - 1
    threshold = np.partition(both, rank)[rank]
    windows = 1 + int(max(mine.max(), theirs.max()))
    slow = np.bincount(mine[candidate >= threshold], minlength=windows)
    draws = slow + np.bincount(theirs[champion >= threshold], minlength=windows)
    of_candidate = np.bincount(mine, minlength=windows)
    of_both = of_candidate + np.bincount(theirs, minlength=windows)
    shared = (of_candidate > 0) & (of_both > of_candidate)
    return hypergeometric_tails(int(slow[shared].sum()), draws[shared], of_candidate[shared], of_both[shared])


def _ends(ordered: Floats, quantile: float, tail: float) -> tuple[float, float]:
    """Logarithms of a quantile's lower and upper end; where a rank is beyond the samples, of the last
    sample."""
    count = len(ordered)
    ranks = (round(float(bdtrik(p, count, quantile))) for p in (tail, 1 - tail))
    low, high = (float(np.log(ordered[min(count - 1, max(0, rank))])) for rank in ranks)
    return low, high

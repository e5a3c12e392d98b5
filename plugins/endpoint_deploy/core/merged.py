"""Two evaluations of one model each, put together: models of different images cannot share a container."""

import csv
import io

from endpoint_deploy.errors import EndpointDeployError

_OWN = {"candidate": "champion", "candidate_score": "champion_score"}


def merged(candidate: str, champion: str) -> str:
    """Return predictions.csv of both from those of an evaluation of each as its candidate.

    Raises EndpointDeployError where they are not about the same rows.
    """
    text = io.StringIO()
    ours, theirs = (csv.DictReader(io.StringIO(part)) for part in (candidate, champion))
    columns = ["row", "truth", "candidate", "champion", "candidate_score", "champion_score"]
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    rows, others = list(ours), list(theirs)
    if [(row["row"], row["truth"]) for row in rows] != [(row["row"], row["truth"]) for row in others]:
        raise EndpointDeployError(
            f"candidate and champion answered different rows: {len(rows)} and {len(others)}; "
            "clear from `evaluate`"
        )
    for row, other in zip(rows, others, strict=True):
        writer.writerow({**row, **{to: other.get(of, "") for of, to in _OWN.items()}})
    return text.getvalue()

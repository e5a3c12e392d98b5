"""Which files a training set is made of, without S3."""

import pytest

from endpoint_deploy.core.retrain import DataFile
from endpoint_deploy.core.training_set import data_files, last


@pytest.mark.parametrize(
    "names",
    [
        ["2026-01.csv", "2026-02.csv.gz", "2026-03.csv"],  # before the folder of feedback
        ["part-0001.csv", "part-0002.csv", "part-0003.csv"],  # after it
        ["feedback.csv", "feedback/notes.csv", "feedback/x/2026-01-01-00.csv"],  # not of an hour's name
    ],
)
def test_a_window_counts_the_files_beside_feedback(names: list[str]) -> None:
    feedback = [f"feedback/2026-01-0{day}-23.csv" for day in (1, 2, 3)]
    files = [DataFile(key=f"churn/{name}", etag="1", size=1) for name in [*names, *feedback]]
    found = data_files(files, below="churn", format_="csv")
    expected = sorted(f"churn/{name}" for name in [*names[-2:], *feedback])
    assert [file.key for file in last(found, 2, below="churn")] == expected
    assert [file.key for file in last(found, 2, below="churn/")] == expected
    assert last(found, None, below="churn") == found
    assert len(last(found, 9, below="churn")) == len(found)

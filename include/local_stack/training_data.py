"""The digits' rows in the local S3, as a team's data come: a file a week; and rows to judge models by."""

from typing import TYPE_CHECKING

from local_stack.seed import BUCKET, ensure_bucket, load_script

if TYPE_CHECKING:
    import pandas as pd
    from mypy_boto3_s3 import S3Client

NAME = "digits"
TRAINING = f"{NAME}/training"
HELD_OUT = f"{NAME}/held-out"
FIRST_WEEK = slice(0, 150)


def rows(which: slice) -> "pd.DataFrame":
    """Return rows to learn from, of 1,347 in a shuffled order that is always the same."""
    script = load_script(NAME)
    learned, _ = script.split(script.bundled())
    chosen: pd.DataFrame = learned.iloc[which]
    return chosen


def upload_rows(client: "S3Client", file: str, frame: "pd.DataFrame", *, prefix: str = TRAINING) -> str:
    """Put rows at ``s3://ml-platform/<prefix>/<file>`` as CSV with a header, and return the key."""
    ensure_bucket(client)
    key = f"{prefix}/{file}"
    client.put_object(Bucket=BUCKET, Key=key, Body=frame.to_csv(index=False).encode(), ContentType="text/csv")
    return key


def seed_training_data(client: "S3Client") -> None:
    """Put the held-out rows and the first week's there: enough for a first model, and a modest one."""
    script = load_script(NAME)
    _, held_out = script.split(script.bundled())
    # The held-out rows first: new training data start a retraining, which asks for them.
    upload_rows(client, "digits.csv", held_out, prefix=HELD_OUT)
    upload_rows(client, "week-01.csv", rows(FIRST_WEEK))

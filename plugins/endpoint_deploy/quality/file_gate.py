"""One suite over one file after the other: which files do not fit, and the Data Docs that show it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from endpoint_deploy.quality.docs import judge
from endpoint_deploy.quality.suites import run_suite

if TYPE_CHECKING:
    import pandas as pd
    from mypy_boto3_s3 import S3Client

_MOST_DOCS = 25  # half a second and twenty objects each


class FileGate:
    """A suite that is run over each file alone, so that one that does not fit refuses itself only.

    Data Docs are kept of the first file and of the first refused ones, each under `prefix` and its number.
    """

    def __init__(self, client: "S3Client", suite: Path | None, *, prefix: str, title: str) -> None:
        self._client = client
        self._suite = suite
        self._prefix = prefix
        self._title = title
        self._files = 0
        self._refused: list[str] = []
        self._first: list[str] = []

    @property
    def data_docs(self) -> tuple[str, ...]:
        """Addresses of the Data Docs, those of refused files first."""
        return (*self._refused, *self._first)

    def judge(self, key: str, frame: "Callable[[], pd.DataFrame]") -> tuple[str, str | None] | None:
        """What a file's rows do not meet, with its Data Docs' address; None where they meet the suite."""
        if self._suite is None:
            return None
        self._files += 1
        rows, title = frame(), f"{self._title}: {key}"
        if self._files > 1:
            result = run_suite(rows, self._suite, title=title)
            if result.success:
                return None
        uri = None
        if len(self._refused) < _MOST_DOCS:
            result, uri = judge(
                self._client, rows, self._suite, prefix=f"{self._prefix}/{self._files}", title=title
            )
            (self._first if result.success else self._refused).append(uri)
        if result.success:
            return None
        return "; ".join(failed.sentence() for failed in result.failed), uri

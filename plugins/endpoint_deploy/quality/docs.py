"""Data Docs, kept in S3."""

import mimetypes
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from endpoint_deploy.errors import EndpointDeployError
from endpoint_deploy.quality.results import SuiteResult
from endpoint_deploy.quality.suites import run_suite

if TYPE_CHECKING:
    import pandas as pd
    from mypy_boto3_s3 import S3Client

# Four megabytes of fonts and animated tutorials in every site, and no page shows anything less without them.
_LEFT_OUT: Final = frozenset({".otf", ".gif"})


def judge(
    client: "S3Client",
    frame: "pd.DataFrame",
    suite_file: Path,
    *,
    prefix: str,
    title: str,
    parameters: Mapping[str, Any] | None = None,
    named_by: str | None = None,
) -> tuple[SuiteResult, str]:
    """Run a suite and keep its Data Docs: the outcome, and the URI of its `summary.html` under `prefix`.

    The other arguments are those of `run_suite`.
    """
    with tempfile.TemporaryDirectory() as folder:
        result = run_suite(
            frame,
            suite_file,
            docs_dir=Path(folder),
            title=title,
            parameters=parameters,
            named_by=named_by,
        )
        return result, publish(client, Path(folder), prefix=prefix)


def publish(client: "S3Client", docs_dir: Path, *, prefix: str) -> str:
    """Upload what `run_suite` wrote to `docs_dir` under `prefix`, and return the URI of `summary.html`.

    `prefix` is `s3://bucket/path`. Uploading again overwrites. What boto3 raises is raised.
    """
    bucket, _, path = prefix.removeprefix("s3://").partition("/")
    if not prefix.startswith("s3://") or not bucket:
        raise EndpointDeployError(f"{prefix!r} is no place in S3, expected s3://bucket/path")
    base = f"{path.strip('/')}/" if path.strip("/") else ""
    for file in sorted(docs_dir.rglob("*")):
        if file.is_file() and file.suffix not in _LEFT_OUT:
            client.put_object(
                Bucket=bucket,
                Key=base + file.relative_to(docs_dir).as_posix(),
                Body=file.read_bytes(),
                ContentType=_content_type(file),
            )
    return f"s3://{bucket}/{base}summary.html"


def _content_type(file: Path) -> str:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind

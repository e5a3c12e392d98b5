"""Links that Airflow shows on a task, right on AWS and for a local endpoint."""

from typing import Any
from urllib.parse import quote, urlsplit

from airflow.sdk import BaseOperatorLink

DATA_DOCS = "data_docs_url"  # the XCom under which a task leaves its link


class DataDocsLink(BaseOperatorLink):
    """The Great Expectations report of what this task judged."""

    name = "Data Docs"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The report's address; empty where the task judged nothing."""
        return str(ti_key.xcom_pull(task_ids=ti_key.task_id, key=DATA_DOCS) or "")


def object_url(client: Any, uri: str) -> str:
    """Where a person opens an S3 object: the console on AWS, the object itself on another endpoint."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    endpoint = str(client.meta.endpoint_url)
    host = urlsplit(endpoint).hostname or ""
    if host.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        region = client.meta.region_name
        return (
            f"https://{region}.console.aws.amazon.com/s3/object/{bucket}?region={region}&prefix={quote(key)}"
        )
    return f"{endpoint}/{bucket}/{quote(key)}"

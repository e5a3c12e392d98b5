"""Where a person looks: AWS's consoles, or a local endpoint's own pages, and the pages in Airflow."""

from typing import Any
from urllib.parse import quote, quote_plus, urlsplit, urlunsplit

from endpoint_deploy.airflow_versions import conf
from endpoint_deploy.core.jobs import LOG_GROUPS, JobKind, streams_of

# Of AWS's consoles, by partition, as in Airflow's Amazon provider (`aws/links/base_aws.py`).
_DOMAINS = {"aws-cn": "amazonaws.cn", "aws-us-gov": "amazonaws-us-gov.com"}

# Pages of jobs in SageMaker's console.
_JOBS: dict[JobKind, str] = {
    "training": "jobs",
    "tuning": "hyper-tuning-jobs",
    "processing": "processing-jobs",
    "transform": "transform-jobs",
}


def airflow_url() -> str | None:
    """Airflow's own address, without a slash at its end; None where Airflow does not know it."""
    base = conf.get("api", "base_url", fallback=None)
    return base.rstrip("/") if base else None


def page_path(key: str, release: int | None = None) -> str:
    """Where a deployment's page is below Airflow's address, or that of its release of this number."""
    page = f"/plugin/endpoints/{quote(key)}"
    return page if release is None else f"{page}/{release}"


def object_url(client: Any, uri: str) -> str:
    """Where a person opens an S3 object, or a prefix that ends in a slash.

    The console on AWS; on another endpoint the object itself, or the list of what the prefix holds.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    endpoint = _address(client)
    folder = key.endswith("/")
    if _is_aws(endpoint):
        what = "buckets" if folder else "object"
        return _console(client, f"s3/{what}/{bucket}", f"&prefix={quote(key)}")
    return f"{endpoint}/{bucket}?prefix={quote(key)}" if folder else f"{endpoint}/{bucket}/{quote(key)}"


def endpoint_url(client: Any, name: str) -> str:
    """Where a person looks at an endpoint: the console on AWS, the server's own page on another endpoint.

    The console's addresses are built as Airflow's Amazon provider builds its own (`aws/links/sagemaker.py`).
    """
    endpoint = _address(client)
    if _is_aws(endpoint):
        return _console(client, "sagemaker/home", f"#/endpoints/{quote(name)}")
    return f"{endpoint}/"


def logs_url(client: Any, name: str) -> str:
    """Where a person reads what an endpoint's containers have written, by name of the endpoint."""
    endpoint = _address(client)
    if _is_aws(endpoint):
        group = quote_plus(f"/aws/sagemaker/Endpoints/{name}")
        return _console(client, "cloudwatch/home", f"#logsV2:log-groups/log-group/{group}")
    return f"{endpoint}/_local/endpoints/{quote(name)}/logs"


def alarms_url(client: Any, name: str) -> str | None:
    """Where a person looks at alarms whose names contain this; None where there is no console."""
    if not _is_aws(_address(client)):
        return None
    return _console(client, "cloudwatch/home", f"#alarmsV2:?search={quote_plus(name)}")


def job_url(client: Any, kind: JobKind, name: str) -> str:
    """Where a person looks at a job: the console on AWS, the server's own page on another endpoint."""
    endpoint = _address(client)
    if _is_aws(endpoint):
        return _console(client, "sagemaker/home", f"#/{_JOBS[kind]}/{quote(name)}")
    return f"{endpoint}/"


def job_logs_url(client: Any, kind: JobKind, name: str) -> str | None:
    """Where a person reads what a job has written; None where there is no console."""
    if not _is_aws(_address(client)):
        return None
    # What stands in the console's own fragment is encoded twice, with a dollar for the percent sign.
    group, streams = (
        quote(part, safe="").replace("%", "$25") for part in (LOG_GROUPS[kind], streams_of(kind, name))
    )
    filtered = f"{group}$3FlogStreamNameFilter$3D{streams}"
    return _console(client, "cloudwatch/home", f"#logsV2:log-groups/log-group/{filtered}")


def _address(client: Any) -> str:
    """The address that a client asks, without the name and password that a connection's may have."""
    parts = urlsplit(str(client.meta.endpoint_url))
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))


def _is_aws(endpoint: str) -> bool:
    return (urlsplit(endpoint).hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn"))


def _console(client: Any, page: str, rest: str) -> str:
    """A page of the console of the client's partition and region; rest: what follows the region."""
    region, domain = client.meta.region_name, _DOMAINS.get(client.meta.partition, "aws.amazon.com")
    return f"https://{region}.console.{domain}/{page}?region={region}{rest}"

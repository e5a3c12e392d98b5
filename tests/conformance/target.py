"""Where the suite runs: a local SageMaker of its own, or AWS."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from tests.local_sagemaker.server_process import REGION, Server

# No part of the local server's time is the service's: minutes of its waits pass in seconds. The least time of
# a state is what lets a test see it.
LOCAL_OPTIONS = ("--time-scale=60", "--provision-seconds=90", "--quota=ml.p4d.24xlarge for endpoint usage=0")
NEEDED_ON_AWS = {
    "CONFORMANCE_BUCKET": "a bucket in the region, where models and their output may lie for the run",
    "CONFORMANCE_ROLE_ARN": "a role that SageMaker can take on and that reads and writes the bucket",
}
# The registry of SageMaker's scikit-learn images, by region (SageMaker's documentation, "Docker Registry
# Paths and Example Code").
SCIKIT_LEARN_REGISTRIES = {
    "ap-northeast-1": "354813040037",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ca-central-1": "341280168497",
    "eu-central-1": "492215442770",
    "eu-west-1": "141502667606",
    "eu-west-2": "764974769150",
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-west-1": "746614075791",
    "us-west-2": "246618743249",
}


class Misconfigured(Exception):
    """The run on AWS lacks something; the message says what."""


@dataclass(frozen=True)
class Target:
    """One SageMaker. Times are in real seconds: how long a change may take, and how often to look."""

    session: boto3.Session
    region: str
    other_region: str
    account: str
    bucket: str
    role_arn: str
    patience: float
    poll: float
    server: Server | None = None

    @property
    def image(self) -> str:
        """SageMaker's own scikit-learn image."""
        registry = f"{SCIKIT_LEARN_REGISTRIES[self.region]}.dkr.ecr.{self.region}.amazonaws.com"
        return f"{registry}/sagemaker-scikit-learn:1.2-1-cpu-py3"

    def client(self, service: str, region: str | None = None, **config: Any) -> Any:
        """A boto3 client; `config` is botocore's. Reads wait longer than any answer may take."""
        config = {"read_timeout": 180, "max_pool_connections": 30, **config}
        make: Any = self.session.client  # its stubs know each service's name, not any string
        return make(
            service,
            region_name=region or self.region,
            endpoint_url=self.server.url if self.server else None,
            config=Config(**config),
        )


def local_target(start_server: Callable[..., Server]) -> Target:
    """A server that is started for this run."""
    server = start_server(*LOCAL_OPTIONS)
    session = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name=REGION)
    target = Target(
        session=session,
        region=REGION,
        other_region="us-west-2",
        account=server.ready["account"],
        bucket="conformance",
        role_arn=server.ready["execution_role_arn"],
        patience=60,
        poll=0.05,
        server=server,
    )
    target.client("s3").create_bucket(
        Bucket=target.bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    return target


def aws_target() -> Target:
    """AWS, with the caller's default credentials and region; raises Misconfigured."""
    lacking = [f"{name}: {what}" for name, what in NEEDED_ON_AWS.items() if name not in os.environ]
    session = boto3.Session()
    if session.region_name not in SCIKIT_LEARN_REGISTRIES:
        lacking.append(f"AWS_DEFAULT_REGION: one of {', '.join(SCIKIT_LEARN_REGISTRIES)}")
    if "AWS_ENDPOINT_URL" in os.environ:
        lacking.append("an environment without AWS_ENDPOINT_URL; use `make conformance TARGET=aws`")
    if lacking:
        raise Misconfigured("a run against AWS needs " + "; ".join(lacking))
    return Target(
        session=session,
        region=session.region_name,
        other_region="us-west-2" if session.region_name != "us-west-2" else "us-east-2",
        account=session.client("sts").get_caller_identity()["Account"],
        bucket=os.environ["CONFORMANCE_BUCKET"],
        role_arn=os.environ["CONFORMANCE_ROLE_ARN"],
        patience=3600,
        poll=5,
    )

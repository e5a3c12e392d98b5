"""What a request asks for, whatever the protocol."""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from botocore.parsers import ResponseParserError
from starlette.requests import Request

from local_sagemaker.api import cbor
from local_sagemaker.api.addressing import path_style
from local_sagemaker.api.rest import operation_of
from local_sagemaker.api.signature import looks_like_s3, signed_for

# Services that sign under another name than the one boto3 gives them.
_BOTO3_NAMES = {
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "elasticloadbalancing": "elbv2",
    "states": "stepfunctions",
    "email": "ses",
}
_RPC_PATH = re.compile(r"/service/[^/]+/operation/(?P<operation>\w+)")
_NAMING = re.compile(r"\w*(Name|Arn|Id|Url|Identifier)")


@dataclass(frozen=True)
class Call:
    """A call of an API: boto3's name of the service, the operation, and what the call names."""

    service: str
    operation: str
    resources: tuple[str, ...]
    user_agent: str


@dataclass(frozen=True)
class ProtocolCall:
    """A call and the protocol in which its answer is to be given, as botocore names protocols."""

    call: Call
    protocol: str


async def identify(request: Request) -> ProtocolCall:
    """The call; its operation is empty when it cannot be told. Reads the body only if that names it."""
    service = _service(request)
    target = request.headers.get("x-amz-target")
    rpc = _RPC_PATH.fullmatch(request.url.path)
    if target is not None:
        members = _json(await request.body())
        return _call(request, service, target.rpartition(".")[2], _names(members), "json")
    if rpc and request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        members = decoded_cbor(await request.body())
        return _call(request, service, rpc["operation"], _names(members), "smithy-rpc-v2-cbor")
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        protocol = "ec2" if service == "ec2" else "query"
        return _call(request, service, form.get("Action", ""), _names(form), protocol)
    return _rest(request, service)


def _rest(request: Request, service: str) -> ProtocolCall:
    raw: str = path_style(request) if service == "s3" else request.scope["raw_path"].decode("latin-1")
    operation, labels = operation_of(
        service, request.method, raw, request.scope["query_string"].decode("latin-1"), request.headers
    )
    names = list(labels.values())
    if "Bucket" in labels and "Key" in labels:
        names.append(f"{labels['Bucket']}/{labels['Key']}")
    return _call(request, service, operation, names, "rest-xml" if service == "s3" else "rest-json")


def _call(request: Request, service: str, operation: str, names: list[str], protocol: str) -> ProtocolCall:
    agent = request.headers.get("user-agent", "")
    return ProtocolCall(Call(service, operation, tuple(names), agent), protocol)


def _service(request: Request) -> str:
    _, signed = signed_for(request)
    if signed in (None, "sagemaker") and request.url.path.startswith("/endpoints/"):
        return "sagemaker-runtime"
    if signed is not None:
        return _BOTO3_NAMES.get(signed, signed)
    if request.headers.get("x-amz-target", "").startswith("SageMaker."):
        return "sagemaker"
    return "s3" if looks_like_s3(request) else ""


def _names(members: Any) -> list[str]:
    """The values of members that name something."""
    if not isinstance(members, dict):
        return []
    return [value for name, value in members.items() if isinstance(value, str) and _NAMING.fullmatch(name)]


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def decoded_cbor(body: bytes) -> Any:
    """What a CBOR body says, or None when it is none."""
    try:
        return cbor.parsed(body) if body else None
    except (ResponseParserError, ValueError):
        return None

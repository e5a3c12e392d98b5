"""IAM, where it is switched on: every request is signed by someone, who must be allowed what it asks."""

import json
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.requests import Request
from starlette.responses import Response

from local_sagemaker.api.addressing import path_style
from local_sagemaker.api.caller import current_caller
from local_sagemaker.api.calls import ProtocolCall, decoded_cbor, identify
from local_sagemaker.api.error_forms import error_answer
from local_sagemaker.api.tags import Tags
from local_sagemaker.iam.autoscaling_needs import autoscaling_needs
from local_sagemaker.iam.cloudwatch_needs import Tags as AlarmTags
from local_sagemaker.iam.cloudwatch_needs import cloudwatch_needs
from local_sagemaker.iam.other_needs import other_needs
from local_sagemaker.iam.policies import Need, refusal, verdict
from local_sagemaker.iam.principals import Principal, Principals
from local_sagemaker.iam.s3_needs import deletion_needs, s3_needs, to_know_of
from local_sagemaker.iam.sagemaker_needs import invoke_needs, sagemaker_needs
from local_sagemaker.iam.signatures import is_expired, is_right, signature_of
from local_sagemaker.s3.front import deleted
from local_sagemaker.s3.mirror import S3Mirror

_S3 = "rest-xml"
_S3_CODES = {
    "unknown": "InvalidAccessKeyId",
    "signature": "SignatureDoesNotMatch",
    "anonymous": "AccessDenied",
    "denied": "AccessDenied",
    "expired": "ExpiredToken",
}
_S3_MESSAGES = {
    "unknown": "The AWS Access Key Id you provided does not exist in our records.",
    "anonymous": "Access Denied",
}
_QUERY = ("query", "ec2", "smithy-rpc-v2-cbor")
_ONCE_QUERY = ("cloudwatch", "sqs")  # and in JSON now
_QUERY_CODES = {
    "unknown": "InvalidClientTokenId",
    "signature": "SignatureDoesNotMatch",
    "anonymous": "MissingAuthenticationToken",
    "denied": "AccessDenied",
    "expired": "ExpiredToken",
}
_JSON_CODES = {
    "unknown": "UnrecognizedClientException",
    "signature": "InvalidSignatureException",
    "anonymous": "MissingAuthenticationTokenException",
    "denied": "AccessDeniedException",
    "expired": "ExpiredTokenException",
}


class Refused(Exception):
    """The request is not let through, for a reason that each protocol has a code for."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Enforcement:
    """Lets a request through, or answers it."""

    def __init__(
        self, principals: Principals, tags: Tags, alarm_tags: AlarmTags, mirror: S3Mirror, region: str
    ) -> None:
        self._principals = principals
        self._tags = tags
        self._alarm_tags = alarm_tags
        self._mirror = mirror
        self._region = region

    async def refused(self, request: Request) -> Response | None:
        """The answer to a request that may not be served, or None; remembers who calls."""
        call = await identify(request)
        try:
            principal = await self._authenticated(request, call)
            current_caller.set(principal.caller)
            if principal.grants is not None:
                await self._authorise(request, call, principal)
        except Refused as refused:
            return _answered(refused, call)
        return None

    async def _authenticated(self, request: Request, call: ProtocolCall) -> Principal:
        signature = signature_of(request)
        if signature is None:
            raise Refused("anonymous", "Missing Authentication Token")
        principal = await self._principals.holder(signature.key)
        if principal is None or principal.token != signature.token:
            raise Refused("unknown", "The security token included in the request is invalid.")
        if principal.expires is not None and principal.expires < time.time():
            raise Refused("expired", "The security token included in the request is expired")
        # S3's requests say the hash of their content, which is compared with it as it comes.
        body = b"" if call.protocol == _S3 else await request.body()
        if not is_right(signature, principal.secret, request, body):
            raise Refused(
                "signature",
                "The request signature we calculated does not match the signature you provided. Check your "
                "AWS Secret Access Key and signing method. Consult the service documentation for details.",
            )
        if is_expired(signature):
            raise Refused("denied", "Request has expired")
        return principal

    async def _authorise(self, request: Request, call: ProtocolCall, principal: Principal) -> None:
        grants = principal.grants
        if grants is None:
            return
        facts = {
            "aws:PrincipalAccount": [principal.caller.arn.split(":")[4]],
            "aws:RequestedRegion": [self._region],
            "aws:SecureTransport": ["true"],  # loopback stands for TLS
            "aws:SourceIp": [request.client.host if request.client else "127.0.0.1"],
            "aws:UserAgent": [request.headers.get("user-agent", "")],
            "aws:ViaAWSService": ["false"],
            **principal.context,
        }
        needs = list(await self._needs(request, call))
        for need in needs:
            complete = Need(need.action, need.resource, {**facts, **need.context})
            reason = refusal(grants, complete)
            if reason and not await self._trusted(principal, complete):
                raise Refused(
                    "denied",
                    f"User: {principal.caller.arn} is not authorized to perform: {need.action} on resource: "
                    f"{need.resource} {reason}",
                )
        if call.protocol == _S3:
            self._check_may_know(call, needs, facts, principal)

    async def _needs(self, request: Request, call: ProtocolCall) -> Iterable[Need]:
        service, operation = call.call.service, call.call.operation
        if call.protocol == _S3:
            query = dict(parse_qsl(request.url.query, keep_blank_values=True))
            bucket, slash, key = unquote(path_style(request).lstrip("/")).partition("/")
            if operation == "DeleteObjects":
                named = deleted(await request.body())
                return [need for one, version in named for need in deletion_needs(f"{bucket}/{one}", version)]
            return s3_needs(operation, bucket + slash + key if key else bucket, query, request.headers)
        if service == "sagemaker-runtime":
            name = unquote(request.url.path).split("/")[2]
            return invoke_needs(operation, name, self._region, self._tags.of)
        members = await _members(request, call)
        if service == "sagemaker":
            return sagemaker_needs(operation, members, self._region, self._tags.of)
        if service == "cloudwatch":
            return cloudwatch_needs(operation, members, self._region, self._alarm_tags)
        if service == "application-autoscaling":
            return autoscaling_needs(operation, members, self._region)
        if (service, operation) == ("sts", "GetCallerIdentity"):
            return []  # "No permissions are required" (its reference)
        return other_needs(service, operation, members, self._region)

    async def _trusted(self, principal: Principal, need: Need) -> bool:
        """Whether a role's trust policy names the principal itself, which suffices in one account."""
        if need.action != "sts:AssumeRole":
            return False
        role = await self._principals.role(need.resource)
        return role is not None and verdict([role.trust], need, principal.caller.arn) == "allow"

    def _check_may_know(
        self, call: ProtocolCall, needs: list[Need], facts: dict[str, list[str]], principal: Principal
    ) -> None:
        """Without leave to list the bucket, an object that is not there is a refusal."""
        if call.call.operation not in ("GetObject", "HeadObject") or principal.grants is None:
            return
        bucket, _, key = needs[0].resource.removeprefix("arn:aws:s3:::").partition("/")
        if self._mirror.archive(f"s3://{bucket}/{key}") is not None:
            return
        need = to_know_of(bucket, key)
        reason = refusal(principal.grants, Need(need.action, need.resource, {**facts, **need.context}))
        if reason:
            raise Refused(
                "denied",
                f"User: {principal.caller.arn} is not authorized to perform: {need.action} on resource: "
                f'"{need.resource}" {reason}',
            )


async def _members(request: Request, call: ProtocolCall) -> dict[str, Any]:
    body = await request.body()
    if call.protocol in ("query", "ec2"):
        return dict(parse_qsl(body.decode("utf-8", "replace")))
    if call.protocol == "smithy-rpc-v2-cbor":
        members = decoded_cbor(body)
    else:
        try:
            members = json.loads(body or b"{}")
        except ValueError:
            members = {}
    return members if isinstance(members, dict) else {}


def _answered(refused: Refused, call: ProtocolCall) -> Response:
    """Code, status and message as the protocol's services have them."""
    if call.protocol == _S3:
        message = _S3_MESSAGES.get(refused.reason, refused.message)
        return error_answer(_S3_CODES[refused.reason], message, 403, call)
    if call.protocol in _QUERY:
        return error_answer(_QUERY_CODES[refused.reason], refused.message, 403, call)
    response = error_answer(_JSON_CODES[refused.reason], refused.message, 400, call)
    if call.protocol == "json" and call.call.service in _ONCE_QUERY:
        # The code that the query protocol would have given is what SDKs show.
        response.headers["x-amzn-query-error"] = f"{_QUERY_CODES[refused.reason]};Sender"
    return response

"""Signatures of requests (AWS's reference, Signature Version 4), computed with botocore's signer."""

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from botocore.auth import HmacV1Auth, S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from starlette.requests import Request

from local_sagemaker.api.addressing import path_style

_HEADER = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, ?"
    r"SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>\w+)"
)
_SCOPE = re.compile(r"(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")

_VERSION_2 = "s3 version 2"


@dataclass(frozen=True)
class Signature:
    """What a request is signed with; `token` is that of a session."""

    key: str
    region: str
    service: str
    headers: tuple[str, ...]
    value: str
    moment: str
    token: str | None
    expires: int | None  # seconds, of a presigned URL


def signature_of(request: Request) -> Signature | None:
    """The signature in the header or, of a presigned URL, in the query; None without one."""
    found = _HEADER.fullmatch(request.headers.get("authorization", "").strip())
    if found:
        return Signature(
            key=found["key"],
            region=found["region"],
            service=found["service"],
            headers=tuple(found["headers"].split(";")),
            value=found["signature"],
            moment=request.headers.get("x-amz-date", ""),
            token=request.headers.get("x-amz-security-token"),
            expires=None,
        )
    query = {name: values[0] for name, values in parse_qs(request.url.query).items()}
    if "AWSAccessKeyId" in query:
        return _older(query)
    found = _SCOPE.fullmatch(query.get("X-Amz-Credential", ""))
    if found is None:
        return None
    return Signature(
        key=found["key"],
        region=found["region"],
        service=found["service"],
        headers=tuple(query.get("X-Amz-SignedHeaders", "host").split(";")),
        value=query.get("X-Amz-Signature", ""),
        moment=query.get("X-Amz-Date", ""),
        token=query.get("X-Amz-Security-Token"),
        expires=int(query.get("X-Amz-Expires", "0")),
    )


def _older(query: dict[str, str]) -> Signature:
    """Of a URL presigned with version 2, as boto3 does for S3 unless it is told otherwise."""
    return Signature(
        key=query["AWSAccessKeyId"],
        region="",
        service=_VERSION_2,
        headers=(),
        value=query.get("Signature", ""),
        moment=query.get("Expires", "0"),
        token=query.get("x-amz-security-token"),
        expires=0,
    )


def is_right(signature: Signature, secret: str, request: Request, body: bytes) -> bool:
    """Whether the secret makes this signature of the request.

    `body` is only looked at when the request does not say its hash in a header, as S3's do.
    """
    if signature.service == _VERSION_2:
        return hmac.compare_digest(_version_2(signature, secret, request), signature.value)
    signer = _signer(signature, secret)
    raw: str = request.scope["raw_path"].decode("latin-1")
    query: str = request.scope["query_string"].decode("latin-1")
    kept = "&".join(part for part in query.split("&") if not part.startswith("X-Amz-Signature="))
    headers = {name: value for name, value in request.headers.items() if name in signature.headers}
    url = f"http://{request.headers.get('host', '')}{raw}" + (f"?{kept}" if kept else "")
    signed = AWSRequest(method=request.method, url=url, data=body, headers=headers)
    signed.context["timestamp"] = signature.moment
    signed.context["payload_signing_enabled"] = True
    canonical = signer.canonical_request(signed)
    expected = signer.signature(signer.string_to_sign(signed, canonical), signed)
    return hmac.compare_digest(expected, signature.value)


def is_expired(signature: Signature) -> bool:
    """Whether a presigned URL's time is over."""
    if signature.expires is None:
        return False
    if signature.service == _VERSION_2:
        return datetime.now(UTC).timestamp() > float(signature.moment)
    moment = datetime.strptime(signature.moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return datetime.now(UTC) > moment + timedelta(seconds=signature.expires)


def _version_2(signature: Signature, secret: str, request: Request) -> str:
    """The signature that version 2 makes (S3's guide, Signing and authenticating REST requests)."""
    signer = _Version2(Credentials(signature.key, secret))
    signer.date = signature.moment
    said = {**request.query_params, **request.headers}
    signed = ("content-type", "content-md5")
    headers = {
        name: value
        for name, value in said.items()
        if name.lower().startswith("x-amz-") or name.lower() in signed
    }
    raw: str = request.scope["raw_path"].decode("latin-1")
    query: str = request.scope["query_string"].decode("latin-1")
    split = urlsplit(f"http://host{raw}?{query}")
    return str(signer.get_signature(request.method, split, headers, auth_path=path_style(request)))


class _Version2(HmacV1Auth):
    """Signs the time at which a URL expires where others have the date."""

    date = ""

    def _get_date(self) -> str:
        return self.date


class _Presigned(S3SigV4Auth):
    """The content is not part of a presigned URL's signature."""

    def payload(self, _request: Any) -> str:
        return "UNSIGNED-PAYLOAD"


def _signer(signature: Signature, secret: str) -> Any:
    kind = SigV4Auth if signature.service != "s3" else S3SigV4Auth
    if signature.expires is not None:
        kind = _Presigned
    return kind(Credentials(signature.key, secret), signature.service, signature.region)

"""Injected errors, in the form of the protocol at hand."""

import json
import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from xml.sax.saxutils import escape

from starlette.responses import Response

from local_sagemaker.faults.calls import ProtocolCall
from local_sagemaker.faults.rules import Fail

_SERVER = 500

# Statuses of codes that are not 400, in the services' own references.
_STATUS = {
    "InternalFailure": 500,
    "InternalError": 500,
    "InternalServerError": 500,
    "ServiceUnavailable": 503,
    "ServiceUnavailableException": 503,
    "SlowDown": 503,
    "ModelNotReadyException": 429,
    "InternalDependencyException": 530,
    "AccessDenied": 403,
    "AccessDeniedException": 400,
}
_MESSAGES = {
    "InternalError": "We encountered an internal error. Please try again.",
    "SlowDown": "Please reduce your request rate.",
    "ServiceUnavailable": "The service is unavailable. Please try again shortly.",
}


@dataclass(frozen=True)
class InjectedError:
    """An error by code, message and HTTP status."""

    code: str
    message: str
    status: int

    @property
    def side(self) -> str:
        """Whose fault it is, as the query protocol says."""
        return "Receiver" if self.status >= _SERVER else "Sender"


def throttled(call: ProtocolCall) -> Response:
    """The way in which the call's service says that there are too many."""
    if call.protocol == "rest-xml":
        error = InjectedError("SlowDown", _MESSAGES["SlowDown"], _STATUS["SlowDown"])
    elif call.protocol in ("json", "rest-json"):
        error = InjectedError("ThrottlingException", "Rate exceeded", 400)
    elif call.protocol == "ec2":
        error = InjectedError("RequestLimitExceeded", "Request limit exceeded.", 503)
    else:
        error = InjectedError("Throttling", "Rate exceeded", 400)
    return _RENDERED[call.protocol](error, str(uuid.uuid4()))


def failed(rule: Fail, call: ProtocolCall) -> Response:
    """The error that the rule names, an internal one if it names none."""
    code = rule.code or ("InternalError" if call.protocol in ("rest-xml", "ec2") else "InternalFailure")
    status = rule.status or _STATUS.get(code, 400 if rule.code else _SERVER)
    message = rule.message if rule.message is not None else _MESSAGES.get(code, f"Injected fault: {code}")
    return _RENDERED[call.protocol](InjectedError(code, message, status), str(uuid.uuid4()))


def answer(code: str, message: str, status: int, call: ProtocolCall) -> Response:
    """Any error, in the call's protocol."""
    return _RENDERED[call.protocol](InjectedError(code, message, status), str(uuid.uuid4()))


def _json(error: InjectedError, request_id: str) -> Response:
    return Response(
        json.dumps({"__type": error.code, "message": error.message}),
        status_code=error.status,
        media_type="application/x-amz-json-1.1",
        headers={"x-amzn-RequestId": request_id},
    )


def _rest_json(error: InjectedError, request_id: str) -> Response:
    return Response(
        json.dumps({"Message": error.message}),
        status_code=error.status,
        media_type="application/json",
        headers={"X-Amzn-Errortype": error.code, "x-amzn-RequestId": request_id},
    )


def _rest_xml(error: InjectedError, request_id: str) -> Response:
    # The answer to a HEAD has no body on the wire: the server leaves it out.
    return Response(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message>"
        f"<RequestId>{request_id}</RequestId></Error>",
        status_code=error.status,
        media_type="application/xml",
        headers={"x-amz-request-id": request_id},
    )


def _query(error: InjectedError, request_id: str) -> Response:
    return Response(
        f"<ErrorResponse><Error><Type>{error.side}</Type><Code>{error.code}</Code>"
        f"<Message>{escape(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
        status_code=error.status,
        media_type="text/xml",
        headers={"x-amzn-RequestId": request_id},
    )


def _ec2(error: InjectedError, request_id: str) -> Response:
    return Response(
        f"<Response><Errors><Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message>"
        f"</Error></Errors><RequestID>{request_id}</RequestID></Response>",
        status_code=error.status,
        media_type="text/xml",
    )


def _cbor(error: InjectedError, request_id: str) -> Response:
    members = {"__type": error.code, "message": error.message}
    content = b"".join(_cbor_text(text) for pair in members.items() for text in pair)
    return Response(
        bytes([0xA0 | len(members)]) + content,
        status_code=error.status,
        media_type="application/cbor",
        headers={
            "smithy-protocol": "rpc-v2-cbor",
            "x-amzn-RequestId": request_id,
            "x-amzn-query-error": f"{error.code};{error.side}",
        },
    )


def _cbor_text(text: str) -> bytes:
    """A text string (major type 3) with its length in four bytes (RFC 8949)."""
    encoded = text.encode()
    return struct.pack(">BI", 0x7A, len(encoded)) + encoded


_RENDERED: dict[str, Callable[[InjectedError, str], Response]] = {
    "json": _json,
    "rest-json": _rest_json,
    "rest-xml": _rest_xml,
    "query": _query,
    "ec2": _ec2,
    "smithy-rpc-v2-cbor": _cbor,
}

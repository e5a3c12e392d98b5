"""Errors in the form of the protocol at hand, also for services that are not served here."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from xml.sax.saxutils import escape

from starlette.responses import Response

from local_sagemaker.api import cbor
from local_sagemaker.api.calls import ProtocolCall

_SERVER = 500


@dataclass(frozen=True)
class _Error:
    code: str
    message: str
    status: int

    @property
    def side(self) -> str:
        """Whose fault it is, as the query protocol says."""
        return "Receiver" if self.status >= _SERVER else "Sender"


def error_answer(code: str, message: str, status: int, call: ProtocolCall) -> Response:
    """An error by code, message and HTTP status, in the call's protocol."""
    return _RENDERED[call.protocol](_Error(code, message, status), str(uuid.uuid4()))


def _json(error: _Error, request_id: str) -> Response:
    return Response(
        json.dumps({"__type": error.code, "message": error.message}),
        status_code=error.status,
        media_type="application/x-amz-json-1.1",
        headers={"x-amzn-RequestId": request_id},
    )


def _rest_json(error: _Error, request_id: str) -> Response:
    return Response(
        json.dumps({"Message": error.message}),
        status_code=error.status,
        media_type="application/json",
        headers={"X-Amzn-Errortype": error.code, "x-amzn-RequestId": request_id},
    )


def _rest_xml(error: _Error, request_id: str) -> Response:
    # The answer to a HEAD has no body on the wire: the server leaves it out.
    return Response(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message>"
        f"<RequestId>{request_id}</RequestId></Error>",
        status_code=error.status,
        media_type="application/xml",
        headers={"x-amz-request-id": request_id},
    )


def _query(error: _Error, request_id: str) -> Response:
    return Response(
        f"<ErrorResponse><Error><Type>{error.side}</Type><Code>{error.code}</Code>"
        f"<Message>{escape(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
        status_code=error.status,
        media_type="text/xml",
        headers={"x-amzn-RequestId": request_id},
    )


def _ec2(error: _Error, request_id: str) -> Response:
    return Response(
        f"<Response><Errors><Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message>"
        f"</Error></Errors><RequestID>{request_id}</RequestID></Response>",
        status_code=error.status,
        media_type="text/xml",
    )


def _cbor(error: _Error, request_id: str) -> Response:
    return Response(
        cbor.map_of_texts({"__type": error.code, "message": error.message}),
        status_code=error.status,
        media_type="application/cbor",
        headers={
            "smithy-protocol": "rpc-v2-cbor",
            "x-amzn-RequestId": request_id,
            "x-amzn-query-error": f"{error.code};{error.side}",
        },
    )


_RENDERED: dict[str, Callable[[_Error, str], Response]] = {
    "json": _json,
    "rest-json": _rest_json,
    "rest-xml": _rest_xml,
    "query": _query,
    "ec2": _ec2,
    "smithy-rpc-v2-cbor": _cbor,
}

"""AWS services over HTTP in the protocols their clients choose: JSON, CBOR and query.

Botocore's and moto's own parsers and serializers read and write them; moto's (0.3 s to import) only
when the first request in the query protocol comes.
"""

import asyncio
import functools
import inspect
import json
import logging
import uuid
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.loaders import Loader
from botocore.model import OperationModel
from botocore.parsers import ResponseParserError
from botocore.serialize import create_serializer
from botocore.utils import parse_timestamp
from starlette.requests import Request
from starlette.responses import Response

from local_sagemaker.api import cbor
from local_sagemaker.api.control import Operation
from local_sagemaker.api.errors import ServiceError
from local_sagemaker.api.validation import check_request, service_model

MAX_BODY = 16 * 1024 * 1024
logger = logging.getLogger(__name__)
_CBOR_PATH = "/service/"


class AwsService:
    """One AWS service, by its botocore name: reads a request, has it answered, writes the answer.

    `invalid_code` is what the service calls a request of the wrong form.
    """

    def __init__(
        self, name: str, operations: Mapping[str, Operation], region: str, invalid_code: str
    ) -> None:
        self.name = self._name = name
        self._operations = operations
        self._region = region
        self._invalid_code = invalid_code

    async def serve(self, request: Request, signed_region: str | None) -> Response:
        """Answer one request."""
        request_id = str(uuid.uuid4())
        body = await request.body()
        try:
            body = _decoded(request, body)
        except ServiceError as error:
            return self._failed(_recognised(request, b"")[0], error, request_id)
        protocol, operation = _recognised(request, body)
        try:
            self._check_region(signed_region)
            if operation not in service_model(self._name).operation_names:
                raise ServiceError("InvalidAction", f"Could not find operation {operation}.")
            parameters = await self._read(protocol, operation, body)
            answer = await self._answer(operation, parameters)
            return await self._written(protocol, operation, answer, request_id)
        except ServiceError as error:
            return self._failed(protocol, error, request_id)
        except Exception as error:
            logger.exception("%s %s failed", self._name, operation)
            failure = ServiceError("InternalFailure", f"Internal failure: {error!r}", status=500)
            return self._failed(protocol, failure, request_id)

    def _check_region(self, signed_region: str | None) -> None:
        if signed_region not in (None, self._region):
            raise ServiceError(
                "InvalidSignatureException",
                f"Credential should be scoped to a valid region, not '{signed_region}'. "
                f"(This local SageMaker is in {self._region}.)",
                status=403,
            )

    async def _answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if operation not in self._operations:
            raise ServiceError("UnsupportedOperation", f"{operation} is not served by the local SageMaker.")
        try:
            check_request(self._name, operation, parameters)
        except ServiceError as error:
            if error.code == "ValidationException":
                raise ServiceError(self._invalid_code, error.message) from error
            raise
        answer = self._operations[operation](parameters)
        return await answer if inspect.isawaitable(answer) else answer

    async def _read(self, protocol: str, operation: str, body: bytes) -> dict[str, Any]:
        try:
            if protocol == "query":
                # In a thread: the first call imports moto.
                return await asyncio.to_thread(_read_query, self._name, operation, body)
            parameters = _read_cbor(body) if protocol == "cbor" else json.loads(body or b"{}")
        except (ValueError, KeyError, ResponseParserError) as error:
            raise ServiceError("SerializationException", f"The request cannot be read: {error}") from error
        if not isinstance(parameters, dict):
            raise ServiceError(
                "SerializationException", "Start of structure or map found where not expected."
            )
        return parameters

    async def _written(
        self, protocol: str, operation: str, answer: dict[str, Any], request_id: str
    ) -> Response:
        if protocol == "query":
            text = await asyncio.to_thread(_write_query, self._name, operation, answer, request_id)
            return Response(text, media_type="text/xml", headers=_identity(request_id))
        if protocol == "cbor":
            body = _write_cbor(self._name, operation, answer)
            return Response(body, media_type="application/cbor", headers=_identity(request_id, cbor=True))
        return Response(
            json.dumps(answer),
            media_type=f"application/x-amz-json-{service_model(self._name).metadata['jsonVersion']}",
            headers=_identity(request_id),
        )

    def _failed(self, protocol: str, error: ServiceError, request_id: str) -> Response:
        if protocol == "query":
            text = _query_error(service_model(self._name).metadata["xmlNamespace"], error, request_id)
            return Response(
                text, status_code=error.status, media_type="text/xml", headers=_identity(request_id)
            )
        named = {"__type": _error_shape(self._name, error.code), "message": error.message, **error.members}
        headers = _identity(request_id, cbor=protocol == "cbor")
        if "awsQueryCompatible" in service_model(self._name).metadata:
            # The code that the query protocol would have given is what SDKs show.
            side = "Sender" if error.status < 500 else "Receiver"  # noqa: PLR2004 - HTTP's own line
            headers["x-amzn-query-error"] = f"{error.code};{side}"
        if protocol == "cbor":
            return Response(
                cbor.map_of_texts(named),
                status_code=error.status,
                media_type="application/cbor",
                headers=headers,
            )
        return Response(
            json.dumps(named),
            status_code=error.status,
            media_type=f"application/x-amz-json-{service_model(self._name).metadata['jsonVersion']}",
            headers=headers,
        )


def _decoded(request: Request, body: bytes) -> bytes:
    """The body as it was before an SDK compressed it: PutMetricData's are, from 10 KiB on."""
    if request.headers.get("content-encoding") != "gzip":
        return body
    try:
        unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        unpacked = unpacking.decompress(body, MAX_BODY + 1)
    except zlib.error as error:
        raise ServiceError("SerializationException", f"The request cannot be read: {error}") from error
    if len(unpacked) > MAX_BODY:
        raise ServiceError("RequestEntityTooLarge", f"The request is over {MAX_BODY} bytes.", status=413)
    return unpacked


def _recognised(request: Request, body: bytes) -> tuple[str, str]:
    """Protocol and operation, each as that protocol names it."""
    path = request.url.path
    if path.startswith(_CBOR_PATH) and "cbor" in request.headers.get("content-type", "cbor"):
        return "cbor", path.rpartition("/")[2]
    target = request.headers.get("x-amz-target")
    if target:
        return "json", target.rpartition(".")[2]
    return "query", dict(parse_qsl(body.decode("utf-8", "replace"))).get("Action", "")


def _identity(request_id: str, *, cbor: bool = False) -> dict[str, str]:
    return {"x-amzn-RequestId": request_id} | ({"smithy-protocol": "rpc-v2-cbor"} if cbor else {})


def _error_shape(service: str, code: str) -> str:
    """The name of the error's shape, where the model has one of that code."""
    for shape in service_model(service).error_shapes:
        if shape.metadata.get("error", {}).get("code", shape.name) == code:
            return f"{service}#{shape.name}"
    return code


def _read_cbor(body: bytes) -> Any:
    return cbor.parsed(body) if body else {}


@functools.cache
def _mirrored(service: str, operation: str) -> OperationModel:
    """An operation whose input is the other's output: botocore's serializers write requests only."""
    model = service_model(service).operation_model(operation)
    mirror: dict[str, Any] = {"name": operation, "http": {"method": "POST", "requestUri": "/"}}
    if model.output_shape is not None:
        mirror["input"] = {"shape": model.output_shape.name}
    return OperationModel(mirror, service_model(service), operation)


def _write_cbor(service: str, operation: str, answer: dict[str, Any]) -> bytes:
    serializer = create_serializer("smithy-rpc-v2-cbor", include_validation=False)
    body: bytes = serializer.serialize_to_request(answer, _mirrored(service, operation))["body"]
    return body or b"\xa0"


@functools.cache
def _moto_operation(service: str, operation: str) -> Any:
    from moto.core.model import ServiceModel  # noqa: PLC0415 - see this module's docstring

    return ServiceModel(Loader().load_service_model(service, "service-2"), service).operation_model(operation)


def _read_query(service: str, operation: str, body: bytes) -> dict[str, Any]:
    from moto.core.parse import QueryParser  # noqa: PLC0415 - see this module's docstring

    parser = QueryParser(
        _moto_operation(service, operation),
        timestamp_parser=lambda value: parse_timestamp(value).timestamp(),
    )
    request: Any = {"values": dict(parse_qsl(body.decode(), keep_blank_values=True))}
    parsed: dict[str, Any] = parser.parse(request)
    return parsed


def _write_query(service: str, operation: str, answer: dict[str, Any], request_id: str) -> str:
    from moto.core.serialize import QuerySerializer, SerializationContext  # noqa: PLC0415

    serializer = QuerySerializer(
        _moto_operation(service, operation), context=SerializationContext(request_id)
    )
    return str(serializer.serialize(answer)["body"])


def _query_error(namespace: str, error: ServiceError, request_id: str) -> str:
    return (
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>Sender</Type><Code>{escape(error.code)}</Code>'
        f"<Message>{escape(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )

"""AWS's event-stream encoding, as sagemaker-runtime answers with it."""

import binascii
import json
import struct

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7  # the type of a header's value
_LONGEST_PART = 1 << 20


def payload_parts(chunk: bytes) -> bytes:
    """A part of the model's answer, as PayloadPart events."""
    return b"".join(
        _message(
            {
                ":event-type": "PayloadPart",
                ":content-type": "application/octet-stream",
                ":message-type": "event",
            },
            chunk[start : start + _LONGEST_PART],
        )
        for start in range(0, len(chunk), _LONGEST_PART)
    )


def stream_error(kind: str, message: str, **members: str) -> bytes:
    """The exception that ends a stream: ModelStreamError with its ErrorCode, or InternalStreamFailure."""
    headers = {
        ":exception-type": kind,
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    return _message(headers, json.dumps({"Message": message, **members}).encode())


def _message(headers: dict[str, str], payload: bytes) -> bytes:
    """Lengths and their checksum, headers, payload, and the checksum of all of it."""
    fields = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    # 16: the prelude's two lengths and the two checksums.
    prelude = struct.pack("!II", len(fields) + len(payload) + 16, len(fields))
    checked = prelude + struct.pack("!I", binascii.crc32(prelude)) + fields + payload
    return checked + struct.pack("!I", binascii.crc32(checked))


def _header(name: bytes, value: bytes) -> bytes:
    return struct.pack("!B", len(name)) + name + struct.pack("!BH", _STRING, len(value)) + value

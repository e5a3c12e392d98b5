"""CBOR (RFC 8949) as the services' RPC protocol has it: any body read, errors written."""

from collections.abc import Mapping
from typing import Any

from botocore.parsers import RpcV2CBORParser

_parser = RpcV2CBORParser(timestamp_parser=float)


def parsed(body: bytes) -> Any:
    """What a body says, times as seconds; raises ResponseParserError or ValueError when it is none."""
    return _parser.parse_data_item(_parser.get_peekable_stream_from_bytes(body))


def map_of_texts(texts: Mapping[str, Any]) -> bytes:
    """A map of at most 23 texts, of which an error consists."""
    content = b"".join(_text(str(text)) for pair in texts.items() for text in pair)
    return bytes([0xA0 | len(texts)]) + content


def _text(text: str) -> bytes:
    """A text string (major type 3) with its length in four bytes."""
    encoded = text.encode()
    return b"\x7a" + len(encoded).to_bytes(4, "big") + encoded

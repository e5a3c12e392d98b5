"""Data capture: a sample of requests and answers, to S3 in the service's JSON lines (hosting guide, Model
Monitor, Capture data)."""

import asyncio
import base64
import json
import logging
import random
import time
import uuid
from datetime import UTC, datetime
from typing import Any, NamedTuple

from local_sagemaker.clock import Clock
from local_sagemaker.hosting.asked import Asked
from local_sagemaker.hosting.container import Answer, Call
from local_sagemaker.hosting.variant_fleet import VariantFleet
from local_sagemaker.s3.objects import S3Objects, split_prefix

FLUSH_SECONDS = 60.0
MINIMUM_FLUSH_SECONDS = 0.5
# What waits to be written; more is not captured, as the service stops where its disk fills up.
MAX_WAITING_BYTES = 256 * 1024 * 1024
_OPTIONS = {"Input": ("Input",), "Output": ("Output",), "InputAndOutput": ("Input", "Output")}
_random = random.Random()  # noqa: S311 - a sample, nothing secret
logger = logging.getLogger(__name__)


class _Taken(NamedTuple):
    at: float
    inference_id: str | None
    config: dict[str, Any]
    sent: tuple[str, bytes]
    received: tuple[str, bytes]


class Capture:
    """Gathers in memory what the invocations leave, and writes it in the background."""

    def __init__(self, s3: S3Objects, clock: Clock) -> None:
        self._s3 = s3
        self._clock = clock
        self._waiting: dict[tuple[str, str, str], list[_Taken]] = {}
        self._size = 0
        self._task: asyncio.Task[None] | None = None

    def take(self, asked: Asked, fleet: VariantFleet, call: Call, answer: Answer) -> None:
        """Keep one successful invocation, if the sample has it; what it costs is an append."""
        config = fleet.data_capture or {}
        if not config.get("EnableCapture", True) or not answer.good:
            return
        if _random.random() * 100 >= config["InitialSamplingPercentage"]:
            return
        if self._size > MAX_WAITING_BYTES:
            return
        key = (config["DestinationS3Uri"], asked.endpoint, fleet.variant.name)
        self._size += len(call.body) + len(answer.body)
        self._waiting.setdefault(key, []).append(
            _Taken(
                time.time(),
                asked.option("inference-id"),
                config,
                (call.headers.get("content-type", ""), call.body),
                (answer.headers.get("content-type", ""), answer.body),
            )
        )

    def start(self) -> None:
        """Write every minute of the service's time."""
        self._task = asyncio.create_task(self._flush_for_ever(), name="data capture")

    async def stop(self) -> None:
        """Write what is left."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._flush()

    async def _flush_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._clock.limit(FLUSH_SECONDS, MINIMUM_FLUSH_SECONDS))
            await self._flush()

    async def _flush(self) -> None:
        waiting, self._waiting, self._size = self._waiting, {}, 0
        for (destination, endpoint, variant), taken in waiting.items():
            try:
                bucket, prefix = split_prefix(destination)
                now = datetime.now(UTC)
                name = f"{now:%M-%S}-{now.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
                parts = [prefix.strip("/"), endpoint, variant, f"{now:%Y/%m/%d/%H}", name]
                lines = await asyncio.to_thread(_lines, taken)
                await self._s3.write(lines, bucket, "/".join(part for part in parts if part))
            except Exception:
                # A bucket that is not there, say: the caller was answered long ago.
                logger.exception("endpoint %s: writing captured data to %s failed", endpoint, destination)


def _lines(taken: list[_Taken]) -> bytes:
    return b"".join(json.dumps(_record(one)).encode() + b"\n" for one in taken)


def _record(one: _Taken) -> dict[str, Any]:
    wanted = {mode for option in one.config["CaptureOptions"] for mode in _OPTIONS[option["CaptureMode"]]}
    sides = {"Input": one.sent, "Output": one.received}
    metadata = {
        "eventId": str(uuid.uuid4()),
        **({"inferenceId": one.inference_id} if one.inference_id else {}),
        "inferenceTime": datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return {
        "captureData": {
            f"endpoint{side}": _data(side, content_type, body, one.config.get("CaptureContentTypeHeader", {}))
            for side, (content_type, body) in sides.items()
            if side in wanted
        },
        "eventMetadata": metadata,
        "eventVersion": "0",
    }


def _data(side: str, content_type: str, body: bytes, headers: dict[str, list[str]]) -> dict[str, str]:
    """Text where the content type is one of those declared to be, base64 else (CaptureContentTypeHeader's
    reference)."""
    encoding = "BASE64"
    plain = content_type.partition(";")[0].strip().lower()
    for kind, member in (("CSV", "CsvContentTypes"), ("JSON", "JsonContentTypes")):
        if any(declared.lower() in {plain, content_type.lower()} for declared in headers.get(member, [])):
            encoding = kind
    if encoding != "BASE64":
        try:
            return _described(side, content_type, body.decode(), encoding)
        except UnicodeDecodeError:
            encoding = "BASE64"
    return _described(side, content_type, base64.b64encode(body).decode(), encoding)


def _described(side: str, content_type: str, data: str, encoding: str) -> dict[str, str]:
    return {"observedContentType": content_type, "mode": side.upper(), "data": data, "encoding": encoding}

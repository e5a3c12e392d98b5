"""Where rules send events: queues, topics, log groups and other buses, all of them moto's."""

import json
import logging
import time
import uuid
from typing import Any

from local_sagemaker.backing.moto import Moto

logger = logging.getLogger(__name__)


class Targets:
    """Delivers one text to a target by its ARN."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto

    async def send(self, target: dict[str, Any], text: str) -> None:
        """Deliver; a failure goes to the target's dead-letter queue, if it has one, and into the log."""
        try:
            await self._send(target, text)
        except Exception as error:  # one bad target must not keep the others from theirs
            logger.warning("an event was not delivered to %s: %s", target["Arn"], error)
            dead_letters = target.get("DeadLetterConfig", {}).get("Arn")
            if dead_letters:
                await self._send_to_dead_letters(dead_letters, target, text, error)

    async def _send(self, target: dict[str, Any], text: str) -> None:
        _, _, service, _, _, resource = target["Arn"].split(":", 5)
        if service == "sqs":
            await self._to_queue(target["Arn"], text, target.get("SqsParameters", {}))
        elif service == "sns":
            await self._moto.query(
                "sns",
                {
                    "Action": "Publish",
                    "Version": "2010-03-31",
                    "TopicArn": target["Arn"],
                    "Message": text,
                },
            )
        elif service == "logs":
            await self._to_log_group(resource.removeprefix("log-group:").removesuffix(":*"), text)
        elif service == "events" and resource.startswith("event-bus/"):
            raise NotImplementedError("events are not passed on to other buses")
        else:
            raise NotImplementedError(f"targets of {service} are not served")

    async def _to_queue(self, arn: str, text: str, parameters: dict[str, Any], **members: Any) -> None:
        account, name = arn.split(":")[4:6]
        request = {
            "QueueUrl": f"http://127.0.0.1/{account}/{name}",
            "MessageBody": text,
            **parameters,
            **members,
        }
        await self._moto.json("sqs", "AmazonSQS.SendMessage", request)

    async def _to_log_group(self, group: str, text: str) -> None:
        names = {"logGroupName": group, "logStreamName": str(uuid.uuid4())}
        await self._moto.json("logs", "Logs_20140328.CreateLogStream", names)
        entry = {"timestamp": int(time.time() * 1000), "message": text}
        await self._moto.json("logs", "Logs_20140328.PutLogEvents", {**names, "logEvents": [entry]})

    async def _send_to_dead_letters(
        self, queue_arn: str, target: dict[str, Any], text: str, error: Exception
    ) -> None:
        said = {"ERROR_MESSAGE": str(error)[:1000], "TARGET_ARN": target["Arn"]}
        attributes = {name: {"DataType": "String", "StringValue": value} for name, value in said.items()}
        try:
            await self._to_queue(queue_arn, text, {}, MessageAttributes=attributes)
        except Exception:
            logger.exception("nor was it delivered to the dead-letter queue %s", queue_arn)


def pattern_of(rule: dict[str, Any]) -> dict[str, Any] | None:
    """The pattern of a rule that is switched on, or None for one that takes no events."""
    if rule.get("State") == "DISABLED" or not rule.get("EventPattern"):
        return None
    pattern: dict[str, Any] = json.loads(rule["EventPattern"])
    return pattern

"""An SNS topic whose messages a test reads."""

import json
from typing import Any

from tests.deploy.rig import Rig


class Topic:
    """The topic and queue of one rig."""

    def __init__(self, rig: Rig) -> None:
        self._name = rig.name
        self._sns, self._sqs = rig.clients("sns"), rig.clients("sqs")
        self._queue = self._sqs.create_queue(QueueName=rig.name)["QueueUrl"]
        self.make()

    def make(self) -> None:
        """Create it, under the same ARN as before where it was deleted."""
        self.arn: str = self._sns.create_topic(Name=self._name)["TopicArn"]
        asked = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        self._sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=asked["Attributes"]["QueueArn"])

    def delete(self) -> None:
        """Delete it: a message to it is refused from now on."""
        self._sns.delete_topic(TopicArn=self.arn)

    def notifications(self, *notices: str) -> list[dict[str, Any]]:
        """The spec's section that sends these notices here."""
        return [{"sns_topic_arn": self.arn, "on": list(notices)}]

    def subjects(self) -> list[str]:
        """Subjects of what has come since the last look."""
        return [message["Subject"] for message in self.messages()]

    def messages(self) -> list[dict[str, Any]]:
        """What has come since the last look, as SNS delivers it."""
        found: list[dict[str, Any]] = []
        while True:
            answer = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10)
            messages = answer.get("Messages", [])
            if not messages:
                return found
            for message in messages:
                found.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])

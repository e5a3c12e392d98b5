"""Who is told what: the spec's section `notifications`."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from endpoint_deploy.core import fields as f
from endpoint_deploy.core.problems import Unfit
from endpoint_deploy.core.strict import Strict

_WAYS = ("sns_topic_arn", "slack", "email")


class SlackSpec(Strict):
    """A Slack channel."""

    conn_id: f.ConnectionId = Field(
        description="Airflow connection: of type `slack`, with a bot's token, where `channel` is said; of "
        "type `slackwebhook`, an incoming webhook's, where it is not."
    )
    channel: f.SlackChannel | None = None


class EmailSpec(Strict):
    """Mail, from the `from_email` of an Airflow connection of type `smtp`."""

    to: Annotated[tuple[f.EmailAddress, ...], Field(min_length=1, max_length=50), f.unique("address")]
    conn_id: f.ConnectionId = "smtp_default"


class Notification(Strict):
    """One message a fact, to an SNS topic, a Slack channel or mailboxes."""

    sns_topic_arn: f.TopicArn | None = None
    slack: SlackSpec | None = None
    email: EmailSpec | None = None
    on: Annotated[
        tuple[f.Notice, ...], Field(min_length=1, max_length=len(f.NOTICES)), f.unique("outcome")
    ] = f.NOTICES

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        named = [way for way in _WAYS if getattr(self, way) is not None]
        if len(named) != 1:
            raise Unfit(
                at=(),
                found=" and ".join(named) or "none of them",
                expected=f"one of {', '.join(_WAYS)}: another way is another entry",
            )
        return self

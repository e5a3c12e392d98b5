"""Which of moto's changes are kept, and of what they are changes: roles, topics, queues, rules, log groups.

Each operation has a subject, as in `role/NAME/inline/POLICY`; whatever begins with a subject goes with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from local_sagemaker.account import ACCOUNT_ID

Members = Mapping[str, Any]
# What becomes of earlier entries: "make" is left out if there is one of the same subject, "base" takes its
# place, "set" comes after all others instead of it, "add" is one more, "drop" takes all of the subject away.
Kind = Literal["make", "base", "set", "add", "drop"]


@dataclass(frozen=True)
class Change:
    """One operation as the journal sees it."""

    kind: Kind
    subject: str


Rule = tuple[Kind, Callable[[Members, str], str]]


def change(service: str, operation: str, members: Members, region: str) -> Change | None:
    """The change that an operation makes, or None for one that is not kept."""
    rule = _RULES.get(service, {}).get(operation)
    if rule is None:
        return None
    kind, subject = rule
    try:
        return Change(kind, subject(members, region))
    except KeyError:
        return None  # it names nothing, as CreateAccessKey for oneself


SERVICES = ("iam", "sns", "sqs", "events", "logs")


def _of(template: str) -> Callable[[Members, str], str]:
    return lambda members, _region: template.format_map(members)


def _policy(members: Members, _region: str) -> str:
    arn = f"arn:aws:iam::{ACCOUNT_ID}:policy{members.get('Path', '/')}{members['PolicyName']}"
    return f"policy/{arn}"


def _topic(members: Members, region: str) -> str:
    return f"topic/arn:aws:sns:{region}:{ACCOUNT_ID}:{members['Name']}"


def _subscription(members: Members, _region: str) -> str:
    arn = members["SubscriptionArn"]
    suffix = f"/{members['AttributeName']}" if "AttributeName" in members else ""
    return f"topic/{arn.rpartition(':')[0]}/subscription/{arn}{suffix}"


def _queue(members: Members, _region: str) -> str:
    name = members.get("QueueName") or members["QueueUrl"].rpartition("/")[2]
    return f"queue/{name}"


def _queue_attributes(members: Members, region: str) -> str:
    return f"{_queue(members, region)}/attributes/{','.join(sorted(members['Attributes']))}"


def _rule(suffix: str = "") -> Callable[[Members, str], str]:
    def subject(members: Members, _region: str) -> str:
        bus = members.get("EventBusName", "default").rpartition("/")[2]
        return f"bus/{bus}/rule/{members.get('Rule') or members['Name']}{suffix}"

    return subject


def _entity(kind: str) -> dict[str, Rule]:
    """What IAM offers alike for users, groups and roles."""
    of = f"{kind.lower()}/{{{kind}Name}}"
    return {
        f"Create{kind}": ("make", _of(of)),
        f"Delete{kind}": ("drop", _of(of)),
        f"Put{kind}Policy": ("set", _of(of + "/inline/{PolicyName}")),
        f"Delete{kind}Policy": ("drop", _of(of + "/inline/{PolicyName}")),
        f"Attach{kind}Policy": ("set", _of(of + "/attached/{PolicyArn}")),
        f"Detach{kind}Policy": ("drop", _of(of + "/attached/{PolicyArn}")),
        f"Tag{kind}": ("add", _of(of + "/tags")),
        f"Untag{kind}": ("add", _of(of + "/tags")),
        f"Put{kind}PermissionsBoundary": ("set", _of(of + "/boundary")),
        f"Delete{kind}PermissionsBoundary": ("drop", _of(of + "/boundary")),
    }


_RULES: dict[str, dict[str, Rule]] = {
    "iam": {
        **_entity("User"),
        **_entity("Group"),
        **_entity("Role"),
        "UpdateAssumeRolePolicy": ("set", _of("role/{RoleName}/trust")),
        "UpdateRole": ("set", _of("role/{RoleName}/settings")),
        "AddUserToGroup": ("set", _of("group/{GroupName}/member/{UserName}")),
        "RemoveUserFromGroup": ("drop", _of("group/{GroupName}/member/{UserName}")),
        "CreatePolicy": ("make", _policy),
        "DeletePolicy": ("drop", _of("policy/{PolicyArn}")),
        "CreatePolicyVersion": ("add", _of("policy/{PolicyArn}/versions")),
        "DeletePolicyVersion": ("add", _of("policy/{PolicyArn}/versions")),
        "SetDefaultPolicyVersion": ("add", _of("policy/{PolicyArn}/versions")),
        "CreateAccessKey": ("add", _of("user/{UserName}/key/{AccessKeyId}")),
        "UpdateAccessKey": ("set", _of("user/{UserName}/key/{AccessKeyId}/status")),
        "DeleteAccessKey": ("drop", _of("user/{UserName}/key/{AccessKeyId}")),
    },
    "sns": {
        "CreateTopic": ("make", _topic),
        "DeleteTopic": ("drop", _of("topic/{TopicArn}")),
        "SetTopicAttributes": ("set", _of("topic/{TopicArn}/attribute/{AttributeName}")),
        "Subscribe": ("add", _subscription),
        "Unsubscribe": ("drop", _subscription),
        "SetSubscriptionAttributes": ("set", _subscription),
    },
    "sqs": {
        "CreateQueue": ("make", _queue),
        "DeleteQueue": ("drop", _queue),
        "SetQueueAttributes": ("set", _queue_attributes),
        "TagQueue": ("add", _queue),
        "UntagQueue": ("add", _queue),
    },
    "events": {
        "CreateEventBus": ("make", _of("bus/{Name}")),
        "DeleteEventBus": ("drop", _of("bus/{Name}")),
        "PutRule": ("base", _rule()),
        "DeleteRule": ("drop", _rule()),
        "EnableRule": ("set", _rule("/state")),
        "DisableRule": ("set", _rule("/state")),
        "PutTargets": ("add", _rule("/targets")),
        "RemoveTargets": ("add", _rule("/targets")),
    },
    "logs": {
        "CreateLogGroup": ("make", _of("group/{logGroupName}")),
        "DeleteLogGroup": ("drop", _of("group/{logGroupName}")),
        "PutRetentionPolicy": ("set", _of("group/{logGroupName}/retention")),
        "DeleteRetentionPolicy": ("drop", _of("group/{logGroupName}/retention")),
    },
}

"""What the registry remembers, and how it is addressed."""

import re
from typing import Any

from pydantic import Field

from local_sagemaker.account import ACCOUNT_ID
from local_sagemaker.record import Record

GROUP_KIND = "model-package-group"
PACKAGE_KIND = "model-package"
_ARN = re.compile(r"arn:[^:]*:sagemaker:[^:]*:[^:]*:[^/]*/(?P<name>.+)")


class Group(Record):
    """A model package group; `last_version` is never given out again, also when that version is deleted."""

    name: str
    arn: str
    created: float
    created_by: dict[str, Any]
    request: dict[str, Any]
    last_version: int = 0
    policy: str | None = None
    tags: dict[str, str] = Field(default_factory=dict)


class Package(Record):
    """A model package: a version in a group, or one with a name of its own (`group` and `version` None).

    `request` is what the creation said, with what updates made of it.
    """

    name: str
    group: str | None
    version: int | None
    arn: str
    created: float
    created_by: dict[str, Any]
    modified: float | None = None
    modified_by: dict[str, Any] | None = None
    request: dict[str, Any]
    client_token: str | None = None
    tags: dict[str, str] = Field(default_factory=dict)

    @property
    def key(self) -> str:
        """Where it is stored: the end of its ARN, padded so that versions sort as numbers."""
        return package_key(self.arn)

    @property
    def approval(self) -> str | None:
        """The approval status, which only versions have."""
        return self.request.get("ModelApprovalStatus")


def group_arn(region: str, name: str) -> str:
    """The ARN of a group, with its name in lower case, as the service's are."""
    return f"arn:aws:sagemaker:{region}:{ACCOUNT_ID}:{GROUP_KIND}/{name.lower()}"


def package_arn(region: str, name: str) -> str:
    """The ARN of a package; `name` is `group/version`, or the name of one without a group."""
    return f"arn:aws:sagemaker:{region}:{ACCOUNT_ID}:{PACKAGE_KIND}/{name.lower()}"


def bare_name(name_or_arn: str) -> str:
    """What is after the kind in an ARN; a bare name as it is."""
    found = _ARN.fullmatch(name_or_arn)
    return found["name"] if found else name_or_arn


def package_key(name_or_arn: str) -> str:
    """The key under which the package is stored."""
    name, _, version = bare_name(name_or_arn).lower().partition("/")
    return f"{name}/{int(version):09d}" if version.isdigit() else name

"""AddTags, ListTags and DeleteTags of models, endpoint configurations and endpoints."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from local_sagemaker.api import errors

Request = dict[str, Any]
# The tags of a named resource, and how to change them; raises the service's error for a missing one.
TagOwner = Callable[[str], tuple[dict[str, str], Callable[[dict[str, str]], None]]]
MAX_TAGS = 50


class Tags:
    """The tags of this server's resources, by ARN: `owners` maps the kind in an ARN to who keeps them."""

    def __init__(self, owners: Mapping[str, TagOwner]) -> None:
        self._owners = owners

    def owns(self, body: bytes) -> bool:
        """Whether the request is about a resource kept here; moto has the others."""
        try:
            arn = json.loads(body).get("ResourceArn")
        except (ValueError, AttributeError):
            return True
        return not isinstance(arn, str) or _split(arn)[0] in (*self._owners, "")

    def of(self, arn: str) -> dict[str, str]:
        """The tags of a resource; none of one that is not there or not kept here."""
        try:
            return self._resolve(arn)[0]
        except errors.ServiceError:
            return {}

    def add(self, request: Request) -> dict[str, Any]:
        """AddTags: those given replace those of the same key."""
        tags, save = self._resolve(request["ResourceArn"])
        tags = {**tags, **{tag["Key"]: tag["Value"] for tag in request["Tags"]}}
        if len(tags) > MAX_TAGS:
            raise errors.invalid(
                f"A resource can have at most {MAX_TAGS} tags, this one would have {len(tags)}."
            )
        save(tags)
        return {"Tags": _listed(tags)}

    def list_tags(self, request: Request) -> dict[str, Any]:
        """ListTags: all on one page, since there are never more than fit."""
        return {"Tags": _listed(self._resolve(request["ResourceArn"])[0])}

    def delete(self, request: Request) -> dict[str, Any]:
        """DeleteTags: keys that are not there do not matter."""
        tags, save = self._resolve(request["ResourceArn"])
        save({key: value for key, value in tags.items() if key not in request["TagKeys"]})
        return {}

    def _resolve(self, arn: str) -> tuple[dict[str, str], Callable[[dict[str, str]], None]]:
        """The tags of a resource, and how to change them."""
        kind, name = _split(arn)
        if kind not in self._owners:
            raise errors.invalid(f"Could not find resource {arn}.")
        return self._owners[kind](name)


def _split(arn: str) -> tuple[str, str]:
    kind, _, name = arn.split(":", 5)[-1].partition("/")
    return (kind, name) if arn.startswith("arn:") else ("", "")


def _listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]

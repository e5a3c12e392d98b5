"""AddTags, ListTags and DeleteTags of models, endpoint configurations and endpoints."""

import json
from collections.abc import Callable
from typing import Any

from local_sagemaker import errors
from local_sagemaker.catalog import ENDPOINT, ENDPOINT_CONFIG, MODEL, Catalog
from local_sagemaker.endpoints import Endpoints

Request = dict[str, Any]
MAX_TAGS = 50
_KINDS = (MODEL.kind, ENDPOINT_CONFIG.kind, ENDPOINT.kind)


class Tags:
    """The tags of this server's resources, by ARN."""

    def __init__(self, models: Catalog, configs: Catalog, endpoints: Endpoints) -> None:
        self._catalogs = {MODEL.kind: models, ENDPOINT_CONFIG.kind: configs}
        self._endpoints = endpoints

    def owns(self, body: bytes) -> bool:
        """Whether the request is about a resource kept here; moto has the others."""
        try:
            arn = json.loads(body).get("ResourceArn")
        except (ValueError, AttributeError):
            return True
        return not isinstance(arn, str) or _split(arn)[0] in (*_KINDS, "")

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
        if kind == ENDPOINT.kind:
            endpoint = self._endpoints.get(name)
            return endpoint.record.tags, endpoint.save_tags
        if kind not in self._catalogs:
            raise errors.invalid(f"Could not find resource {arn}.")
        catalog = self._catalogs[kind]
        resource = catalog.get(name)
        return resource.tags, lambda tags: catalog.save(resource.model_copy(update={"tags": tags}))


def _split(arn: str) -> tuple[str, str]:
    kind, _, name = arn.split(":", 5)[-1].partition("/")
    return (kind, name) if arn.startswith("arn:") else ("", "")


def _listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]

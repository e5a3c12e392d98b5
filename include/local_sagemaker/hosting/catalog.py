"""Models and endpoint configurations: requests kept under a name, and the checks made of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local_sagemaker.account import ACCOUNT_ID
from local_sagemaker.api import errors
from local_sagemaker.api.listing import page
from local_sagemaker.clock import Clock
from local_sagemaker.hosting.records import Resource
from local_sagemaker.store import Store

Request = dict[str, Any]


@dataclass(frozen=True)
class Noun:
    """How the API speaks of one kind of resource."""

    kind: str
    label: str
    prefix: str

    def arn(self, region: str, name: str) -> str:
        """The service's ARNs carry the name in lower case."""
        return f"arn:aws:sagemaker:{region}:{ACCOUNT_ID}:{self.kind}/{name.lower()}"


MODEL = Noun("model", "model", "Model")
ENDPOINT_CONFIG = Noun("endpoint-config", "endpoint configuration", "EndpointConfig")
ENDPOINT = Noun("endpoint", "endpoint", "Endpoint")


class Catalog:
    """Create, describe, delete and list of one kind; `check` raises what is wrong with a create."""

    def __init__(
        self, noun: Noun, store: Store, clock: Clock, region: str, check: Callable[[Request], None]
    ) -> None:
        self._noun = noun
        self._store = store
        self._clock = clock
        self._region = region
        self._check = check

    def create(self, request: Request) -> dict[str, Any]:
        """Keep the request; refuses a name that is taken."""
        name = request[f"{self._noun.prefix}Name"]
        arn = self._noun.arn(self._region, name)
        if self.find(name):
            raise errors.already_exists(self._noun.label, arn)
        self._check(request)
        tags = {tag["Key"]: tag["Value"] for tag in request.pop("Tags", [])}
        self.save(Resource(name=name, arn=arn, created=self._clock.now(), request=request, tags=tags))
        return {f"{self._noun.prefix}Arn": arn}

    def describe(self, request: Request) -> dict[str, Any]:
        """The request as it was sent, with the ARN and the time."""
        resource = self.get(request[f"{self._noun.prefix}Name"])
        return {
            "EnableNetworkIsolation": False,
            **resource.request,
            f"{self._noun.prefix}Arn": resource.arn,
            "CreationTime": resource.created,
        }

    def delete(self, request: Request) -> dict[str, Any]:
        """Remove it, also when an endpoint uses it: the service does not look."""
        resource = self.get(request[f"{self._noun.prefix}Name"])
        self._store.delete(self._noun.kind, resource.name.lower())
        return {}

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of summaries."""
        summaries = [
            {
                f"{self._noun.prefix}Name": resource.name,
                f"{self._noun.prefix}Arn": resource.arn,
                "CreationTime": resource.created,
            }
            for resource in self.all()
        ]
        return page(request, summaries, f"{self._noun.prefix}s", f"{self._noun.prefix}Name")

    def find(self, name: str) -> Resource | None:
        """The resource of that name, in any case, or None."""
        document = self._store.get(self._noun.kind, name.lower())
        return Resource.model_validate(document) if document else None

    def get(self, name: str) -> Resource:
        """The resource of that name, or the service's error."""
        resource = self.find(name)
        if resource is None:
            raise errors.not_found(self._noun.label, self._noun.arn(self._region, name))
        return resource

    def all(self) -> list[Resource]:
        """Every resource of the kind."""
        return [Resource.model_validate(document) for _, document in self._store.all(self._noun.kind)]

    def save(self, resource: Resource) -> None:
        """Write the resource, new or changed."""
        self._store.put(self._noun.kind, resource.name.lower(), resource.model_dump())

    def tags_of(self, name: str) -> tuple[dict[str, str], Callable[[dict[str, str]], None]]:
        """The tags of a resource, and how to change them."""
        resource = self.get(name)
        return resource.tags, lambda tags: self.save(resource.model_copy(update={"tags": tags}))

    def operations(self) -> dict[str, Callable[[Request], dict[str, Any]]]:
        """The API's operations on this kind of resource, by name."""
        prefix = self._noun.prefix
        return {
            f"Create{prefix}": self.create,
            f"Describe{prefix}": self.describe,
            f"Delete{prefix}": self.delete,
            f"List{prefix}s": self.list_page,
        }

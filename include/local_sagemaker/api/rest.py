"""Which operation of a REST API a request is for, found from botocore's model of the API."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel

from local_sagemaker.api.validation import service_model

_LABEL = re.compile(r"\{(\w+)(\+?)\}")


@dataclass(frozen=True)
class _Route:
    operation: str
    method: str
    path: re.Pattern[str]
    query: frozenset[tuple[str, str]]
    # Names of required members that are not in the path: one without them is another operation.
    needed_query: frozenset[str]
    needed_headers: frozenset[str]

    @property
    def weight(self) -> tuple[int, int]:
        """The more a route asks for, the surer it is."""
        labels = self.path.groups
        return len(self.query) + len(self.needed_query) + len(self.needed_headers), -labels


def operation_of(
    service: str, method: str, path: str, query: str, headers: Mapping[str, str]
) -> tuple[str, dict[str, str]]:
    """The operation and its labels in the path (`Bucket`, `EndpointName`, ...); both empty when unknown.

    `path` is still encoded, `query` without its question mark.
    """
    pairs = dict(parse_qsl(query, keep_blank_values=True))
    for route in _routes(service):
        found = route.path.fullmatch(path) if route.method == method else None
        if (
            found
            and all(name in pairs and value in ("", pairs[name]) for name, value in route.query)
            and route.needed_query <= pairs.keys()
            and all(name in headers for name in route.needed_headers)
        ):
            return route.operation, {name: unquote(value) for name, value in found.groupdict().items()}
    return "", {}


@functools.cache
def _routes(service: str) -> tuple[_Route, ...]:
    try:
        model = service_model(service)
    except UnknownServiceError:
        return ()
    routes = [_route(model.operation_model(name)) for name in model.operation_names]
    return tuple(sorted(routes, key=lambda route: route.weight, reverse=True))


def _route(operation: OperationModel) -> _Route:
    uri, _, query = operation.http["requestUri"].partition("?")
    pattern, end = "", 0
    for label in _LABEL.finditer(uri):
        pattern += re.escape(uri[end : label.start()])
        pattern += f"(?P<{label[1]}>{'.+' if label[2] else '[^/]+'})"
        end = label.end()
    shape = operation.input_shape
    places = [shape.members[name].serialization for name in shape.required_members] if shape else []
    return _Route(
        operation=operation.name,
        method=operation.http["method"],
        path=re.compile(f"{pattern}{re.escape(uri[end:])}/?"),
        query=frozenset(parse_qsl(query, keep_blank_values=True)),
        needed_query=frozenset(place["name"] for place in places if place.get("location") == "querystring"),
        needed_headers=frozenset(place["name"] for place in places if place.get("location") == "header"),
    )

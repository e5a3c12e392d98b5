"""A deployment's YAML text to its spec, or every problem of the file at once."""

import os.path
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from endpoint_deploy.core.document import read_document
from endpoint_deploy.core.problems import InvalidSpec
from endpoint_deploy.core.spec import DeploymentSpec


@dataclass(frozen=True)
class Deployment:
    """A spec and the file it came from, against which its relative paths are read.

    `proved_in` is the deployment whose releases this one takes over (`promotion`); None also where its spec
    is missing or cannot be used.
    """

    spec: DeploymentSpec
    source: Path
    proved_in: "Deployment | None" = None

    @property
    def key(self) -> str:
        """`<name>__<environment>`, as it stands in DAG ids."""
        return self.spec.key

    def file(self, relative: str) -> Path:
        """A path of the spec, resolved against the directory of its YAML file; need not exist."""
        return Path(os.path.normpath(self.source.parent / relative))


def load_spec(text: str, *, source: str) -> DeploymentSpec:
    """The spec that a YAML text holds; raises InvalidSpec with every problem, each with its line."""
    document = read_document(text, source=source)
    try:
        # Strict, so that `count: true` or `count: "2"` is a mistake and not a 1 or a 2.
        return DeploymentSpec.model_validate(document.data, strict=True)
    except ValidationError as error:
        from endpoint_deploy.core.explain import explain  # noqa: PLC0415  a DAG parse of good specs needs no words
        from endpoint_deploy.core.schema import json_schema  # noqa: PLC0415

        details = error.errors(include_url=False)
        raise InvalidSpec(explain(details, document, json_schema())) from None

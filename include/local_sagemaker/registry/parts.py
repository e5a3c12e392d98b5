"""The registry, as the server puts it into its parts."""

from collections.abc import Callable, Mapping
from typing import Any

from local_sagemaker.api.tags import TagOwner
from local_sagemaker.clock import Clock
from local_sagemaker.events.bus import Events
from local_sagemaker.registry.groups import Groups
from local_sagemaker.registry.packages import Packages
from local_sagemaker.registry.records import GROUP_KIND, PACKAGE_KIND
from local_sagemaker.store import Store


class Registry:
    """The groups and the packages in them."""

    def __init__(self, store: Store, clock: Clock, region: str, events: Events) -> None:
        self._groups = Groups(store, clock, region)
        self._packages = Packages(store, clock, region, self._groups, events)

    def containers(self, name_or_arn: str) -> list[dict[str, Any]]:
        """A package's containers in the form of CreateModel's; refuses a version that is not approved."""
        return self._packages.containers(name_or_arn)

    def tag_owners(self) -> Mapping[str, TagOwner]:
        """Who keeps the tags, by the kind in an ARN."""
        return {GROUP_KIND: self._groups.tags_of, PACKAGE_KIND: self._packages.tags_of}

    def operations(self) -> Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        """The API's operations on both, by name."""
        return {**self._groups.operations(), **self._packages.operations()}

"""The trigger behind a prefix's asset: files have appeared below it, or have changed."""

from typing import Any

from endpoint_deploy.aws.data_files import files_below
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core import naming
from endpoint_deploy.triggers.watcher import News, Watcher


class NewDataTrigger(Watcher):
    """Fires once the files below an S3 prefix differ from those last announced, and have come to rest.

    They rest once two looks in a row find the same keys and ETags: an upload of several files is one event,
    if no two of them lie further apart than `poll_seconds`. What lies there when the prefix is first looked
    at is announced, since nothing was made of it yet; an empty prefix never is. The event is
    `{"prefix": …, "digest": …, "files": their number}`.
    """

    def __init__(self, *, prefix: str, **settings: Any) -> None:
        super().__init__(**settings)
        self.prefix = prefix
        self._last: str | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class path is stored with the asset: moving this class breaks what is watched."""
        return (
            "endpoint_deploy.triggers.new_data.NewDataTrigger",
            {"prefix": self.prefix, **self.settings()},
        )

    def look(self, hook: EndpointHook, remembered: Any) -> News | None:
        """List the files; news where they are others than those remembered, and the same as a look ago."""
        files = [[file.key, file.etag] for file in files_below(hook.s3, self.prefix)]
        digest = naming.digest([self.prefix, files])
        before, self._last = self._last, digest
        known = remembered and remembered["digest"]
        if not files or digest == known or digest != before:
            return None
        found = {"prefix": self.prefix, "digest": digest, "files": len(files)}
        return News(payload=found, memory=found)

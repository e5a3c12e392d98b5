"""Model archives: one streaming pass over model.tar.gz (checksum, manifest, safety), and pinning.

Nothing of an archive is ever unpacked to disk under its own name, imported, or unpickled.
"""

from endpoint_deploy.artifacts.errors import ArtifactChanged, ArtifactUnreadable, BadUri
from endpoint_deploy.artifacts.inspect import inspect_archive
from endpoint_deploy.artifacts.model import ArtifactReport, Finding, Limits, Member
from endpoint_deploy.artifacts.s3 import inspect_object, parse_uri, pin, pinned_uri

__all__ = [
    "ArtifactChanged",
    "ArtifactReport",
    "ArtifactUnreadable",
    "BadUri",
    "Finding",
    "Limits",
    "Member",
    "inspect_archive",
    "inspect_object",
    "parse_uri",
    "pin",
    "pinned_uri",
]

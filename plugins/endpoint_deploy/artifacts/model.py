"""What is known of an archive after the pass over it."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

KIB, MIB, GIB = 1024, 1024**2, 1024**3

MemberType = Literal["file", "dir", "symlink", "hardlink", "other"]
Severity = Literal["refuse", "hold", "note"]


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of the tar. `size` in bytes, unpacked; `mode` the permission bits."""

    name: str
    size: int
    type: MemberType
    mode: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know about an archive: `refuse` and `hold` stop a release, `note` does not.

    `code` is stable and meant for programs, `message` names the member, what was found and what was
    expected. `member` is None where the finding is about the archive as a whole.
    """

    code: str
    member: str | None
    message: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an archive may ask of its reader; sizes in bytes.

    The ratio counts only from `ratio_floor` unpacked bytes on: a small file of zeros harms nobody.
    `max_nested_size` bounds what is spooled to disk to look inside a zip (a PyTorch checkpoint).
    """

    max_members: int = 10_000
    max_unpacked_size: int = 64 * GIB
    max_ratio: int = 150
    ratio_floor: int = 64 * MIB
    max_pickle_opcodes: int = 20_000_000
    max_nested_size: int = 8 * GIB


@dataclass(frozen=True, slots=True)
class ArtifactReport:
    """The outcome of one pass. `sha256` and `size` are those of the compressed bytes, as stored."""

    sha256: str
    size: int
    unpacked_size: int
    members: tuple[Member, ...]
    findings: tuple[Finding, ...]

    @property
    def refused(self) -> bool:
        """Whether the archive must not be released."""
        return any(finding.severity == "refuse" for finding in self.findings)

    @property
    def held(self) -> bool:
        """Whether nothing condemns the archive, but something in it could not be cleared either."""
        return not self.refused and any(finding.severity == "hold" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready data."""
        return {**asdict(self), "refused": self.refused, "held": self.held}

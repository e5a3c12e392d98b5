"""The pass itself: every byte of the archive seen once, in order, and judged."""

import tarfile
from collections.abc import Iterable
from contextlib import closing
from typing import BinaryIO, Final, cast

from endpoint_deploy.artifacts import paths
from endpoint_deploy.artifacts.contents import Contents
from endpoint_deploy.artifacts.forward import BLOCK, Forward, member_file
from endpoint_deploy.artifacts.model import MIB, ArtifactReport, Finding, Limits, Member, MemberType
from endpoint_deploy.artifacts.stream import Hashed, Refusal, ahead, inflate
from endpoint_deploy.artifacts.tar_damage import TAR_DAMAGE

INFERENCE_CODE: Final = "code/inference.py"
_OCTAL_MOST: Final = 8**11  # a larger size does not fit the header, and stands in an extended one


def inspect_archive(
    chunks: Iterable[bytes],
    *,
    script_mode: bool,
    expected_sha256: str | None = None,
    accept_unknown: bool = False,
    limits: Limits | None = None,
) -> ArtifactReport:
    """Read a `model.tar.gz` once, front to back, in constant memory, and report what it is.

    `chunks` are its compressed bytes, best of about 1 MiB. `script_mode` asks for `code/inference.py`.
    `accept_unknown` turns what could neither be cleared nor condemned from a hold into a note. Whatever
    is wrong with the archive is a finding; only what `chunks` raises is raised. The whole of `chunks` is
    read in any case, so that checksum and size are those of the object.
    """
    limits = limits or Limits()
    hashed = Hashed(chunks)
    with closing(ahead(hashed)) as compressed:
        with closing(ahead(inflate(compressed, limits))) as unpacked:
            walk = _Walk(Forward(unpacked), limits, accept_unknown=accept_unknown)
            walk.run()
        for _ in compressed:
            pass
    if script_mode:
        walk.require_inference_code()
    if expected_sha256 and expected_sha256.lower() != hashed.hexdigest():
        walk.refuse(
            "checksum",
            None,
            f"the object's sha256 is {hashed.hexdigest()}, expected {expected_sha256}: "
            "it is not the artifact that was meant",
        )
    return ArtifactReport(
        sha256=hashed.hexdigest(),
        size=hashed.size,
        unpacked_size=walk.unpacked_size,
        members=tuple(walk.members),
        findings=tuple(walk.findings),
    )


class _Walk:
    """One walk over the tar: the members so far, and what was found."""

    def __init__(self, source: Forward, limits: Limits, *, accept_unknown: bool) -> None:
        self._source = source
        self._limits = limits
        self._contents = Contents(limits, unknown="note" if accept_unknown else "hold")
        self._seen: dict[str, str] = {}
        self._complete = False
        self.members: list[Member] = []
        self.findings: list[Finding] = []
        self.unpacked_size = 0

    def refuse(self, code: str, member: str | None, message: str) -> None:
        """Add a finding that stops the release."""
        self.findings.append(Finding(code, member, message, "refuse"))

    def run(self) -> None:
        """Walk the whole tar; ends early where it cannot be read on."""
        try:
            self._members()
            self._end()
            self._complete = True
        except Refusal as refusal:
            self.refuse(refusal.code, None, refusal.message)
        except TAR_DAMAGE as error:
            self.refuse(
                "tar-corrupt",
                None,
                f"the tar is damaged at unpacked byte {self._source.tell():,}: {error}",
            )
        finally:
            self.unpacked_size = self._source.tell()

    def require_inference_code(self) -> None:
        """Refuse a complete archive without the script that a script mode container runs."""
        if self._complete and self._seen.get(INFERENCE_CODE) != "file":
            self.refuse(
                "no-inference-code",
                INFERENCE_CODE,
                f"{INFERENCE_CODE} is missing, and the image runs in script mode: "
                "pack the script under exactly that name",
            )

    def _members(self) -> None:
        # `tarfile` asks of a file that it reads in order nothing but tell, read and seek.
        source = cast("BinaryIO", self._source)
        with tarfile.TarFile(fileobj=source, mode="r", encoding="utf-8", errors="surrogateescape") as tar:
            while (info := tar.next()) is not None:
                if len(self.members) == self._limits.max_members:
                    raise Refusal("bomb-count", f"the archive has more than {len(self.members):,} members")
                self._member(info)
                self._source.seek(tar.offset)
                if self._source.tell() < tar.offset:
                    raise Refusal("tar-truncated", f"the tar ends in the middle of {info.name!r}")

    def _member(self, info: tarfile.TarInfo) -> None:
        self._check_size(info)
        kind = _type_of(info)
        name = info.name.encode("utf-8", "backslashreplace").decode()
        self.members.append(Member(name, info.size, kind, info.mode & 0o7777))
        self._check_place(info, kind, name)
        if kind in ("symlink", "hardlink"):
            self._check_link(info, kind, name)
        elif kind == "other":
            self.refuse(
                "special-member",
                name,
                f"{name}: {_special(info)}; expected only files, directories and links",
            )
        elif kind == "file":
            with member_file(self._source, info.size) as content:
                self.findings += self._contents.judge(name, content)

    def _check_size(self, info: tarfile.TarInfo) -> None:
        """Refuse what makes readers disagree where the next member begins.

        One then sees what another does not: some take the size of the header, others that of the extended
        header (CVE-2025-62518); some step over the data of a link or a directory, others know of none.
        """
        header = self._source.last_block
        if len(header) < BLOCK:
            return
        plain = int(tarfile.nti(header[124:136]))  # type: ignore[attr-defined]  # typeshed has it not
        extended = info.pax_headers.get("size")
        if plain < 0 or info.size < 0:
            raise Refusal("tar-header", f"{info.name!r}: {min(plain, info.size):,} bytes, fewer than none")
        if extended is not None and (plain != info.size < _OCTAL_MOST or extended != str(info.size)):
            raise Refusal(
                "tar-header",
                f"{info.name!r}: {plain:,} bytes by its header, {extended:.20} by the extended one",
            )
        if plain and not info.isreg() and info.type in tarfile.SUPPORTED_TYPES:
            raise Refusal(
                "tar-header", f"{info.name!r}: {plain:,} bytes of data where a link or a directory has none"
            )

    def _check_place(self, info: tarfile.TarInfo, kind: MemberType, name: str) -> None:
        if why := paths.why_unsafe(info.name):
            self.refuse("unsafe-path", name, f"{name!r}: {why}, expected a plain relative path")
            return
        if info.name.endswith("/") and kind != "dir":
            self.refuse("unsafe-path", name, f"{name!r}: a {kind} with a directory's name")
        here = paths.normalise(info.name)
        known = self._seen.get(here)
        if known and not known == kind == "dir":
            self.refuse(
                "duplicate-member",
                name,
                f"{name}: a {kind} where a {known} of the same name came before, expected each name once",
            )
        elif why := paths.clash(here, self._seen):
            self.refuse("unsafe-path", name, f"{name}: {why}")
        for above in paths.parents(here):
            self._seen.setdefault(above, "dir")
        self._seen.setdefault(here, kind)

    def _check_link(self, info: tarfile.TarInfo, kind: MemberType, name: str) -> None:
        target = info.linkname.encode("utf-8", "backslashreplace").decode()
        if why := paths.why_link_leaves(info.name, info.linkname, is_symlink=kind == "symlink"):
            self.refuse(
                "unsafe-link",
                name,
                f"{name}: a {kind} to {target!r}, {why}; expected a target inside the archive",
            )
        elif kind == "hardlink" and self._seen.get(paths.normalise(info.linkname)) != "file":
            self.refuse(
                "unsafe-link",
                name,
                f"{name}: a hard link to {target!r}, which is no file that came before it in the archive",
            )

    def _end(self) -> None:
        end = self._source.last_block
        if len(end) < BLOCK:
            raise Refusal("tar-truncated", "the tar ends without its end marker of zero blocks")
        if any(end):
            raise Refusal(
                "tar-corrupt",
                f"the tar is damaged: the header at unpacked byte {self._source.tell() - BLOCK:,} is not one",
            )
        while rest := self._source.read_some(MIB):
            if rest.count(0) != len(rest):
                raise Refusal("tar-trailing", "data follows the tar's end marker, expected only zeros")
        if not self.members:
            raise Refusal("empty", "the archive has no members")


def _type_of(info: tarfile.TarInfo) -> MemberType:
    if info.issym():
        return "symlink"
    if info.islnk():
        return "hardlink"
    if info.isdir():
        return "dir"
    # `tarfile` takes a type it does not know for a file; another reader may not.
    if info.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and info.sparse is None:
        return "file"
    return "other"


def _special(info: tarfile.TarInfo) -> str:
    if info.ischr() or info.isblk():
        return "a device"
    if info.isfifo():
        return "a named pipe"
    if info.issparse():
        return f"a sparse file that expands to {info.size:,} bytes"
    return f"a member of type {info.type!r}"

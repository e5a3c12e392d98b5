"""`make audit`: what is known of the locked packages, where that can be had, and whether the lock is one.

pip-audit asks PyPI for advisories. Behind a mirror that has none it says of each package that it was not
audited; then only the lock is checked, and that is said.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPO = Path(__file__).parents[1]
LOCK = REPO / "requirements" / "lock.txt"
DIRECT = ("requirements.txt", "requirements/local.txt", "requirements/dev.txt")
_UNKNOWN = "could not be audited"


def locked(text: str) -> Iterator[tuple[Requirement, int]]:
    """Each requirement of a lock, and how many hashes it has."""
    for line in text.replace("\\\n", " ").splitlines():
        words = line.split("--hash=sha256:")
        if words[0].strip() and not words[0].lstrip().startswith(("#", "-")):
            yield Requirement(words[0].strip()), len(words) - 1


def problems(lock: str, direct: str) -> list[str]:
    """What is wrong with a lock: unpinned, without hashes, or not in step with the direct requirements."""
    found = []
    pins: dict[str, list[Requirement]] = {}
    for each, hashes in locked(lock):
        pins.setdefault(canonicalize_name(each.name), []).append(each)
        if not re.fullmatch(r"==[^*,]+", str(each.specifier)):
            found.append(f"{each}: not pinned to one version")
        if not hashes:
            found.append(f"{each}: without a hash")
    for asked in (Requirement(line) for line in direct.splitlines() if line and not line.startswith("#")):
        versions = {str(pin.specifier) for pin in pins.get(canonicalize_name(asked.name), [])}
        if str(asked.specifier) not in versions:
            found.append(f"{asked}: the lock has {sorted(versions) or 'none'}; run `make lock`")
    return found


def main() -> int:
    """Check the lock, ask pip-audit, and say which of the two was done."""
    direct = "\n".join((REPO / name).read_text() for name in DIRECT)
    found = problems(LOCK.read_text(), direct)
    for each in found:
        print(each)
    count = sum(1 for _ in locked(LOCK.read_text()))
    print(
        f"lock: {count} requirements, each pinned and hashed" if not found else f"lock: {len(found)} problems"
    )
    command = [
        str(Path(sys.executable).with_name("pip-audit")),
        "-r",
        str(LOCK),
        "--no-deps",
        "--disable-pip",
    ]
    done = subprocess.run(
        [*command, "--progress-spinner", "off"], capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    unknown = said.count(_UNKNOWN)
    if done.returncode and "Found" not in said:
        print(f"advisories: NOT asked, pip-audit did not come through: {said.strip()[-300:]}")
        return int(bool(found))
    if unknown > count // 2:
        print(f"advisories: NOT asked, the index has none: {unknown} packages were not audited")
        return int(bool(found))
    print(said.strip())
    return int(bool(found) or bool(done.returncode))


if __name__ == "__main__":
    sys.exit(main())

"""`make compatibility`: some tests on other versions of Airflow and Python, in environments of their own.

Of Airflow the newest patch of each minor version that is supported beside the pinned one; of Python those
that this machine has. Prints a table; ends with 1 where a test failed.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
AIRFLOWS = ("3.1.8", "3.2.2")
PYTHONS = ("3.11", "3.12", "3.13")
# Parsing every DAG, their shapes, releases in this process, and one by scheduler, triggerer and API server.
TESTS = (
    "tests/dags/test_integrity.py",
    "tests/dags/test_shape.py",
    "tests/deploy/test_deploy.py",
    "tests/e2e/runs/test_releases.py::test_a_deployment_s_life",
)
# What the pinned Airflow allows and an older one may not.
HELD_BACK = re.compile(r"^(starlette|uvicorn\[standard\]|httpx|aiohttp)==\S+", re.M)
INPUTS = ("requirements.txt", "requirements/local.txt", "requirements/dev.txt")


@dataclass(frozen=True)
class Cell:
    """One environment: None for the pinned Airflow."""

    airflow: str | None
    python: str

    @property
    def home(self) -> Path:
        return ROOT / ".venv" / "compatibility" / f"airflow-{self.airflow or 'pinned'}-python-{self.python}"

    @property
    def executable(self) -> Path:
        return self.home / "bin" / "python"


def uv(*arguments: str | Path) -> None:
    """Run uv, quietly."""
    subprocess.run([os.environ["UV"], *map(str, arguments), "--quiet"], cwd=ROOT, check=True)


def make(cell: Cell) -> None:
    """Resolve and install what the cell's environment has."""
    uv("venv", "--allow-existing", "--python", interpreter(cell.python) or cell.python, cell.home)
    lock = ROOT / "requirements" / "lock.txt"
    if cell.airflow is not None:
        asked = cell.home / "asked"
        asked.mkdir(exist_ok=True)
        for name in INPUTS:
            (asked / Path(name).name).write_text(HELD_BACK.sub(r"\1", (ROOT / name).read_text()))
        (asked / "overrides").write_text(f"apache-airflow=={cell.airflow}\n")
        lock = cell.home / "lock.txt"
        files = [asked / Path(name).name for name in INPUTS]
        overrides = ["--override", "requirements/overrides.txt", "--override", asked / "overrides"]
        uv("pip", "compile", *files, *overrides, "--python-version", cell.python, "-o", lock)
    uv("pip", "sync", "--python", cell.executable, lock)
    uv("pip", "install", "--python", cell.executable, "--no-deps", "--no-build-isolation", "-e", ".")


def run(cell: Cell, tests: list[str]) -> dict[str, int]:
    """How many tests passed, failed and were skipped."""
    report = cell.home / "report.xml"
    report.unlink(missing_ok=True)
    command = [cell.executable, "-m", "pytest", *tests, "-q", "--numprocesses", "2", "--dist", "loadfile"]
    # What other versions warn of is theirs.
    subprocess.run([*command, "-W", "default", f"--junitxml={report}"], cwd=ROOT, check=False)
    if not report.exists():
        return {"passed": 0, "failed": 1, "skipped": 0}
    suite = ET.parse(report).getroot()[0]  # noqa: S314 - pytest's own
    said = {key: int(value) for key, value in suite.items() if value.isdigit()}
    failed = said["failures"] + said["errors"]
    return {
        "passed": said["tests"] - failed - said["skipped"],
        "failed": failed,
        "skipped": said["skipped"],
    }


def cells() -> list[Cell]:
    """Other versions of Airflow on this Python, and the pinned one on other versions."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    others = [python for python in PYTHONS if python != own and interpreter(python)]
    return [*(Cell(airflow, own) for airflow in AIRFLOWS), *(Cell(None, python) for python in others)]


def interpreter(python: str) -> Path | None:
    """A Python of that version which this machine has: on the path, or made by pyenv."""
    made = sorted(Path.home().glob(f".pyenv/versions/{python}.*/bin/python{python}"), reverse=True)
    on_path = shutil.which(f"python{python}")
    for found in [*([Path(on_path)] if on_path else []), *made]:
        # pyenv puts a name on the path for every version, and only those that are chosen start.
        if subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
            return found
    return None


def main() -> int:
    parser = argparse.ArgumentParser(prog="make compatibility", description=__doc__)
    parser.add_argument("tests", nargs="*", default=list(TESTS))
    options = parser.parse_args()
    table = Table("Airflow", "Python", "passed", "failed", "skipped")
    failed = 0
    for cell in cells():
        make(cell)
        found = run(cell, options.tests)
        failed += found["failed"]
        table.add_row(cell.airflow or "pinned", cell.python, *(str(number) for number in found.values()))
    Console().print(table)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

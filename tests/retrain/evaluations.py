"""Tiny models on held-out rows, and the evaluation's program run on them as its container would."""

import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from endpoint_deploy import jobs
from tests.deploy.rig import archive

# `x` is the only feature; the truth is whether it is 0.5 or more. `cut` is where a model sees the border.
CODE = """
import json, os
def model_fn(model_dir):
    with open(os.path.join(model_dir, "model.json")) as file: return json.load(file)["cut"]
def input_fn(body, content_type): return [float(line) for line in body.split()]
def predict_fn(numbers, cut):
    return [{"label": int(n >= cut), "benign": min(max(n, 0.0), 1.0)} for n in numbers]
def output_fn(prediction, accept): return json.dumps(prediction), accept
"""
# A program of a team's own: it says the truth.
SCRIPT = """
import csv, pathlib
base = pathlib.Path(__file__).parents[1]
truths = [line.split(",")[1] for path in sorted((base / "data").rglob("*.csv"))
          for line in path.read_text().split()[1:]]
with (base / "evaluation" / "predictions.csv").open("w") as file:
    writer = csv.writer(file)
    writer.writerow(["row", "truth", "candidate"])
    writer.writerows([n, t, t] for n, t in enumerate(truths))
"""


def model(code: str = CODE, cut: float = 0.5, **more: bytes) -> bytes:
    """A model.tar.gz."""
    return archive(
        {"model.json": json.dumps({"cut": cut}).encode(), "code/inference.py": code.encode(), **more}
    )


def rows(count: int) -> list[tuple[float, int]]:
    """Held-out rows of both classes, in no order of either."""
    numbers = [(index * 37 % count) / count for index in range(count)]
    return [(number, int(number >= 0.5)) for number in numbers]


@dataclass
class Container:
    """What the job's container has at /opt/ml, elsewhere."""

    root: Path
    settings: dict[str, Any] = field(
        default_factory=lambda: {
            "target": "target",
            "format": "csv",
            "content-type": "text/csv",
            "batch-rows": 8,
            "prediction": "label",
            "score": "benign",
        }
    )

    def __post_init__(self) -> None:
        shutil.copytree(Path(jobs.__file__).parent, self.root / "processing" / "code")

    def put(self, place: str, content: bytes | str) -> None:
        path = self.root / "processing" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def models(self, candidate: bytes, champion: bytes | None = None) -> None:
        self.put("candidate/model.tar.gz", candidate)
        if champion is not None:
            self.put("champion/model.tar.gz", champion)

    def held_out(self, count: int = 20, files: int = 2) -> None:
        for number in range(files):
            lines = ["x,target", *(f"{x},{truth}" for x, truth in rows(count)[number::files])]
            self.put(f"data/2026/part-{number}.csv", "\n".join(lines) + "\n")

    def run(self, **environment: str) -> int:
        """The program's exit status."""
        given = [str(part) for name, value in self.settings.items() if value for part in (f"--{name}", value)]
        program = self.root / "processing" / "code" / "evaluate.py"
        return subprocess.run(
            [sys.executable, str(program), "--root", str(self.root), *given],
            check=False,
            env={**os.environ, **environment},
        ).returncode

    @property
    def message(self) -> str:
        return (self.root / "output" / "message").read_text()

    def predictions(self) -> list[dict[str, str]]:
        with (self.root / "processing" / "evaluation" / "predictions.csv").open(newline="") as file:
            return list(csv.DictReader(file))

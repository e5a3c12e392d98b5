"""A process that runs DAGs for the asking, with an access key of its own: two are two runs at a time.

`python -m tests.deploy.run_process` reads one JSON document a line and answers each in a line. It ends with
its standard input, so that it outlives nobody.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.deploy.rig import REGION, Rig, Run

_REPO = Path(__file__).parents[2]


class RunProcess:
    """Starts the process. `url` is where its runs find AWS, `key` the id of the access key they sign with.

    One run at a time. Its log has what the tasks have said.
    """

    def __init__(self, key: str, url: str, specs: Path, log: Path) -> None:
        self.key = key
        self._log = log
        connection = {
            "conn_type": "aws",
            "login": key,
            "password": "secret",
            "extra": {"endpoint_url": url, "region_name": REGION},
        }
        own = {"AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection), "ENDPOINT_DEPLOY_SPECS": str(specs)}
        with log.open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.deploy.run_process"],
                cwd=_REPO,
                env={**os.environ, **own},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )

    def await_ready(self) -> None:
        """Wait until all that a run imports is there."""
        self._answer()

    def start(self, rig: Rig, kind: str, conf: dict[str, Any], *, after: float = 0.0) -> None:
        """Ask for a run of a deployment's DAG that begins in so many seconds."""
        assert self._process.stdin
        asked = {"name": rig.name, "specs": str(rig.specs), "kind": kind, "conf": conf, "after": after}
        self._process.stdin.write(f"{json.dumps(asked)}\n")
        self._process.stdin.flush()

    def end(self) -> Run:
        """Wait for the run's end, and return how it ended."""
        return Run(**json.loads(self._answer()))

    def said(self) -> int:
        """How much its log has by now."""
        return self._log.stat().st_size

    def log(self, since: int) -> str:
        """What it has said since then."""
        return self._log.read_bytes()[since:].decode(errors="replace")

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()

    def _answer(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, f"the process of {self.key} has ended; the end of its log:\n{self.log(0)[-3000:]}"
        return line


def main() -> None:
    """Run what is asked for until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what Airflow prints is no answer
    from tests.dag_bag import DagBag

    DagBag(dag_folder=str(_REPO / "dags" / "deploy.py"))
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        time.sleep(asked["after"])
        rig = Rig(specs=Path(asked["specs"]), clients=None, name=asked["name"])
        print(json.dumps(asdict(rig.run(asked["kind"], **asked["conf"]))), file=answers, flush=True)


if __name__ == "__main__":
    main()

"""The evaluation from its arguments to predictions.csv."""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from itertools import zip_longest
from pathlib import Path
from typing import Dict, List, Optional

from . import Failed
from .bodies import Answered
from .held_out import as_text, held_out
from .models import answers_of

COLUMNS = ("row", "truth", "candidate", "champion", "candidate_score", "champion_score")
MODELS = ("candidate", "champion")
_MESSAGE_BYTES = 1000  # ExitMessage holds 1 KB


def main(argv: Optional[List[str]] = None) -> int:
    """Evaluate; the process's exit status."""
    options = parse(argv)
    try:
        rows = evaluate(options)
    except Failed as failure:
        print(failure, file=sys.stderr)
        message = message_file(options)
        message.parent.mkdir(parents=True, exist_ok=True)
        message.write_bytes(str(failure).encode()[:_MESSAGE_BYTES].decode(errors="ignore").encode())
        return 1
    print(f"evaluated {rows} rows")
    return 0


def parse(argv: Optional[List[str]]) -> argparse.Namespace:
    """The arguments."""
    parser = argparse.ArgumentParser(description="Candidate and champion on the same held-out rows.")
    parser.add_argument("--root", type=Path, required=True, help="what stands for /opt/ml")
    parser.add_argument("--target", required=True, help="the column that holds the truth")
    parser.add_argument("--format", required=True, choices=("csv", "jsonlines", "parquet"))
    parser.add_argument("--content-type", required=True)
    parser.add_argument("--batch-rows", type=int, required=True)
    parser.add_argument("--prediction", help="the part of an answer that is the prediction")
    parser.add_argument("--score", help="the part of an answer that is the positive class's probability")
    parser.add_argument("--script", help="the team's program within the code, in this one's place")
    return parser.parse_args(argv)


def evaluate(options: argparse.Namespace) -> int:
    """Write and check predictions.csv; the number of its rows."""
    output = predictions_file(options).parent
    output.mkdir(parents=True, exist_ok=True)
    archives = {name: archive for name in MODELS if (archive := archive_of(options, name))}
    if "candidate" not in archives:
        raise Failed("candidate: found no *.tar.gz among the job's inputs, expected its model.tar.gz")
    if options.script:
        run_script(options)
    else:
        write_predictions(options, {name: answers_of(options, name, archives[name]) for name in archives})
    rows = check_predictions(options, list(archives))
    (output / "evaluation.json").write_text(json.dumps({"rows": rows}))
    return rows


def archive_of(options: argparse.Namespace, name: str) -> Optional[Path]:
    """The model's archive; None where there is none."""
    return next(iter(sorted((options.root / "processing" / name).glob("*.tar.gz"))), None)


def message_file(options: argparse.Namespace) -> Path:
    """What becomes the job's ExitMessage."""
    return Path(options.root / "output" / "message")


def predictions_file(options: argparse.Namespace) -> Path:
    """What the job is for."""
    return Path(options.root / "processing" / "evaluation" / "predictions.csv")


def run_script(options: argparse.Namespace) -> None:
    """The team's own program; the directories are the contract."""
    script = options.root / "processing" / "code" / options.script
    ended = subprocess.run([sys.executable, str(script)], check=False).returncode
    if ended:
        message = message_file(options)
        said = message.read_text(errors="replace") if message.exists() else "why is in the job's log"
        raise Failed(f"{options.script} exited with {ended}: {said}")


def write_predictions(options: argparse.Namespace, answers: Dict[str, List[Answered]]) -> None:
    """The models' answers beside the truth, which they were never shown."""
    with predictions_file(options).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number, row in enumerate(held_out(options)):
            given = [answers[name][number] if name in answers else ("", "") for name in MODELS]
            predictions, scores = zip(*given)
            writer.writerow([number, as_text(row[options.target]), *predictions, *scores])


def check_predictions(options: argparse.Namespace, models: List[str]) -> int:
    """Hold predictions.csv to the held-out rows: as many, in their order, with their truth."""
    path = predictions_file(options)
    if not path.exists():
        raise Failed(f"found no predictions.csv, expected the program to write it to {path.parent}")
    found = expected = 0
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        lacking = {"row", "truth", *models}.difference(reader.fieldnames or ())
        if lacking:
            raise Failed(f"predictions.csv: found no column {', '.join(sorted(lacking))}")
        for line, row in zip_longest(reader, held_out(options)):
            found, expected = found + (line is not None), expected + (row is not None)
            if line is None or row is None:
                continue
            truth = as_text(row[options.target])
            if (line["row"], line["truth"]) != (str(found - 1), truth):
                raise Failed(
                    f"predictions.csv: found row {line['row']} with the truth {line['truth']!r}, expected "
                    f"row {found - 1} with {truth!r}: the held-out rows in their order"
                )
    if found != expected:
        raise Failed(f"predictions.csv: found {found} rows, expected {expected}, one for each held-out row")
    return found


if __name__ == "__main__":
    sys.exit(main())

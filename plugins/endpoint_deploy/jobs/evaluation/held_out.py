"""The held-out rows, and a value's form in CSV and JSON."""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import math
import zlib
from pathlib import Path
from typing import Any, Dict, Iterator, List

from . import Failed

Row = Dict[str, Any]


def held_out(options: argparse.Namespace) -> Iterator[Row]:
    """Every row, in the order of the files' keys, with the columns in the order of the first."""
    data = options.root / "processing" / "data"
    columns: List[str] = []
    for key in sorted(path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file()):
        number = 0
        try:
            for row in rows_of(data / key, options.format):
                number += 1
                columns = columns or list(row)
                check_row(row, columns, options.target)
                yield {name: row[name] for name in columns}
        except (ValueError, EOFError, OSError, zlib.error, csv.Error) as error:
            raise Failed(f"held-out file {key}, after row {number}: {error}") from error
    if not columns:
        raise Failed("found no held-out row, expected at least one in the files below evaluation.data")


def rows_of(path: Path, form: str) -> Iterator[Row]:
    """The rows of one file; raises ValueError for what is none."""
    if form == "parquet":
        try:
            import pandas as pd  # noqa: PLC0415 - of the image, where it has it
        except ImportError as error:
            raise Failed("the image has no pandas to read Parquet with; keep held-out rows as CSV") from error
        for record in pd.read_parquet(path).to_dict("records"):
            yield {str(name): value for name, value in record.items()}
        return
    packed = path.suffix == ".gz"
    with (gzip.open if packed else open)(str(path), "rt", newline="", encoding="utf-8") as file:
        if form == "jsonlines":
            yield from (json.loads(line) for line in file if line.strip())
            return
        reader = csv.reader(file, strict=True)
        header = next(reader, [])
        for cells in filter(None, reader):
            if len(cells) != len(header):
                raise ValueError(f"found {len(cells)} cells, expected {len(header)} as in its header")
            yield dict(zip(header, cells))


def check_row(row: Any, columns: List[str], target: str) -> None:
    """Raise ValueError for a row that is not like the first, or has no truth."""
    if not isinstance(row, dict):
        raise ValueError(f"found a {type(row).__name__}, expected an object with named values")
    if set(row) != set(columns):
        odd = ", ".join(sorted(map(str, set(row).symmetric_difference(columns))))
        raise ValueError(f"found other columns than in the first row: {odd}")
    if as_text(row.get(target)).strip().lower() in ("", "nan"):
        raise ValueError(f"found no value of {target!r}, the target")


def as_text(value: Any) -> str:
    """A value as it stands in CSV: nothing for a null, JSON's words for truth values."""
    value = value.item() if hasattr(value, "item") else value
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, (bool, dict, list)) else str(value)


def as_json(value: Any) -> Any:
    """A value as it stands in JSON: a cell of CSV is a number where it reads as one."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    for number in (int, float):
        try:
            if "_" not in value and math.isfinite(number(value)):
                return number(value)
        except (ValueError, OverflowError):
            continue
    return value

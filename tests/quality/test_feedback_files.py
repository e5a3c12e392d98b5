"""Joined rows as files: values stay what they were, whatever else is in the hour."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from endpoint_deploy.core.feedback import Untyped
from endpoint_deploy.quality.data_files import Allowance, read_data
from endpoint_deploy.quality.errors import DataUnreadable
from endpoint_deploy.quality.feedback import file_of, frame_of

COLUMNS = ["zip", "name", "n", "y"]
ROWS = [("01234", "NA", 1, Untyped("1")), ("00001", "null", None, Untyped("0")), ("7", "None", 3, 1)]


def read(tmp_path: Path, rows: list[tuple[Any, ...]], format_: str) -> pd.DataFrame:
    file = tmp_path / "file"
    file.write_bytes(file_of(rows, COLUMNS, format_))
    return read_data(file, "file", format_=format_, allowance=Allowance(10_000))


@pytest.mark.parametrize("format_", ["jsonlines", "parquet"])
def test_values_of_json_keep_their_types(tmp_path: Path, format_: str) -> None:
    frame = read(tmp_path, ROWS, format_)
    assert list(frame["zip"]) == ["01234", "00001", "7"]
    assert list(frame["name"]) == ["NA", "null", "None"]
    assert list(frame["y"]) == [1, 0, 1]
    assert frame["n"].isna().tolist() == [False, True, False]
    pd.testing.assert_frame_equal(frame, frame_of(ROWS, COLUMNS, format_))


def test_integers_beside_a_null_stay_integers() -> None:
    lines = file_of(ROWS, COLUMNS, "jsonlines").decode().splitlines()
    assert lines[0] == '{"zip": "01234", "name": "NA", "n": 1, "y": 1}'
    assert lines[1] == '{"zip": "00001", "name": "null", "n": null, "y": 0}'


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ("1", "1"),
        ("-0.5", "-0.5"),
        ("1e3", "1000.0"),
        ("true", "true"),
        ("", "null"),
        ("01234", '"01234"'),
        ("NaN", '"NaN"'),
        ("null", '"null"'),
        ("[1]", '"[1]"'),
        ("yes", '"yes"'),
    ],
)
def test_a_value_of_csv_is_what_it_is_in_json(sent: str, value: str) -> None:
    assert file_of([(Untyped(sent),)], ["x"], "jsonlines").decode() == f'{{"x": {value}}}\n'


def test_a_number_that_is_none_is_null(tmp_path: Path) -> None:
    frame = read(tmp_path, [("1", "a", float("nan"), 1)], "jsonlines")
    assert frame["n"].isna().all()


def test_parquet_has_one_type_a_column() -> None:
    with pytest.raises(DataUnreadable, match="column 'y'"):
        file_of([("1", "a", 1, "yes"), ("1", "a", 1, 2)], COLUMNS, "parquet")


def test_csv_is_as_it_was_sent_and_judged_as_it_is_read(tmp_path: Path) -> None:
    rows = [(Untyped("03"), "a", None, Untyped("1.50"))]
    assert file_of(rows, COLUMNS, "csv") == b"zip,name,n,y\n03,a,,1.50\n"
    pd.testing.assert_frame_equal(read(tmp_path, rows, "csv"), frame_of(rows, COLUMNS, "csv"))

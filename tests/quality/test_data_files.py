"""Data files read strictly: what is refused, with the file and the line, and what is not."""

import gzip
import io

import pandas as pd
import pytest
from pyarrow.parquet import ParquetFile

from endpoint_deploy.quality.data_files import Allowance, check_same_columns, read_data
from endpoint_deploy.quality.errors import DataUnreadable

PLENTY = 10**6


def read(tmp_path, body, name="s3://b/a.csv", format_="csv", max_bytes=PLENTY):
    path = tmp_path / "data"
    path.write_bytes(body)
    return read_data(path, name, format_=format_, allowance=Allowance(max_bytes))


@pytest.mark.parametrize(
    "body",
    [b"a,b\n1,x\n2,y\n", b"a,b\r\n1,x\r\n2,y\r\n", b'a,b\n1,"x\nx"\n2,"y, ""z"""\n', b"a,b\n1,\n,y\n\n\n"],
    ids=["newlines", "carriage returns", "quoted", "nulls and empty lines at the end"],
)
def test_good_csv(tmp_path, body):
    assert read(tmp_path, body).shape == (2, 2)
    assert read(tmp_path, gzip.compress(body), name="a.csv.gz").shape == (2, 2)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "a.csv: found an empty file; expected a header and rows"),
        (b"a,b\n", "a.csv: found no rows; expected at least one"),
        (b"a,b\n1,2\n3,4", "a.csv, line 3: found a last line without a newline"),
        (b"a,b\n1,2\n3", "a.csv, line 3: found 1 fields: '3'; expected 2, as the header has"),
        (b"a,b\n1,2,3\n", "a.csv, line 2: found 3 fields: '1,2,3'; expected 2"),
        (b'a,b\n"1\n1",2\n3\n', "a.csv, line 4: found 1 fields"),
        (b"a,b\n1,2\n\n3,4\n", "a.csv, line 3: found an empty line; expected a row"),
        (b'a,b\n1,"2\n', "a.csv, line 2: found broken CSV (unexpected end of data)"),
        (b'a,b\n1,"2"x\n', "a.csv, line 2: found broken CSV"),
        (b"a,\n1,2\n", "a.csv, line 1: found no name for column 2"),
        (b"a,a\n1,2\n", "a.csv, line 1: found the column 'a' more than once"),
        (b"\xef\xbb\xbfa\n1\n", "a.csv, line 1: found a byte order mark"),
        ("a\nä\n".encode("utf-16"), "a.csv, line 1: found a byte order mark"),
        ("a\nä\n".encode("latin-1"), "a.csv, line 2: found the byte 0xe4, which is no UTF-8"),
        (b"a\n1\0\n", "a.csv, line 2: found a NUL byte"),
        (gzip.compress(b"a\n1\n", mtime=0), "a.csv, line 1: found a gzip archive"),
    ],
)
def test_bad_csv(tmp_path, body, words):
    with pytest.raises(DataUnreadable) as raised:
        read(tmp_path, body)
    assert f"s3://b/{words}" in str(raised.value)


@pytest.mark.parametrize(
    "body", [gzip.compress(b"a,b\n" + b"1,2\n" * 999)[:-9], b"a,b\n1,2\n"], ids=["cut off", "not packed"]
)
def test_a_broken_archive(tmp_path, body):
    with pytest.raises(DataUnreadable, match=r"a.csv.gz: found a broken gzip archive"):
        read(tmp_path, body, name="a.csv.gz")


def test_a_file_that_unpacks_to_more_than_memory_takes(tmp_path):
    with pytest.raises(DataUnreadable, match=f"more than the {PLENTY} bytes of max_bytes, once"):
        read(tmp_path, gzip.compress(b"a\n" + b"1\n" * PLENTY), name="a.csv.gz")


@pytest.mark.parametrize("format_", ["csv", "jsonlines", "parquet"])
def test_files_that_together_unpack_to_more_than_memory_takes(tmp_path, format_):
    frame = pd.DataFrame({"a": range(1000)})
    body = {
        "csv": lambda: frame.to_csv(index=False).encode(),
        "jsonlines": lambda: frame.to_json(orient="records", lines=True).encode(),
        "parquet": lambda: frame.to_parquet(index=False),
    }[format_]()
    path = tmp_path / "data"
    path.write_bytes(body)
    size = len(body)
    if format_ == "parquet":
        size = ParquetFile(path).metadata.row_group(0).total_byte_size
    allowance = Allowance(size * 5 // 2)
    for name in ("a", "b"):
        assert len(read_data(path, name, format_=format_, allowance=allowance)) == len(frame)
    with pytest.raises(DataUnreadable, match=r"c: found more than the .* it and the files before it"):
        read_data(path, "c", format_=format_, allowance=allowance)


def test_good_json_lines(tmp_path):
    body = b'{"a": 1, "b": null}\n{"b": "x", "a": 2.5}'
    frame = read(tmp_path, body, "a.jsonl", "jsonlines")
    assert frame.to_dict("list")["a"] == [1.0, 2.5]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "a.jsonl: found an empty file"),
        (b'{"a": 1}\n{"a": 2', "a.jsonl, line 2: found no JSON"),
        (b'{"a": 1}\n\n{"a": 2}\n', "a.jsonl, line 2: found no JSON"),
        (b'{"a": NaN}\n', "a.jsonl, line 1: found no JSON (NaN is no JSON)"),
        (b'{"a": 1, "a": 2}\n', "a.jsonl, line 1: found no JSON (a key stands twice in an object)"),
        (b"[1]\n", "a.jsonl, line 1: found '[1]'; expected a JSON object"),
        (b'{"a": [1]}\n', "a.jsonl, line 1: found a list or an object under 'a'"),
        (b'{"a": 1}\n{"b": 1}\n', "a.jsonl, line 2: found other keys than on line 1: a, b"),
        (b"[" * 100_000, "a.jsonl, line 1: found no JSON"),
    ],
)
def test_bad_json_lines(tmp_path, body, words):
    with pytest.raises(DataUnreadable) as raised:
        read(tmp_path, body, "a.jsonl", "jsonlines")
    assert words in str(raised.value)


def parquet(frame):
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def test_parquet(tmp_path):
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=[7, 9])
    assert list(read(tmp_path, parquet(frame), "a.parquet", "parquet")["a"]) == [1, 2]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (parquet(pd.DataFrame({"a": [1]}))[:-20], "a.parquet: found no whole Parquet file"),
        (b"PAR1", "a.parquet: found no whole Parquet file"),
        (parquet(pd.DataFrame({"a": [[1]]})), "found lists or structures in column 'a'"),
        (parquet(pd.DataFrame({"a": []})), "a.parquet: found no rows"),
    ],
)
def test_bad_parquet(tmp_path, body, words):
    with pytest.raises(DataUnreadable) as raised:
        read(tmp_path, body, "a.parquet", "parquet")
    assert words in str(raised.value)


def test_columns_of_several_files():
    check_same_columns(["b", "a"], "2.jsonl", ["a", "b"], "1.jsonl", format_="jsonlines")
    with pytest.raises(DataUnreadable, match=r"2.csv: found the columns in another order: b, a"):
        check_same_columns(["b", "a"], "2.csv", ["a", "b"], "1.csv", format_="csv")
    with pytest.raises(
        DataUnreadable, match=r"no column 'b' and the column 'c' besides; expected .* of 1.csv"
    ):
        check_same_columns(["a", "c"], "2.csv", ["a", "b"], "1.csv", format_="csv")

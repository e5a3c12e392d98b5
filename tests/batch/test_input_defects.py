"""One run over a file of each kind of defect: each is found before anybody pays, the others are delivered."""

from tests.batch.rig import BatchRig, json_sums, sums, table
from tests.deploy.rig import AS_IN_PRODUCTION

pytestmark = AS_IN_PRODUCTION

# By file: its content, the line to blame, what is said.
DEFECTS: dict[str, tuple[bytes, int | None, str]] = {
    "empty": (b"", None, "found an empty file, expected at least one row"),
    "missing-column": (b"1,2\n3\n", 2, "found 1 fields, expected 2, as batch_transform.columns"),
    "one-column-more": (b"1,2,3\n", 1, "found 3 fields, expected 2"),
    "truncated": (table(*range(50))[:-4], 50, "found 1 fields, expected 2"),
    "header": (b"age,income\n1,2\n", 1, "found the columns' names, expected no header"),
    "blank-line": (b"1,2\n\n3,4\n", 2, "found an empty line, expected a row"),
    "blank-end": (b"1,2\n\n", 2, "found an empty line, expected a row"),
    "not-text": (b"1,2\n\x1f\x8b\x08,3\n", 2, "found the byte 0x8b, expected text in UTF-8"),
    "latin-1": ("1,2\n3,m\xfcde\n".encode("latin-1"), 2, "found the byte 0xfc, expected text in UTF-8"),
    "byte-order-mark": (b"\xef\xbb\xbf1,2\n", 1, "found a byte order mark"),
    "nul": (b"1,2\n3,\x00\n", 2, "found a NUL character"),
    "row-over-two-lines": (b'1,2\n3,"4\n5"\n', 2, "a row of CSV within its line"),
    "quote-inside": (b'1,2\n3,"4"5\n', 2, "a row of CSV within its line"),
    "too-long": (b"1," + b"2" * (1 << 20) + b"\n", 1, "which max_payload_mb allows"),
    "null": (b"1,2\n,4\n", None, "column age: 1 of 2 values"),
    "out-of-range": (b"-5,2\n", None, "column age: 1 of 1 values (100 %) do not: -5"),
    "type-change": (b"1,2\n3,high\n", None, "column income"),
}


def test_each_defect_is_found_in_its_file_and_line(rig: BatchRig) -> None:
    rig.batch(columns=["age", "income"], input_suite="rows.json", max_payload_mb=1)
    good = {"good.csv": table(*range(30)), "windows.csv": table(1, 2).replace(b"\n", b"\r\n"),
            "no-end.csv": b"8,9", "quoted.csv": b'"1","2"\n'}  # fmt: skip
    rig.put({**good, **{f"{name}.csv": body for name, (body, _, _) in DEFECTS.items()}})
    run = rig.transform()
    assert (run.state, run.outcome) == ("failed", "partial"), run
    found = {file["key"].removesuffix(".csv"): file for file in run.result["set_aside"]}
    assert set(found) == set(DEFECTS)
    for name, (_, line, said) in DEFECTS.items():
        file = found[name]
        assert (file["task"], file["line"]) == ("check_input", line), file
        assert said in f"found {file['found']}, expected {file['expected']}", file
    delivered = rig.delivered(run)
    assert set(delivered) == set(good)
    for key, body in good.items():
        assert json_sums(delivered[key]) == sums(body.replace(b'"', b"")), key


def test_defects_of_json_lines(rig: BatchRig) -> None:
    rig.batch(content_type="application/jsonlines")
    defects = {
        "cut": (b'{"a": 1}\n{"a": ', 2),
        "nan": (b'{"a": NaN}\n', 1),
        "two-values": (b'{"a": 1} {"a": 2}\n', 1),
        "over-lines": (b'{"a": 1}\n{\n"a": 2}\n', 2),
        "deep": (b"[" * 100_000 + b"\n", 1),
    }
    rig.put({"good": b'{"a": 1}\n{"a": 2}\n', **{name: body for name, (body, _) in defects.items()}})
    run = rig.transform()
    assert run.outcome == "partial", run
    assert {file["key"]: file["line"] for file in run.result["set_aside"]} == {
        name: line for name, (_, line) in defects.items()
    }
    assert json_sums(rig.delivered(run)["good"]) == [2, 3]

"""Batch transform's pure parts: files into payloads, filters and joins."""

import gzip
import io
import json
import struct

import pytest

from local_sagemaker.jobs.transform_joining import JoinError, assembled, processing
from local_sagemaker.jobs.transform_paths import FilterError, compile_filter
from local_sagemaker.jobs.transform_records import MEGABYTE, RecordError, payloads

MAGIC = 0xCED7230A


def split(body, split_type="Line", strategy="MultiRecord", limit=MEGABYTE):
    return list(payloads(io.BytesIO(body), split_type, strategy, limit))


def frame(content, kind=0):
    """One RecordIO part."""
    return struct.pack("<II", MAGIC, kind << 29 | len(content)) + content + b"\0" * (-len(content) % 4)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 & -(crc & 1))
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def tfrecord(content):
    length = struct.pack("<Q", len(content))
    return length + struct.pack("<I", masked(length)) + content + struct.pack("<I", masked(content))


def test_the_checksum_is_castagnolis():
    assert (
        crc32c(b"123456789") == 0xE3069283
    )  # the check value of CRC-32C (RFC 3720, appendix B.4 and others)


def test_a_whole_file_is_one_payload_even_when_empty():
    assert split(b"a\nb\n", "None") == [b"a\nb\n"]
    assert split(b"", "None") == [b""]
    assert split(b"") == []


def test_lines_one_a_request_or_as_many_as_fit():
    body = b"1,2\n3,4\n\n5,6"
    assert split(body, strategy="SingleRecord") == [b"1,2\n", b"3,4\n", b"\n", b"5,6"]
    assert split(body) == [body]
    assert split(body, limit=8) == [b"1,2\n3,4\n", b"\n5,6"]
    assert split(body, limit=7) == [b"1,2\n", b"3,4\n\n", b"5,6"]
    assert split(body, limit=12) == [body]
    assert split(body + b"\n", limit=12) == [b"1,2\n3,4\n\n", b"5,6\n"]


@pytest.mark.parametrize(
    ("split_type", "body"),
    [("None", b"12345"), ("Line", b"1\n12345\n"), ("Line", b"1234567"), ("Line", b"1234\n")],
)
def test_what_cannot_be_made_to_fit_is_refused(split_type, body):
    with pytest.raises(RecordError, match="MaxPayloadInMB"):
        split(body, split_type, limit=4)


def test_without_a_limit_a_file_is_one_payload():
    body = b"1,2\n" * 10
    assert split(body, limit=0) == split(body, "None", limit=0) == [body]
    assert split(body, strategy="SingleRecord", limit=0) == [b"1,2\n"] * 10


def test_a_long_line_is_not_read_to_its_end():
    class Endless(io.RawIOBase):
        taken = 0

        def readable(self):
            return True

        def readinto(self, buffer):
            buffer[:] = b"x" * len(buffer)
            self.taken += len(buffer)
            return len(buffer)

    endless = Endless()
    with pytest.raises(RecordError):
        list(payloads(io.BufferedReader(endless), "Line", "SingleRecord", MEGABYTE))
    assert endless.taken < 2 * MEGABYTE


def test_gzip_is_read_as_it_comes():
    packed = gzip.compress(b"".join(b"%d\n" % number for number in range(1000)))
    with gzip.open(io.BytesIO(packed)) as file:
        assert b"".join(payloads(file, "Line", "MultiRecord", 100)).splitlines()[-1] == b"999"


def test_tfrecords_keep_their_frames_only_together():
    contents = [b"first", b"", b"a longer third one"]
    body = b"".join(map(tfrecord, contents))
    assert split(body, "TFRecord", "SingleRecord") == contents
    assert split(body, "TFRecord") == [body]
    assert split(body, "TFRecord", limit=40) == [body[:-34], body[-34:]]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"1,2\n3,4\n5,6\n7,8\n", "checksum"),
        (tfrecord(b"whole")[:-1], "ends inside"),
        (tfrecord(b"whole") + b"abc", "ends inside"),
    ],
)
def test_what_is_no_tfrecord_is_told(body, message):
    with pytest.raises(RecordError, match=message):
        split(body, "TFRecord")


def test_recordio_keeps_its_frames_only_together():
    contents = [b"first", b"four", b""]
    body = b"".join(map(frame, contents))
    assert split(body, "RecordIO", "SingleRecord") == contents
    assert split(body, "RecordIO") == [body]


def test_a_recordio_record_that_holds_the_magic_number_comes_in_parts():
    magic = struct.pack("<I", MAGIC)
    body = frame(b"head", 1) + frame(b"body", 2) + frame(b"tail", 3) + frame(b"next")
    assert split(body, "RecordIO", "SingleRecord") == [b"head" + magic + b"body" + magic + b"tail", b"next"]
    assert split(body, "RecordIO", limit=30) == [body[:36], body[36:]]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"no recordio at all", "magic"),
        (frame(b"whole")[:-1], "ends inside"),
        (frame(b"head", 1), "ends inside"),
        (frame(b"tail", 3), "out of order"),
        (frame(b"head", 1) + frame(b"whole"), "out of order"),
    ],
)
def test_what_is_no_recordio_is_told(body, message):
    with pytest.raises(RecordError, match=message):
        split(body, "RecordIO")


ROW = ["a", "b", "c", "d", "e"]
DOCUMENT = {"id": 7, "features": [1, 2, 3], "field": {"one": 1, "two": 2, "three": 3}}


@pytest.mark.parametrize(
    ("path", "value", "selected"),
    [
        ("$", ROW, ROW),
        ("$[0]", ROW, "a"),
        ("$[-1]", ROW, "e"),
        ("$[0,-1]", ROW, ["a", "e"]),
        ("$[1,3,4]", ROW, ["b", "d", "e"]),
        # Ranges include their end ("$[1:4] specifies the second through fifth columns", the guide says).
        ("$[1:4]", ROW, ["b", "c", "d", "e"]),
        ("$[:2]", ROW, ["a", "b", "c"]),
        ("$[1:]", ROW, ["b", "c", "d", "e"]),
        ("$[-2:]", ROW, ["d", "e"]),
        ("$[:-2]", ROW, ["a", "b", "c", "d"]),
        ("$.features", DOCUMENT, [1, 2, 3]),
        ("$['id']", DOCUMENT, 7),
        ("$['id','features']", DOCUMENT, {"id": 7, "features": [1, 2, 3]}),
        ("$.field.['one','three']", DOCUMENT, {"one": 1, "three": 3}),
        ("$.field.*", DOCUMENT, [1, 2, 3]),
        ("$.features[0]", DOCUMENT, 1),
        ("$.features[*]", DOCUMENT, [1, 2, 3]),
    ],
)
def test_filters_select_as_the_guide_says(path, value, selected):
    assert compile_filter(path)(value) == selected


@pytest.mark.parametrize("path", ["id", "$[", "$..id", "$[?(@.a==1)]", "$[0:2:2]", ""])
def test_other_jsonpath_is_refused(path):
    with pytest.raises(FilterError, match="Invalid JsonPath"):
        compile_filter(path)


def test_several_ranges_are_refused_in_the_services_words():
    with pytest.raises(FilterError) as refused:
        compile_filter("$[0:2,246:]")
    assert str(refused.value) == (
        "Invalid JsonPath: $[0:2,246:]: only single range filters of format (eg: [1:5]) are supported. "
        "Format [0:2,246:] is not supported"
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$[5]", ROW),
        ("$[-6]", ROW),
        ("$[5:]", ROW),
        ("$[1:5]", ROW),
        ("$.no", DOCUMENT),
        ("$[0]", DOCUMENT),
        ("$.id", ROW),
    ],
)
def test_what_is_not_there_is_an_error(path, value):
    with pytest.raises(FilterError):
        compile_filter(path)(value)


def data(content_type, accept=None, split_type="Line", strategy="MultiRecord", **members):
    return processing(
        {
            "TransformInput": {"ContentType": content_type, "SplitType": split_type},
            "TransformOutput": {"Accept": accept} if accept else {},
            "DataProcessing": members,
        },
        strategy,
    )


def test_by_default_bytes_pass_as_they_are():
    for used in (data("image/png"), data("image/png", InputFilter="$", JoinSource="None", OutputFilter="$")):
        assert used.before(b"\xff\x00") == b"\xff\x00"
        assert used.after(b"\xff", b"\xfe") == b"\xfe"


def test_csv_without_the_id_to_the_model_and_with_it_in_the_output():
    used = data("text/csv", InputFilter="$[1:]", JoinSource="Input", OutputFilter="$[0,-1]")
    payload = b'7,"a, b",1\n8,"say ""hi""",2\n'
    assert used.before(payload) == b'"a, b",1\n"say ""hi""",2'
    assert used.after(payload, b"0.5\n0.25\n") == b"7,0.5\n8,0.25"


def test_csv_joined_whole():
    used = data("text/csv", "text/csv; charset=utf-8", JoinSource="Input")
    assert used.before(b"1,2,3\n") == b"1,2,3\n"
    assert used.after(b"1,2,3\n", b"1") == b"1,2,3,1"


def test_one_column_stays_a_column():
    used = data("text/csv", InputFilter="$[1]", OutputFilter="$[0]")
    assert used.before(b"1,2\n3,4\n") == b"2\n4"
    assert used.after(b"1,2\n3,4\n", b"x,y\nz,w") == b"x\nz"


def test_json_lines():
    used = data(
        "application/jsonlines",
        InputFilter="$.features",
        JoinSource="Input",
        OutputFilter="$['id','SageMakerOutput']",
    )
    payload = b'{"id": 1, "features": [1.5, 2]}\n{"id": 2, "features": [3, 4]}\n'
    assert used.before(payload) == b"[1.5, 2]\n[3, 4]"
    assert used.after(payload, b'{"label":1}\n{"label":0}\n').splitlines() == [
        b'{"id": 1, "SageMakerOutput": {"label": 1}}',
        b'{"id": 2, "SageMakerOutput": {"label": 0}}',
    ]


def test_a_json_document_and_one_that_is_no_object():
    used = data("application/json", split_type="None", JoinSource="Input")
    assert json.loads(used.after(b'{"key":\n 1}', b'{"label":\n1}')) == {
        "key": 1,
        "SageMakerOutput": {"label": 1},
    }
    assert json.loads(used.after(b"[1,2]", b"[3]")) == {"SageMakerInput": [1, 2], "SageMakerOutput": [3]}


def test_a_single_json_line_may_be_answered_in_several():
    used = data("application/json", strategy="SingleRecord", JoinSource="Input")
    assert json.loads(used.after(b'{"key":1}\n', b'{\n"label":\n1\n}')) == {
        "key": 1,
        "SageMakerOutput": {"label": 1},
    }


@pytest.mark.parametrize("answer", [b"0.5", b"1\n2\n3\n", b""])
def test_another_number_of_predictions_than_records_cannot_be_joined(answer):
    with pytest.raises(JoinError, match="mismatched line count"):
        data("text/csv", JoinSource="Input").after(b"1,2\n3,4\n", answer)


def test_formats_that_cannot_be_processed():
    with pytest.raises(JoinError, match="image/png"):
        data("image/png", JoinSource="Input")
    with pytest.raises(JoinError, match="nothing"):
        data(None, InputFilter="$[0]")
    with pytest.raises(JoinError, match="cannot be joined"):
        data("text/csv", "application/json", JoinSource="Input")
    with pytest.raises(JoinError, match="JSON"):
        data("application/jsonlines", InputFilter="$.a").before(b"not json\n")
    with pytest.raises(JoinError, match="UTF-8"):
        data("text/csv", InputFilter="$[0]").before(b"\xff\n")


def test_assembling_ends_lines_once():
    assert assembled(b"1", "Line") == assembled(b"1\n", "Line") == b"1\n"
    assert assembled(b"1", "None") == b"1"


@pytest.mark.parametrize(
    ("media_type", "answer"),
    [
        ("text/csv", b"0\n1\n"),
        ("application/jsonlines", b'{"output": 0}\n{"output": 1}\n'),
        ("application/json", b"0\n1"),
    ],
)
def test_inference_ids(media_type, answer):
    request = {
        "TransformInput": {"ContentType": "image/png", "SplitType": "Line"},
        "TransformOutput": {"Accept": media_type},
        "DataCaptureConfig": {"DestinationS3Uri": "s3://b/c", "GenerateInferenceId": True},
    }
    lines = processing(request, "MultiRecord", 1661820555.0).after(b"", answer).decode().splitlines()
    if media_type == "text/csv":
        rows = [line.split(",") for line in lines]
    else:
        names = ("output", "SageMakerInferenceId", "SageMakerInferenceTime")
        rows = [[str(json.loads(line)[name]) for name in names] for line in lines]
    assert [row[0] for row in rows] == ["0", "1"]
    assert len({row[1] for row in rows}) == 2
    assert {row[2] for row in rows} == {"2022-08-30T00:49:15Z"}

"""The command line: what it is told, what it refuses, how it ends."""

import json
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest


def run(*options):
    """`python -m local_sagemaker` with options that end it at once."""
    command = [sys.executable, "-m", "local_sagemaker", *options]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def test_help_and_version():
    ended = run("--version")
    assert ended.returncode == 0
    assert re.fullmatch(
        r"local_sagemaker \S.* \(botocore 1\.\S+, moto 5\.\S+, Python 3\.\S+\)\n", ended.stdout
    )
    ended = run("--help")
    assert ended.returncode == 0
    options = set(re.findall(r"^  (--[a-z-]+)", ended.stdout, re.MULTILINE))
    assert {"--faults", "--quota", "--quotas", "--seed", "--state-dir", "--reset", "--time-scale"} <= options


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--time-scale", "0"], "expected a number above 0, found '0'"),
        (["--time-scale", "nan"], "expected a number, found 'nan'"),
        (["--provision-seconds", "-1"], "expected a number of seconds, 0 or more, found '-1'"),
        (["--port", "70000"], "expected a port, 0 to 65535, found '70000'"),
        (["--region", "Europe"], "expected a region's name, as in eu-west-1, found 'Europe'"),
        (["--ready-file", "/dev/null/there/ready"], "/dev/null/there cannot be made"),
        (["--quotas", "/nowhere/quotas"], "No such file"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
    ],
)
def test_a_wrong_option_ends_it_with_2_and_what_was_expected(options, said):
    ended = run(*options)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_quota_file_that_is_wrong(tmp_path):
    file = tmp_path / "quotas.yaml"
    for text, said in (
        ("- 1", "expected a limit for each name"),
        ("ml.m5.large for endpoint usage: many", "expected a whole number of 0 or more, found 'many'"),
        ("{", "while parsing"),
    ):
        file.write_text(text)
        ended = run("--quotas", str(file))
        assert (ended.returncode, f"{file}: " in ended.stderr, said in ended.stderr) == (2, True, True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\x00", "expected text in UTF-8"),
        (
            b"faults:\n- {fault: throttle, id: a}\n- {fault: reset, id: a}\n",
            "1:1: faults: the same id more than once: a",
        ),
        (b"faults:\n- {fault: throtle}\n", "2:3: faults[0]: unknown fault 'throtle'"),
    ],
)
def test_a_fault_file_that_is_wrong(tmp_path, content, said):
    file = tmp_path / "faults.yaml"
    file.write_bytes(content)
    ended = run("--faults", str(file))
    assert (ended.returncode, "Traceback" in ended.stderr) == (2, False)
    assert f"{file}:" in ended.stderr
    assert said in ended.stderr


def test_what_cannot_be_begun_ends_with_1_and_what_to_do(tmp_path):
    (tmp_path / "file").write_text("not a directory")
    ended = run(f"--state-dir={tmp_path / 'file'}")
    assert ended.returncode == 1
    assert "give another --state-dir" in ended.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run(f"--state-dir={tmp_path / 'state'}", "--port", str(taken.getsockname()[1]))
    assert ended.returncode == 1
    assert "give another --port" in ended.stderr


def test_what_it_keeps_is_its_owners_alone(start_server):
    server = start_server()
    assert server.state_dir.stat().st_mode & 0o777 == 0o700
    server.end()


def test_it_says_what_it_serves_and_ends_with_0(start_server, tmp_path):
    quotas, faults = tmp_path / "quotas.json", tmp_path / "faults.yaml"
    quotas.write_text('{"ml.m5.large for endpoint usage": 4, "ml.m5.xlarge for endpoint usage": 1}')
    faults.write_text("faults: [{fault: throttle, service: none}]")
    server = start_server(
        "--quotas", str(quotas), "--quota", "ml.m5.large for endpoint usage=5", "--faults", str(faults)
    )
    for said in (
        "sagemaker, sagemaker-runtime, s3",
        "cloudwatch",
        "application-autoscaling",
        "1 in force, seed 0",
    ):
        assert said in server.output
    limits = {quota["name"]: quota["limit"] for quota in server.local("/quotas")["quotas"]}
    assert limits == {"ml.m5.large for endpoint usage": 5, "ml.m5.xlarge for endpoint usage": 1}
    assert server.end(signal.SIGINT) == 0


def test_what_is_held_open_does_not_hold_up_the_end(start_server):
    """A page that is looked at, and a call that a fault never answers."""
    server = start_server()
    httpx.post(f"{server.url}/_local/faults", json={"fault": "timeout", "operation": "ListModels"})
    with ThreadPoolExecutor(1) as threads, httpx.stream("GET", f"{server.url}/_local/stream") as stream:
        held = threads.submit(server.client("sagemaker").list_models)
        views = (json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: "))
        assert any(fault["hits"] for view in views for fault in view["faults"])
        assert server.end() == 0
        assert held.exception() is not None
    assert "Traceback" not in server.output
    assert "graceful shutdown exceeded" not in server.output

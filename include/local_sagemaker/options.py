"""The values of options, checked: each refusal says what was found and what was expected."""

import argparse
import importlib.metadata
import math
import platform
import re
from pathlib import Path

from local_sagemaker.faults.file import FaultsError, load
from local_sagemaker.faults.rules import AnyRule
from local_sagemaker.quotas import QuotaError, load_quotas, parse_quota

_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")
_MAX_PORT = 65535


def version() -> str:
    """This program's version, and those that decide how it behaves."""
    return (
        f"local_sagemaker {_version('sagemaker-endpoint-deploy')} (botocore {_version('botocore')}, "
        f"moto {_version('moto')}, Python {platform.python_version()})"
    )


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"


def port(text: str) -> int:
    """A TCP port, or 0."""
    if not text.isascii() or not text.isdecimal() or int(text) > _MAX_PORT:
        raise argparse.ArgumentTypeError(f"expected a port, 0 to {_MAX_PORT}, found {text!r}")
    return int(text)


def region(text: str) -> str:
    """The name of a region; whether AWS has it does not matter."""
    if not _REGION.fullmatch(text):
        raise argparse.ArgumentTypeError(f"expected a region's name, as in eu-west-1, found {text!r}")
    return text


def positive(text: str) -> float:
    """A number above 0."""
    value = _number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"expected a number above 0, found {text!r}")
    return value


def seconds(text: str) -> float:
    """A duration of 0 or more."""
    value = _number(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"expected a number of seconds, 0 or more, found {text!r}")
    return value


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"expected a number, found {text!r}")
    return value


def new_file(text: str) -> Path:
    """A file that can be written; its directory is made."""
    path = Path(text).resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path.parent} cannot be made ({error.strerror})") from error
    return path


def quota(text: str) -> tuple[str, int]:
    """`NAME=N`."""
    try:
        return parse_quota(text)
    except QuotaError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def quota_file(text: str) -> dict[str, int]:
    """A file of quotas."""
    try:
        return load_quotas(Path(text))
    except QuotaError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def fault_file(text: str) -> tuple[AnyRule, ...]:
    """A file of faults."""
    try:
        return tuple(load(Path(text)))
    except FaultsError as error:
        raise argparse.ArgumentTypeError(f"cannot be used:\n{error}") from error

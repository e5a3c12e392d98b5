"""Train the example models, pack them as SageMaker artifacts and put them into the local S3."""

import gzip
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.literals import BucketLocationConstraintType

BUCKET = "ml-platform"
MODELS = Path(__file__).resolve().parents[1] / "models"
ENTRY_POINT = "inference.py"

Hyperparameter = str | int | float

# A link from Airflow's UI carries no signature. On AWS it leads to the console, and no bucket is public.
_LINKED_IS_PUBLIC = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": [
                f"arn:aws:s3:::{BUCKET}/endpoint-deploy/{each}/*" for each in ("artifacts", "data-docs")
            ],
        }
    ],
}

RELEASES: Mapping[tuple[str, str], Mapping[str, Hyperparameter]] = {
    ("breast-cancer", "1"): {"estimator": "stump"},  # weaker on purpose: release 2 has to be an improvement
    ("breast-cancer", "2"): {"estimator": "logistic"},
    ("diabetes", "1"): {},
}
"""The shipped releases: (model, release) to the hyperparameters it is trained with."""


@dataclass(frozen=True)
class Built:
    """A packed model and the figures measured on its held-out rows."""

    path: Path
    metrics: dict[str, float]


@dataclass(frozen=True)
class Seeded:
    """A release that lies in S3, ready to be deployed."""

    name: str
    release: str
    uri: str
    metrics: dict[str, float]


def train(name: str, model_dir: Path, **hyperparameters: Hyperparameter) -> dict[str, float]:
    """Run an example's training script and return what it measured on the held-out rows.

    The script runs as SageMaker runs it: a process of its own, hyperparameters as flags (an underscore
    becomes a hyphen), its model in ``model_dir``. The same hyperparameters give the same model, byte for
    byte.

    Raises:
        RuntimeError: the script failed; the message carries the end of its error output.
    """
    flags = [f"--{key.replace('_', '-')}={value}" for key, value in hyperparameters.items()]
    # A surrounding training job's SM_* variables would redirect this one's data and model.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SM_")}
    command = [sys.executable, str(_script(name)), f"--model-dir={model_dir}", *flags]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(
            f"training {name} with {hyperparameters} ended with exit status {done.returncode}, expected 0; "
            f"its error output ends with:\n{done.stderr[-2000:]}"
        )
    return cast("dict[str, float]", json.loads((model_dir / "metrics.json").read_text()))


def held_out(name: str) -> tuple[list[list[float]], list[float]]:
    """Return the rows an example's training script holds out, and the truth about each.

    Features are in the order and the units the model takes. The script's own split is called, so that
    a figure measured on these rows compares with the ``metrics.json`` of any release.
    """
    script = load_script(name)
    _, rows = script.split(script.bundled())
    features, truth = script.features_and_target(rows)
    return features.tolist(), truth.tolist()


def pack(model_dir: Path, code_dir: Path, target: Path) -> Path:
    """Pack a model and its code as a ``model.tar.gz`` whose bytes depend on nothing but their content.

    Files of ``model_dir`` come to the archive's root, those of ``code_dir`` under ``code/``; byte code is
    left out. Members are sorted and carry no time, owner or mode of their own.

    Raises:
        ValueError: ``code_dir`` has no ``inference.py``, or ``model_dir`` already holds a ``code``.
    """
    if not (code_dir / ENTRY_POINT).is_file():
        raise ValueError(f"{code_dir}: found no {ENTRY_POINT}, expected the functions that serve the model")
    if (model_dir / "code").exists():
        raise ValueError(f"{model_dir}: found 'code', expected only the model; code comes from {code_dir}")
    members = sorted([*_files(model_dir, ""), *_files(code_dir, "code/")])
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        target.open("wb") as raw,
        # An empty name and no time: else the gzip header tells where and when it was packed.
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for member, file in members:
            content = file.read_bytes()
            entry = tarfile.TarInfo(member)  # born with mtime, uid and gid 0, and mode 0644
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return target


def build(name: str, release: str, workdir: Path, **hyperparameters: Hyperparameter) -> Built:
    """Train and pack one release of an example, in ``workdir/name/release``, which is made anew.

    Hyperparameters given here go over those of the shipped release of that name, if there is one.
    """
    place = workdir / name / release
    shutil.rmtree(place, ignore_errors=True)
    chosen = {**RELEASES.get((name, release), {}), **hyperparameters}
    metrics = train(name, place / "model", **chosen)
    code = place / "code"
    if (place / "model" / "code").is_dir():  # put there by the script itself
        (place / "model" / "code").rename(code)
    else:
        code.mkdir()
        shutil.copyfile(_script(name).with_name(ENTRY_POINT), code / ENTRY_POINT)
    return Built(pack(place / "model", code, place / "model.tar.gz"), metrics)


def upload(client: "S3Client", path: Path, name: str, release: str) -> str:
    """Put an archive at ``s3://ml-platform/models/<name>/<release>/model.tar.gz`` and return that URI.

    The bucket is made in the client's region if it is absent.
    """
    ensure_bucket(client)
    key = f"models/{name}/{release}/model.tar.gz"
    client.upload_file(str(path), BUCKET, key)
    return f"s3://{BUCKET}/{key}"


def seed_examples(client: "S3Client", workdir: Path) -> list[Seeded]:
    """Build and upload every shipped release, in the order of ``RELEASES``."""
    seeded = []
    for name, release in RELEASES:
        built = build(name, release, workdir)
        seeded.append(Seeded(name, release, upload(client, built.path, name, release), built.metrics))
    return seeded


def _script(name: str) -> Path:
    script = MODELS / name / "train.py"
    if not script.is_file():
        known = sorted(path.parent.name for path in MODELS.glob("*/train.py"))
        raise ValueError(f"found no example model {name!r}, expected one of {known}")
    return script


def load_script(name: str) -> ModuleType:
    """Import an example's training script under a name of its own: they are all called ``train``."""
    spec = importlib.util.spec_from_file_location(f"train_{name.replace('-', '_')}", _script(name))
    if spec is None or spec.loader is None:
        raise ImportError(f"{_script(name)}: Python finds no loader for it")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _files(root: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    for file in root.rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            yield prefix + file.relative_to(root).as_posix(), file


def ensure_bucket(client: "S3Client") -> None:
    """Make the examples' bucket in the client's region if it is absent; a browser may read what is linked."""
    try:
        client.head_bucket(Bucket=BUCKET)
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":  # a HEAD answer has no body, hence no NoSuchBucket
            raise
        region = client.meta.region_name
        if region == "us-east-1":  # S3's default, which it refuses as a LocationConstraint
            client.create_bucket(Bucket=BUCKET)
        else:
            constraint = cast("BucketLocationConstraintType", region)
            client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": constraint})
        client.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(_LINKED_IS_PUBLIC))

"""What a job reads from S3, laid out as files the way the service does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from local_sagemaker.api.errors import invalid
from local_sagemaker.jobs.run import JobFailed
from local_sagemaker.s3.objects import S3Error, S3Objects, read_json, split_prefix


@dataclass(frozen=True)
class S3Source:
    """One S3 input: `data_type` is S3Prefix or ManifestFile; `sharded` splits it between the instances."""

    uri: str
    data_type: str = "S3Prefix"
    sharded: bool = False


@dataclass(frozen=True)
class Item:
    """One object of a source, and where it goes below the source's directory."""

    bucket: str
    key: str
    relative: str


def items_of(s3: S3Objects, source: S3Source, region: str, role_arn: str) -> list[Item]:
    """The objects of a source, in the order of their keys; raises JobFailed when there is none."""
    try:
        if source.data_type == "ManifestFile":
            return _of_manifest(s3, source.uri)
        found = _of_prefix(s3, *split_prefix(source.uri))
    except ValueError as error:
        raise JobFailed(f"ClientError: Data download failed: {error}") from error
    if not found:
        raise JobFailed(f"ClientError: Data download failed:{_nothing(source, region, role_arn)}")
    return found


def require_objects(s3: S3Objects, source: S3Source, region: str, role_arn: str) -> None:
    """What a create refuses of a source: a URI of no bucket, a prefix under which there is nothing.

    A manifest is read only when the job runs.
    """
    bucket, prefix = require_place(source.uri)
    if not any(s3.list(bucket, prefix)):
        raise invalid(_nothing(source, region, role_arn))


def require_place(uri: str) -> tuple[str, str]:
    """Bucket and prefix of a URI; one that has them not is refused, though its form allows `https`."""
    try:
        return split_prefix(uri)
    except ValueError as error:
        raise invalid(f"Invalid S3 URI: {error}.") from error


def _nothing(source: S3Source, region: str, role_arn: str) -> str:
    return (
        f'No S3 objects found under S3 URL "{source.uri}" given in input data source. Please ensure that the '
        f"bucket exists in the selected region ({region}), that objects exist under that S3 prefix, and that "
        f'the role "{role_arn}" has "s3:ListBucket" permissions on bucket "{split_prefix(source.uri)[0]}".'
    )


def shard(items: Sequence[Item], source: S3Source, instance: int, instances: int) -> list[Item]:
    """What one of several instances (counted from 0) gets: all, or every n-th object by key."""
    return list(items[instance::instances]) if source.sharded else list(items)


async def download(s3: S3Objects, items: Sequence[Item], directory: Path) -> None:
    """Write the objects as files below `directory`; raises JobFailed."""
    directory.mkdir(parents=True, exist_ok=True)
    try:
        for item in items:
            await s3.download(item.bucket, item.key, directory / item.relative)
    except (S3Error, OSError) as error:
        raise JobFailed(f"ClientError: Data download failed:{error}") from error


def _of_prefix(s3: S3Objects, bucket: str, prefix: str) -> list[Item]:
    return [
        Item(bucket, key, relative)
        for key in s3.list(bucket, prefix)
        if not key.endswith("/") and (relative := _inside(_relative(key, prefix)))
    ]


def _relative(key: str, prefix: str) -> str:
    """An object's path below the input's directory: what follows the prefix taken as a directory."""
    if key != prefix and (not prefix or prefix.endswith("/") or key.startswith(f"{prefix}/")):
        return key[len(prefix) :].lstrip("/")
    return key[prefix.rfind("/") + 1 :]


def _of_manifest(s3: S3Objects, uri: str) -> list[Item]:
    """`[{"prefix": "s3://bucket/some/"}, "relative/path", ...]` (S3DataSource's reference)."""
    bucket, key = split_prefix(uri)
    path = s3.path(bucket, key)
    if path is None:
        raise ValueError(f"NoSuchKey (404): The specified key does not exist: {uri}")
    manifest = read_json(path)
    if not (
        isinstance(manifest, list)
        and manifest
        and isinstance(manifest[0], dict)
        and isinstance(manifest[0].get("prefix"), str)
        and all(isinstance(entry, str) for entry in manifest[1:])
    ):
        raise ValueError(f'{uri} is no manifest: expected [{{"prefix": "s3://..."}}, "key", ...]')
    bucket, prefix = split_prefix(manifest[0]["prefix"])
    return [Item(bucket, prefix + entry, _inside(entry)) for entry in manifest[1:]]


def _inside(relative: str) -> str:
    """A path that stays below its directory; raises ValueError for one that does not."""
    if relative.startswith("/") or ".." in PurePosixPath(relative).parts:
        raise ValueError(f"{relative!r} leads out of the input's directory")
    return relative

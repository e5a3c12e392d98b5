"""What a training job leaves in S3: its model and its output, each packed into one archive."""

import asyncio
import tarfile
from collections.abc import Sequence
from pathlib import Path

from local_sagemaker.jobs.run import JobFailed
from local_sagemaker.s3.objects import S3Error, S3Objects, files_below, split_prefix


async def upload_directories(
    s3: S3Objects, directories: Sequence[Path], uri: str, archive: Path | None
) -> bool:
    """Upload what the hosts left in one directory each; False when that is nothing.

    Packed to `archive` and uploaded as `uri`, or without one file by file under `uri`. Of a file that
    several hosts wrote, the first host's is kept. Raises JobFailed when S3 refuses it.
    """
    if not any(any(files_below(directory)) for directory in directories):
        return False
    try:
        bucket, key = split_prefix(uri)
        if archive is None:
            for directory in reversed(directories):
                await s3.upload_tree(directory, bucket, key)
        else:
            await asyncio.to_thread(_pack, directories, archive)
            await s3.upload(archive, bucket, key)
    except (S3Error, ValueError, OSError) as error:
        raise JobFailed(f"ClientError: Failed to upload to {uri}: {error}") from error
    return True


def _pack(directories: Sequence[Path], archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    packed: set[str] = set()
    with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
        for directory in directories:
            for path in sorted(directory.rglob("*")):
                name = path.relative_to(directory).as_posix()
                if name not in packed:
                    packed.add(name)
                    tar.add(path, name, recursive=False)

"""JSON objects in S3, written with conditional puts: of two writers one wins, and the other knows."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from endpoint_deploy.aws import errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MOST_DELETED = 1000  # objects that one DeleteObjects takes (API reference)


class JsonStore:
    """JSON documents under one S3 prefix (`s3://bucket/some/where`)."""

    def __init__(self, client: "S3Client", prefix: str) -> None:
        self._client = client
        bucket, _, head = prefix.removeprefix("s3://").partition("/")
        self._bucket = bucket
        self._head = head.strip("/")

    def uri(self, key: str) -> str:
        """The object's s3:// address."""
        return f"s3://{self._bucket}/{self._key(key)}"

    def create(self, key: str, document: Any) -> bool:
        """Write where nothing is yet; False where something is, or another writer was first."""
        return self._put(key, document, IfNoneMatch="*")

    def replace(self, key: str, document: Any, etag: str) -> bool:
        """Write over exactly that version; False where it is no longer that one."""
        return self._put(key, document, IfMatch=etag)

    def read(self, key: str) -> tuple[Any, str] | None:
        """The document and its ETag; None where there is none."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key(key))
        except ClientError as error:
            if errors.is_absent_object(error):
                return None
            raise
        return json.loads(answer["Body"].read()), answer["ETag"]

    def delete(self, key: str) -> None:
        """Delete, whether or not it is there."""
        self._client.delete_object(Bucket=self._bucket, Key=self._key(key))

    def keys(self, under: str) -> Iterator[str]:
        """Keys under a folder, in order, relative to the store."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._key(under).rstrip("/") + "/"
        )
        strip = len(self._head) + 1 if self._head else 0
        for page in pages:
            for item in page.get("Contents", []):
                yield item["Key"][strip:]

    def folders(self, under: str) -> Iterator[str]:
        """Names of the folders in a folder."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._key(under).rstrip("/") + "/", Delimiter="/"
        )
        for page in pages:
            for item in page.get("CommonPrefixes", []):
                yield item["Prefix"].rstrip("/").rpartition("/")[2]

    def delete_folder(self, under: str) -> int:
        """Delete everything in a folder, a thousand objects a call; returns how many there were."""
        keys = list(self.keys(under))
        for start in range(0, len(keys), _MOST_DELETED):
            objects: Any = [{"Key": self._key(key)} for key in keys[start : start + _MOST_DELETED]]
            answer = self._client.delete_objects(
                Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True}
            )
            if failed := answer.get("Errors"):
                # A call of many succeeds as a whole, and says of each what it did not do.
                code, message = failed[0].get("Code", "InternalError"), failed[0].get("Message", "")
                raise ClientError({"Error": {"Code": code, "Message": message}}, "DeleteObjects")
        return len(keys)

    def _put(self, key: str, document: Any, **condition: Any) -> bool:
        body = json.dumps(document, sort_keys=True, indent=1).encode()
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._key(key),
                Body=body,
                ContentType="application/json",
                **condition,
            )
        except ClientError as error:
            if errors.is_lost_race(error) or (condition.get("IfMatch") and errors.is_absent_object(error)):
                return False
            raise
        return True

    def _key(self, key: str) -> str:
        return f"{self._head}/{key}" if self._head else key

"""A released deployment that the sentinel looks after, and what it has found there."""

import hashlib
import json
from typing import Any

from tests.deploy.rig import BUCKET, REGION, Rig
from tests.deploy.test_around_a_release import put_alarm
from tests.deploy.topic import Topic

ACCOUNT = "123456789012"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
_MANIFEST = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"}


class Watched:
    """A released deployment with an alarm, a role and an image of its own, and what is found on it."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.topic = Topic(rig)
        self.alarm = f"{rig.name}-errors"
        self.set_alarm("OK")
        self._iam, self._ecr = rig.clients("iam"), rig.clients("ecr")
        self.make_role()
        self.make_repository()
        self.image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{rig.name}:1"
        self.push("first")
        self.spec()
        assert rig.deploy(bias=1).outcome == "released"

    def spec(self, **changes: Any) -> None:
        store = f"s3://{BUCKET}/{self.rig.store}"
        role = f"arn:aws:iam::{ACCOUNT}:role/{self.rig.name}"
        self.rig.spec(
            **{
                "aws": {"region": REGION, "role_arn": role, "store": store},
                "model": {"image": self.image, "script_mode": True},
                "alarms": [self.alarm],
                "sentinel": {},
                "notifications": self.topic.notifications("drift"),
                **changes,
            }
        )

    def make_role(self) -> None:
        self._iam.create_role(RoleName=self.rig.name, AssumeRolePolicyDocument=json.dumps(TRUST))

    def make_repository(self) -> None:
        self._ecr.create_repository(repositoryName=self.rig.name)

    def delete_repository(self) -> None:
        self._ecr.delete_repository(repositoryName=self.rig.name, force=True)

    def delete_role(self) -> None:
        self._iam.delete_role(RoleName=self.rig.name)

    def set_alarm(self, state: str) -> None:
        put_alarm(self.rig, self.alarm, state)

    def push(self, content: str) -> None:
        layer = f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"  # the same content, the same digest
        manifest = json.dumps({**_MANIFEST, "config": {"digest": layer}, "layers": [{"digest": layer}]})
        self._ecr.put_image(repositoryName=self.rig.name, imageManifest=manifest, imageTag="1")

    def unpush(self) -> None:
        self._ecr.batch_delete_image(repositoryName=self.rig.name, imageIds=[{"imageTag": "1"}])

    def findings(self) -> dict[str, Any]:
        key = f"{self.rig.store}/findings/{self.rig.endpoint}.json"
        found = self.rig.clients("s3").get_object(Bucket=BUCKET, Key=key)
        return dict(json.loads(found["Body"].read()))

    def look(self) -> list[str]:
        """Run the sentinel; kinds of what is open, in the order of their finding."""
        ended = self.rig.run("sentinel")
        kinds = [finding["kind"] for finding in self.findings()["open"]]
        assert ended.tasks["check_live"] == ("failed" if kinds else "success"), (ended, self.findings())
        assert ended.state == ("failed" if kinds else "success")
        return kinds

    def finds_once(self, *kinds: str) -> None:
        """These, and nothing else, told once however often it looks."""
        assert self.look() == list(kinds), self.findings()["open"]
        told = [f"{self.rig.endpoint}: {kind} is not as released" for kind in kinds]
        assert sorted(self.topic.subjects()) == sorted(told)
        since = [finding["since"] for finding in self.findings()["open"]]
        assert self.look() == list(kinds)
        assert self.topic.subjects() == []
        assert [finding["since"] for finding in self.findings()["open"]] == since

    def is_well(self) -> None:
        assert self.look() == [], self.findings()["open"]
        assert self.topic.subjects() == []

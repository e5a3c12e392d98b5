"""Retention over random histories, on the local SageMaker: exactly what nothing needs any more is deleted.

A history is written as releases leave it, without running them: models, configurations, archives, records.
What must stay is said here by other words than the code's.
"""

import hashlib
import json
import os
import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from endpoint_deploy.aws.artifact_uses import ArtifactUses
from endpoint_deploy.core import naming, tags
from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, ROLE, Rig, archive

pytestmark = AS_IN_PRODUCTION
HISTORIES = int(os.environ.get("HISTORIES", "2"))
_IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/tiny:1"
_AT = "2026-01-01T00:00:00+00:00"


@dataclass
class History:
    """What was done to one endpoint, and what of it is there."""

    rig: Rig
    chance: random.Random
    said: list[str] = field(default_factory=list)
    good: list[int] = field(default_factory=list)
    """Contents of the good releases since the last teardown, in order."""
    recorded: dict[int, int] = field(default_factory=dict)
    """By content, the record of its newest good release since then."""
    there: set[int] = field(default_factory=set)
    """Contents with a configuration."""
    modelled: set[int] = field(default_factory=set)
    archives: set[int] = field(default_factory=set)
    referred: set[int] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    other_configs: set[str] = field(default_factory=set)
    records: int = 0
    noted: set[str] = field(default_factory=set)
    """Keys of the runs whose stages and looks are there."""

    def config(self, content: int) -> str:
        return naming.resource_name(self.rig.endpoint, ["config", content])

    def model(self, content: int) -> str:
        return naming.resource_name(self.rig.endpoint, ["model", content])

    def sha256(self, content: int) -> str:
        return hashlib.sha256(self._bytes(content)).hexdigest()

    def _bytes(self, content: int) -> bytes:
        return archive({"model.json": json.dumps({"bias": content, "of": self.rig.name}).encode()})

    def _tags(self, content: int, endpoint: str | None = None) -> list[dict[str, str]]:
        mine = {tags.ENDPOINT: endpoint or self.rig.endpoint, tags.ARTIFACT: self.sha256(content)}
        return tags.as_list(mine)

    def _variants(self, *contents: int) -> list[dict[str, Any]]:
        return [
            {
                "VariantName": f"v{content}",
                "ModelName": self.model(content),
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
            for content in contents
        ]

    def _pin(self, content: int) -> None:
        s3, digest = self.rig.clients("s3"), self.sha256(content)
        ArtifactUses(s3, f"s3://{BUCKET}/{self.rig.store}").add(digest, self.rig.endpoint)
        key = f"{self.rig.store}/{naming.artifact_key(digest)}"
        s3.put_object(Bucket=BUCKET, Key=key, Body=self._bytes(content), Metadata={"sha256": digest})
        self.archives.add(content)

    def _record(self, content: int | None, outcome: str, kind: str) -> None:
        self.records += 1
        body = {
            "sequence": self.records, "kind": kind, "outcome": outcome, "deployment": self.rig.key,
            "endpoint": self.rig.endpoint, "started_at": _AT, "finished_at": _AT, "seconds": 1.0,
            "run": {"dag_id": "d", "run_id": str(self.records), "run_type": "manual"},
            "artifact_sha256": None if content is None else self.sha256(content),
            "config_after": self.config(content) if content is not None and outcome == "released" else None,
        }  # fmt: skip
        key = f"{self.rig.store}/ledger/{self.rig.endpoint}/{self.records:08}.json"
        self.rig.clients("s3").put_object(Bucket=BUCKET, Key=key, Body=json.dumps(body).encode())
        if content is not None and outcome == "released":
            self.recorded[content] = self.records
        self._note(self._run_key(self.records))
        self.said.append(f"{kind} {content} {outcome}")

    def _run_key(self, number: int) -> str:
        return naming.run_key("d", str(number))

    def _note(self, run: str) -> None:
        """As the steps of a release do, and the looks at them."""
        for what in (f"stages/{self.rig.endpoint}/{run}/shift_traffic-0000.json",
                     f"analysis/{self.rig.endpoint}/{run}/50-percent/look-001.json",
                     f"analysis/{self.rig.endpoint}/{run}/50-percent/replay-001.json"):  # fmt: skip
            self.rig.clients("s3").put_object(Bucket=BUCKET, Key=f"{self.rig.store}/{what}", Body=b"{}")
        self.noted.add(run)

    def under_way(self) -> None:
        """A run that has no record yet."""
        self._note(naming.run_key("d", f"under way {len(self.noted)}"))

    def notes(self) -> set[str]:
        """Keys of the runs that anything noted is there of."""
        found: set[str] = set()
        for kind in ("stages", "analysis"):
            under = f"{self.rig.store}/{kind}/{self.rig.endpoint}/"
            listed = self.rig.clients("s3").list_objects_v2(Bucket=BUCKET, Prefix=under).get("Contents", [])
            found |= {item["Key"].removeprefix(under).partition("/")[0] for item in listed}
        return found

    def deploy(self) -> None:
        content = self.chance.randrange(7)
        self._pin(content)
        if self.chance.random() < 0.25:
            return self._record(content, self.chance.choice(["rolled_back", "refused"]), "deploy")
        if content not in self.there:
            self._make(content)
        if self.good and self.good[-1] != content:
            self._joint(self.good[-1], content)
        self.good.append(content)
        return self._record(content, "released", "deploy")

    def _make(self, content: int) -> None:
        url = f"s3://{BUCKET}/{self.rig.store}/{naming.artifact_key(self.sha256(content))}"
        if content not in self.modelled:
            self.rig.sagemaker.create_model(
                ModelName=self.model(content),
                PrimaryContainer={"Image": _IMAGE, "ModelDataUrl": url},
                ExecutionRoleArn=ROLE,
                Tags=self._tags(content),
            )
        self.rig.sagemaker.create_endpoint_config(
            EndpointConfigName=self.config(content),
            ProductionVariants=self._variants(content),
            Tags=self._tags(content),
        )
        self.there.add(content)
        self.modelled.add(content)

    def _joint(self, before: int, after: int) -> None:
        name = naming.resource_name(self.rig.endpoint, ["joint", before, after, self.records])
        its = {tags.STAGE: "joint", tags.CHAMPION_CONFIG: self.config(before)}
        self.rig.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=self._variants(before, after),
            Tags=self._tags(after) + tags.as_list({**its, tags.FINAL_CONFIG: self.config(after)}),
        )

    def roll_back(self) -> None:
        back = [content for content in self.good if content in self.there]
        if back:
            content = self.chance.choice(back)
            self.good.append(content)
            self._record(content, "released", "rollback")

    def tear_down(self) -> None:
        configs, models = self.rig.made()
        for name in configs - self.others:
            self.rig.sagemaker.delete_endpoint_config(EndpointConfigName=name)
        for name in models - self.others:
            self.rig.sagemaker.delete_model(ModelName=name)
        self.good, self.there, self.modelled, self.referred = [], set(), set(), set()
        self.recorded = {}
        self._record(None, "torn_down", "teardown")

    def somebody_else(self) -> None:
        """Names like ours without our tag, or with another endpoint's; a configuration on a model of ours."""
        number = len(self.others)
        name = f"{self.rig.endpoint}-{number:012}"
        its = self.chance.choice([[], self._tags(0, endpoint="another")])
        self.rig.sagemaker.create_model(
            ModelName=name, PrimaryContainer={"Image": _IMAGE}, ExecutionRoleArn=ROLE, Tags=its
        )
        self.others.add(name)
        if self.modelled:
            content = self.chance.choice(sorted(self.modelled))
            self.rig.sagemaker.create_endpoint_config(
                EndpointConfigName=name, ProductionVariants=self._variants(content), Tags=its
            )
            self.referred.add(content)
            self.other_configs.add(name)

    def kept(self, number: int) -> set[int]:
        """Contents of the newest good releases, each counted once."""
        newest: list[int] = []
        for content in reversed(self.good):
            if content in self.there and content not in newest:
                newest.append(content)
        return set(newest[:number])

    def after_cleaning(self, number: int) -> tuple[set[str], set[str], set[str]]:
        """Configurations, models and archives that must be there, and no others."""
        kept = self.kept(number)
        needed = {
            *range(self.records - number + 1, self.records + 1),
            *(self.recorded[each] for each in kept),
        }
        self.noted -= {self._run_key(each) for each in range(1, self.records + 1) if each not in needed}
        used = kept | (self.referred & self.modelled)
        self.there, self.modelled, self.archives = set(kept), set(used), self.archives & used
        configs = {self.config(content) for content in kept} | self.other_configs
        models = {self.model(content) for content in used} | self.others
        return configs, models, {self.sha256(content) for content in self.archives}

    def pinned(self) -> set[str]:
        under = f"{self.rig.store}/artifacts/"
        found = self.rig.clients("s3").list_objects_v2(Bucket=BUCKET, Prefix=under).get("Contents", [])
        return {o["Key"].split("/")[3] for o in found if o["Key"].endswith("model.tar.gz")}


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_exactly_what_nothing_needs_is_deleted(rig: Rig, seed: int) -> None:
    chance = random.Random(seed)
    keep = chance.randint(1, 3)
    rig.spec(retention={"releases": keep})
    history = History(rig, chance)
    for _ in range(2):
        for _ in range(chance.randint(4, 10)):
            act = chance.choices(
                [
                    history.deploy,
                    history.roll_back,
                    history.somebody_else,
                    history.tear_down,
                    history.under_way,
                ],
                [7, 2, 1, 0.5, 1],
            )[0]
            act()
        ended = rig.run("sentinel")
        assert ended.state == "success", (history.said, ended)
        configs, models, archives = history.after_cleaning(keep)
        assert rig.made() == (configs, models), (history.said, ended.result)
        assert history.pinned() == archives, (history.said, ended.result)
        assert history.notes() == history.noted, (history.said, ended.result)
        # A configuration that went is not one to go back to.
        history.good = [content for content in history.good if content in history.kept(keep)]

"""The sentinel's checks of one endpoint: each asks AWS as little as it can, and says what it found."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain

from botocore.exceptions import BotoCoreError, ClientError

from endpoint_deploy.aws import errors
from endpoint_deploy.aws.observe import observe
from endpoint_deploy.aws.parts import archive_state, count_bounds, image_digest, role_is_there
from endpoint_deploy.core import drift, part_drift, requests
from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.findings import KINDS, Baseline, Drift, DriftKind
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.observed import ObservedEndpoint
from endpoint_deploy.core.planner import make_plan
from endpoint_deploy.core.standing import LedgerWord
from endpoint_deploy.errors import EndpointDeployError, NotAsPlanned, ReleaseFailed, TryAgain
from endpoint_deploy.proof import prove
from endpoint_deploy.task_base import Kit

_log = logging.getLogger(__name__)
Check = Callable[[], Iterator[Drift]]


class LiveChecks:
    """One look at one endpoint. `looked`: the kinds that could be judged; `failed`: why others could not.

    baseline: what was first seen behind the live configuration; afterwards, what is to be kept of it.
    """

    def __init__(
        self,
        kit: Kit,
        deployment: Deployment,
        seen: ObservedEndpoint | None,
        word: LedgerWord,
        known: Baseline,
    ) -> None:
        self._kit = kit
        self._deployment = deployment
        self._seen = seen
        self._word = word
        same = seen is not None and seen.config == known.config
        self.baseline = known if same else Baseline(config=seen.config if seen else None)
        self.looked: set[DriftKind] = set()
        self._behind: defaultdict[str, set[str]] = defaultdict(set)  # addresses and names by their kind
        self.failed: list[str] = []

    def look(self) -> list[Drift]:
        """Everything that is wrong now; raises what passes, such as throttling."""
        spec = self._deployment.spec
        found = list(drift.endpoint_drift(self._seen, self._word))
        if spec.alarms:
            found += self._run({"alarm"}, self._alarms)
        if self._seen is None:
            self.looked |= KINDS  # what else was wrong with it went with it
            return found
        self.looked |= {"endpoint", "status", "configuration", "weights", "alarm"}
        # Of an endpoint on another configuration, and of one that is being repaired, the first is enough.
        serves, as_released = self._seen.status == "InService", self._seen.config == self._word.config
        if as_released:
            found += self._run({"counts"}, self._counts)
        if serves and as_released:
            found += self._run({"spec"}, self._spec)
        if serves:
            found += self._run({"canary"}, self._canary) if spec.sentinel and spec.sentinel.canary else []
        return found + self._parts()

    def _run(self, kinds: set[DriftKind], check: Check) -> list[Drift]:
        """One check's findings; one that may not ask, or cannot, hides no other."""
        try:
            found = list(check())
        except (ClientError, BotoCoreError, EndpointDeployError) as error:
            if errors.is_passing(error) or isinstance(error, TryAgain):
                raise
            self.failed.append(f"{', '.join(sorted(kinds))}: {error}")
            return []
        self.looked |= kinds
        return found

    def _alarms(self) -> Iterator[Drift]:
        alarms = self._deployment.spec.alarms
        return drift.alarm_drift(alarms, self._kit.hook.alarm_states(alarms))

    def _counts(self) -> Iterator[Drift]:
        assert self._seen is not None  # noqa: S101  asked for by `look` only where there is one
        others = drift.other_counts(self._seen, self._word)
        bounds = count_bounds(self._kit.hook, self._seen.name, sorted(others)) if others else {}
        return drift.count_drift(self._seen, self._word, bounds)

    def _spec(self) -> Iterator[Drift]:
        """The spec's plan for the model that is live: which model a run releases, its form may say."""
        release = self._word.live
        if release is None or not (release.artifact_sha256 and release.pinned and release.image):
            return
        spec = self._deployment.spec
        candidate = Candidate(
            artifact=release.artifact or release.pinned,
            image=release.image,
            sha256=release.artifact_sha256,
            pinned=release.pinned,
        )
        want = requests.desired(spec, candidate)
        observed = observe(self._kit.hook, self._kit.ledger, spec.endpoint_name, want)
        try:
            plan = make_plan(spec, candidate, observed, plan_only=True)
        except NotAsPlanned as error:
            yield Drift(kind="configuration", subject="deleted", message=str(error))
            return
        yield from drift.spec_drift(plan)

    def _canary(self) -> Iterator[Drift]:
        variants = [variant.name for variant in self._seen.variants] if self._seen else []
        try:
            prove(self._kit.hook, self._deployment, variants, docs_key=None)
        except ReleaseFailed as error:
            yield Drift(kind="canary", subject="smoke tests", message=str(error))

    def _parts(self) -> list[Drift]:
        """What the live configuration's instances are started from."""
        found = self._run({"model"}, self._models)
        if "model" not in self.looked:
            self.failed.append("artifact, image, role: the models behind the endpoint are not known")
            return found
        looks: dict[DriftKind, Callable[[str], Iterator[Drift]]] = {
            "artifact": self._archive,
            "image": self._image,
            "role": self._role,
        }
        for kind, look in looks.items():
            found += self._run({kind}, partial(self._each, look, sorted(self._behind[kind])))
        return found

    @staticmethod
    def _each(look: Callable[[str], Iterator[Drift]], subjects: list[str]) -> Iterator[Drift]:
        return chain.from_iterable(map(look, subjects))

    def _models(self) -> Iterator[Drift]:
        hook = self._kit.hook
        config = hook.find_config(self._seen.config) if self._seen else None
        if config is None:
            yield Drift(
                kind="configuration",
                subject="deleted",
                message=f"configuration {self._seen.config if self._seen else None} of the endpoint is gone: "
                "SageMaker refuses every update; create it again by hand under that name",
            )
            return
        for name in sorted({str(variant["ModelName"]) for variant in config.variants}):
            model = hook.find_model(name)
            if model is None:
                yield part_drift.model_drift(name)
                continue
            self._behind["role"].add(model["ExecutionRoleArn"])
            for container in [model.get("PrimaryContainer"), *model.get("Containers", [])]:
                if container and container.get("ModelDataUrl"):
                    self._behind["artifact"].add(container["ModelDataUrl"])
                if container and container.get("Image"):
                    self._behind["image"].add(container["Image"])

    def _role(self, arn: str) -> Iterator[Drift]:
        if not role_is_there(self._kit.hook, arn):
            yield part_drift.role_drift(arn)

    def _archive(self, uri: str) -> Iterator[Drift]:
        live = self._word.live
        state = archive_state(self._kit.hook.s3, uri)
        expected = live.artifact_sha256 if live and live.pinned == uri else None
        found = (state.etag, state.sha256) if state else None
        wrong = list(part_drift.artifact_drift(uri, expected, found, self.baseline))
        if state is not None and not wrong:
            self._first_seen(artifacts={uri: state.etag, **self.baseline.artifacts})
        yield from wrong

    def _image(self, image: str) -> Iterator[Drift]:
        try:
            digest = image_digest(self._kit.hook, image)
        except LookupError as error:
            if image in self.baseline.images:
                raise EndpointDeployError(str(error)) from error  # it could be asked about before
            _log.info("not looked at: %s", error)
            return
        yield from part_drift.image_drift(image, digest, self.baseline)
        if digest is not None:
            self._first_seen(images={image: digest, **self.baseline.images})

    def _first_seen(self, **seen: dict[str, str]) -> None:
        self.baseline = self.baseline.model_copy(update=seen)

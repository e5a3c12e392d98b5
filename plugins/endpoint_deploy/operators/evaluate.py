"""Evaluate: candidate and live champion answer the same held-out rows, in a processing job."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerProcessingOperator
from airflow.sdk import Context

from endpoint_deploy import jobs
from endpoint_deploy.airflow_versions import AirflowSkipException
from endpoint_deploy.artifacts.source_code import source_files
from endpoint_deploy.aws import programs
from endpoint_deploy.aws.data_files import files_below
from endpoint_deploy.aws.store import JsonStore
from endpoint_deploy.core import tags
from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.evaluation_requests import EvaluationInputs, evaluation_request
from endpoint_deploy.core.evaluation_spec import EvaluationSpec
from endpoint_deploy.core.merged import merged
from endpoint_deploy.core.retrain import Champion, DataFile, Evaluation
from endpoint_deploy.core.retrain_spec import RetrainSpec
from endpoint_deploy.core.training_set import SUFFIXES, data_files, manifest, set_digest
from endpoint_deploy.errors import EndpointDeployError, Refused, ReleaseFailed, SpecError, TryAgain
from endpoint_deploy.job_task import JobTask
from endpoint_deploy.operators.select_data import retrain_of
from endpoint_deploy.run_context import pull

_WAIT_FOR_INSTANCES = 6 * 3600  # seconds: beyond the job's own limit, which begins when it has its instance
_BLAMED = re.compile(r"(?:^|: )(candidate|champion): ")  # of the program's ExitMessage


@dataclass(frozen=True)
class _Work:
    """What both models of a run answer, and the job that a deferral waited for."""

    context: Context
    retrain: RetrainSpec
    held_out: tuple[DataFile, ...]
    awaited: str | None


class EvaluateOperator(JobTask, SageMakerProcessingOperator):
    """The provider's processing operator, deferrable by our own trigger, and named by content.

    A champion of another image than the candidate's gets a job of its own. Returns an Evaluation.
    """

    template_fields = JobTask.template_fields

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(config={}, **kwargs)

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Evaluate; raises Refused where the candidate does not answer as it must."""
        retrain = retrain_of(self)
        found = pull(context, "validate_candidate")
        if found is None:
            raise AirflowSkipException("there is no candidate: nothing was trained")
        candidate = Candidate.model_validate(found["candidate"])
        work = _Work(context, retrain, self._held_out(retrain), carried.get("job"))
        champion = self._champion()
        if champion is None or champion.image in (None, candidate.image):
            with blame():
                evaluation = self._evaluated(work, candidate, champion)
        else:
            evaluation = self._apart(work, candidate, champion)
        if self._held_out(retrain) != work.held_out:
            raise TryAgain(
                f"{retrain.evaluation.data} has changed while the models were evaluated on it; the next try "
                "takes what is there now"
            )
        return evaluation.model_dump(mode="json")

    def _champion(self) -> Champion | None:
        name = self.spec.endpoint_name
        its_tags = self.hook.endpoint_tags(name)
        if its_tags is None:
            self.log.info("there is no endpoint %s: the candidate has no champion to be compared with", name)
            return None
        if not tags.ours(its_tags, name):
            self.log.warning("endpoint %s was not made by this pipeline: what serves is not known", name)
            return None
        seen = self.hook.find_endpoint(name)
        release = self.kit.ledger.serving(seen.config if seen else None)
        if release is None or release.pinned is None or release.artifact_sha256 is None:
            self.log.info("endpoint %s has no proved release yet", name)
            return None
        return Champion(
            sha256=release.artifact_sha256,
            pinned=release.pinned,
            image=release.image,
            release=release.sequence,
        )

    def _held_out(self, retrain: RetrainSpec) -> tuple[DataFile, ...]:
        where, form = retrain.evaluation.data, retrain.data.format
        below = f"{split(where)[1].rstrip('/')}/".lstrip("/")
        files = data_files(files_below(self.hook.s3, where), below=below, format_=form)
        if not files:
            raise ReleaseFailed(
                f"{where}: found no held-out file of retrain.data.format {form}; expected at least one that "
                f"ends in {' or '.join(SUFFIXES[form])}"
            )
        return files

    def _evaluated(self, work: _Work, candidate: Candidate, champion: Champion | None) -> Evaluation:
        spec, evaluation = self.spec, work.retrain.evaluation
        files = self._program(evaluation)
        code = programs.place_of(spec.aws.store, files)
        bucket = split(evaluation.data)[0]
        key = f"held-out/{spec.endpoint_name}/{set_digest(bucket, work.held_out)}/manifest.json"
        store = JsonStore(self.hook.s3, spec.aws.store)
        request = evaluation_request(
            spec,
            work.retrain,
            EvaluationInputs(
                candidate=candidate,
                champion=champion.pinned if champion else None,
                data=store.uri(key),
                code=code,
                script=Path(evaluation.script).name if evaluation.script else None,
            ),
        )

        def begin(name: str) -> None:
            store.create(key, manifest(bucket, work.held_out))  # the key is its content's
            programs.upload(self.hook.s3, code, files)
            self.hook.sagemaker.create_processing_job(**request.named(name), Tags=self.job_tags(work.context))

        job = self.run_job(
            work.context,
            "processing",
            request.base,
            begin,
            timeout_seconds=evaluation.max_runtime_seconds + _WAIT_FOR_INSTANCES,
            awaited=work.awaited if (work.awaited or "").startswith(request.base) else None,
        )
        output = job.outputs["evaluation"]
        rows = json.loads(self._read(f"{output}/evaluation.json"))["rows"]
        self.log.info("%s evaluated %d held-out rows: %s", job.name, rows, output)
        return Evaluation(job=job.name, predictions=f"{output}/predictions.csv", rows=rows, champion=champion)

    def _apart(self, work: _Work, candidate: Candidate, champion: Champion) -> Evaluation:
        """Each model in a job of its own image, and what they answered put together."""
        alone = Candidate(
            artifact=champion.pinned,
            image=str(champion.image),
            sha256=champion.sha256,
            pinned=champion.pinned,
        )
        with blame("candidate"):
            ours = self._evaluated(work, candidate, None)
        with blame("champion"):
            theirs = self._evaluated(work, alone, None)
        both = merged(self._read(ours.predictions).decode(), self._read(theirs.predictions).decode())
        uri = ours.predictions.replace("predictions.csv", f"predictions-beside-{champion.sha256}.csv")
        bucket, key = split(uri)
        self.hook.s3.put_object(Bucket=bucket, Key=key, Body=both.encode())
        return ours.model_copy(update={"predictions": uri, "champion": champion})

    def _program(self, evaluation: EvaluationSpec) -> dict[str, bytes]:
        """What runs in the container, by its path there."""
        home = Path(str(jobs.__file__)).parent
        files = {path.relative_to(home).as_posix(): path.read_bytes() for path in source_files(home)}
        if evaluation.script:
            script = self.deployment.file(evaluation.script)
            if script.name in files:
                raise SpecError(
                    f"{self.deployment.source}: evaluation.script is named {script.name}, as is the program "
                    "that starts it; expected another name"
                )
            files[script.name] = script.read_bytes()
        return files

    def _read(self, uri: str) -> bytes:
        bucket, key = split(uri)
        return self.hook.s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an s3:// address."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


@contextmanager
def blame(alone: str | None = None) -> Iterator[None]:
    """Tell a job that failed for the candidate's sake apart from one that failed for the champion's.

    alone: which model it is that a job evaluates alone, as its candidate.
    """
    try:
        yield
    except ReleaseFailed as error:
        found = _BLAMED.search(str(error))
        model = (alone or found[1]) if found else None
        if model == "candidate":
            raise Refused(f"the candidate cannot be evaluated: {error}") from error
        if model == "champion":
            raise EndpointDeployError(
                f"the champion, which serves today, cannot be evaluated: {error}. That says nothing of the "
                "candidate: correct `retrain.evaluation`, or release a model by hand"
            ) from error
        raise

"""Validate and pin the artifact: nothing unproved is ever named in CreateModel."""

import tempfile
from pathlib import Path
from typing import Any

from airflow.sdk import Context

from endpoint_deploy.artifacts.model import ArtifactReport
from endpoint_deploy.artifacts.s3 import inspect_object, pin
from endpoint_deploy.core import naming
from endpoint_deploy.core.candidate import Candidate, ReleaseRequest
from endpoint_deploy.errors import ReleaseFailed
from endpoint_deploy.quality.docs import publish
from endpoint_deploy.quality.manifest import manifest_frame
from endpoint_deploy.quality.suites import run_suite
from endpoint_deploy.task_base import ReleaseTask, holder_of, pull


class ValidateArtifactOperator(ReleaseTask):
    """One streaming pass over model.tar.gz, the manifest's suite, then a copy under the digest.

    Returns `{"candidate": …, "report": …, "data_docs": uri | None}`.
    """

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Inspect, judge, pin; raises ReleaseFailed with every finding where the artifact is refused."""
        request = ReleaseRequest.model_validate(pull(context, "resolve_release"))
        model = self.spec.model
        report, etag = inspect_object(
            self.hook.s3,
            request.artifact,
            region=self.spec.aws.region,
            script_mode=model.needs_inference_code,
            expected_sha256=request.expected_sha256,
            accept_unknown=model.unknown_pickles == "accept",
        )
        for finding in report.findings:
            self.log.warning("%s: %s", finding.severity, finding.message)
        if report.refused or report.held:
            raise ReleaseFailed(self._refusal(request.artifact, report))
        docs = self._judge_manifest(context, report)
        self.link_data_docs(context, docs)
        pinned = pin(
            self.hook.s3,
            request.artifact,
            etag=etag,
            sha256=report.sha256,
            store=self.spec.aws.store,
        )
        candidate = Candidate(
            artifact=request.artifact, image=request.image, sha256=report.sha256, pinned=pinned
        )
        self.log.info("%s is sound: %d members, pinned as %s", request.artifact, len(report.members), pinned)
        return {
            "candidate": candidate.model_dump(),
            "report": {
                "sha256": report.sha256,
                "size": report.size,
                "unpacked_size": report.unpacked_size,
                "members": len(report.members),
                "findings": [finding.message for finding in report.findings],
            },
            "data_docs": docs,
        }

    def _refusal(self, artifact: str, report: ArtifactReport) -> str:
        reasons = [f.message for f in report.findings if f.severity in {"refuse", "hold"}]
        hint = (
            "" if report.refused else "; set model.unknown_pickles to accept if you trust where it comes from"
        )
        return f"{artifact} is refused: {'; '.join(reasons)}{hint}"

    def _judge_manifest(self, context: Context, report: ArtifactReport) -> str | None:
        suite = self.spec.model.manifest_suite
        if suite is None:
            return None
        holder = holder_of(context)
        key = f"{self.spec.endpoint_name}/{naming.run_key(holder.dag_id, holder.run_id)}/manifest"
        with tempfile.TemporaryDirectory() as folder:
            result = run_suite(
                manifest_frame(report.to_dict()["members"]),
                self.deployment.file(suite),
                docs_dir=Path(folder),
                title=f"Manifest of {self.spec.endpoint_name}",
            )
            uri = publish(
                self.hook.s3,
                Path(folder),
                prefix=f"{self.spec.aws.store.rstrip('/')}/data-docs/{key}",
            )
        if not result.success:
            reasons = "; ".join(failed.sentence() for failed in result.failed)
            raise ReleaseFailed(
                f"the archive's manifest is refused: {reasons} (Data Docs: {uri})", data_docs=uri
            )
        return uri

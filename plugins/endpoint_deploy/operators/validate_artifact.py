"""Validate and pin the artifact: nothing unproved is ever named in CreateModel."""

from typing import Any

from airflow.sdk import Context

from endpoint_deploy.artifacts.model import ArtifactReport
from endpoint_deploy.artifacts.s3 import inspect_object, pin
from endpoint_deploy.aws.artifact_uses import ArtifactUses
from endpoint_deploy.core import naming
from endpoint_deploy.core.candidate import Candidate, ReleaseRequest
from endpoint_deploy.errors import Refused
from endpoint_deploy.operators.pinned import keep
from endpoint_deploy.operators.resolve_release import connect
from endpoint_deploy.quality.docs import judge
from endpoint_deploy.quality.manifest import manifest_frame
from endpoint_deploy.resolve import Resolver
from endpoint_deploy.run_context import holder_of, pull
from endpoint_deploy.task_base import ReleaseTask
from endpoint_deploy.task_links import ON_THE_ARTIFACT


class ValidateArtifactOperator(ReleaseTask):
    """One streaming pass over model.tar.gz, the manifest's suite, then a copy under the digest.

    Returns `{"candidate": …, "report": …, "data_docs": uri | None}`.
    """

    operator_extra_links = ON_THE_ARTIFACT

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Inspect, judge, pin; raises Refused with every finding where the artifact is refused."""
        request = self.request_of(context)
        model = self.spec.model
        reader, region = Resolver(self.deployment, self.hook, connect).reader(request)
        report, etag = inspect_object(
            reader,
            request.artifact,
            region=region,
            script_mode=model.needs_inference_code,
            expected_sha256=request.expected_sha256,
            accept_unknown=model.unknown_pickles == "accept",
        )
        for finding in report.findings:
            self.log.warning("%s: %s", finding.severity, finding.message)
        if report.refused or report.held:
            raise Refused(self._refusal(request.artifact, report))
        docs = self._judge_manifest(context, report)
        self.link_data_docs(context, docs)
        # Before it is pinned, so that no housekeeping, of this endpoint or another, takes it for unused.
        keep(self, context, report.sha256)
        ArtifactUses(self.hook.s3, self.spec.aws.store).add(report.sha256, self.spec.endpoint_name)
        pinned = pin(
            self.hook.s3,
            request.artifact,
            etag=etag,
            sha256=report.sha256,
            store=self.spec.aws.store,
            source_client=reader,
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

    def request_of(self, context: Context) -> ReleaseRequest:
        """What is to be validated."""
        return ReleaseRequest.model_validate(pull(context, "resolve_release"))

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
        result, uri = judge(
            self.hook.s3,
            manifest_frame(report.to_dict()["members"]),
            self.deployment.file(suite),
            prefix=f"{self.spec.aws.store.rstrip('/')}/data-docs/{key}",
            title=f"Manifest of {self.spec.endpoint_name}",
        )
        if not result.success:
            reasons = "; ".join(failed.sentence() for failed in result.failed)
            raise Refused(f"the archive's manifest is refused: {reasons} (Data Docs: {uri})", data_docs=uri)
        return uri

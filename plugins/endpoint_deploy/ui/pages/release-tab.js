// The tab "Release" of a run: what its record in the ledger says, once there is one.
import { belonging, chakra, deploymentPath, h } from "./host.js";
import { returned, usePolled } from "./data.js";
import { Loading, Muted, Notice, To } from "./parts.js";
import { Release as Record } from "./release.js";

// Which task leaves the number of the release, by the kind of its DAG.
const RECORDS = { deploy: "record_release", rollback: "record_release", teardown: "teardown" };

const releaseOf = ({ value }) => (typeof value === "string" ? JSON.parse(value) : value);

function OfRun({ dagId, runId, deployment, task }) {
  const path = `dags/${encodeURIComponent(dagId)}/dagRuns/${encodeURIComponent(runId)}/taskInstances/${task}`;
  const { data, error } = usePolled(path, undefined, returned);
  if (!data) return error ? h(Notice, { status: "error", title: "This page cannot be shown" }, error) : h(Loading);
  const left = releaseOf(data);
  if (left?.release) return h(Record, { deployment, sequence: left.release, heading: "h2" });
  return h(Muted, null, left ? `This run is no release: ${left.reason ?? left.outcome}. ` : "Not recorded yet. ",
    h(To, { to: deploymentPath(deployment) }, "See the endpoint"));
}

function Release({ dagId, runId }) {
  const { kind, deployment } = belonging(dagId);
  const task = RECORDS[kind];
  return h(chakra.Box, { p: { base: 2, md: 4 } },
    task ? h(OfRun, { key: runId, dagId, runId, deployment, task })
      : h(Muted, null, "A run of this DAG makes no release."));
}

globalThis.Release = Release;

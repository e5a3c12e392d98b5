// The buttons of a deployment, each with a confirmation that says what will happen.
import { chakra, h, runPath, useId, useState } from "./host.js";
import { trigger } from "./data.js";
import { Notice, To } from "./parts.js";
import { digest } from "./words.js";

const { Box, Button, Dialog, Flex, Input, Portal, Text } = chakra;

const named = (release) => `release #${release.sequence}`
  + (release.artifact_sha256 ? ` (model ${digest(release.artifact_sha256)})` : "");

/** A run of another environment's, or of this one's that takes over what the other one has proved. */
function promotion({ id, label, dag, endpoint, from, release, live }) {
  const same = release && live && release.artifact_sha256 === live.artifact_sha256;
  return {
    id, dag, label, title: `Promote to ${endpoint}?`,
    says: release ? [
      `A run of ${dag.dag_id} starts. It takes ${named(release)} of ${from} over to ${endpoint}: the same archive, `
        + "by its checksum, in the same image. It is planned and proved there, and taken back where it fails.",
      ...(same ? ["That model is live there already: nothing will be changed but what the spec asks for."] : []),
    ] : [],
    never: release ? null : `${from} has no good release to be taken over.`,
  };
}

const elsewhere = (row) => row.promoted_by.filter((target) => target.dag.may_trigger).map((target) =>
  promotion({ id: `promote ${target.key}`, label: `Promote to ${target.environment}`, dag: target.dag,
    endpoint: target.endpoint, from: row.key, release: target.release }));

function deployment(row) {
  if (row.promotes) {
    return promotion({ id: "deploy", label: "Promote", dag: row.dags.deploy, endpoint: row.endpoint,
      from: row.promotes.key, release: row.promotes.release, live: row.live });
  }
  return {
    label: "Deploy", title: `Deploy to ${row.endpoint}?`,
    says: [
      `A run of ${row.dags.deploy.dag_id} starts. It releases ${row.releases_by_default.replaceAll("`", "")}.`,
      "It validates, plans and proves what it releases, and brings the old release back where it fails. "
        + "If that is live already, nothing is changed.",
    ],
  };
}

function undo(row) {
  const back = row.rolls_back_to;
  return {
    label: "Undo", title: `Roll ${row.endpoint} back?`,
    says: [
      back
        ? `A run of ${row.dags.rollback.dag_id} starts. It brings back release #${back.sequence}`
          + `${back.artifact_sha256 ? ` (model ${digest(back.artifact_sha256)})` : ""}, proves it, and returns `
          + "to what is live now where that fails."
        : "",
    ],
    conf: back ? { release: back.sequence } : {},
    never: back ? null : row.ledger_known ? "There is no other good release to go back to."
      : "The ledger cannot be read now: which release to go back to is not known.",
  };
}

function freezing(row) {
  return row.frozen
    ? { label: "Thaw", title: `Let releases to ${row.endpoint} go on?`, conf: { action: "thaw" },
      says: [`A run of ${row.dags.freeze.dag_id} starts. It ends the freeze: ${row.held}.`] }
    : { label: "Freeze", title: `Freeze ${row.endpoint}?`, conf: { action: "freeze" },
      says: [`A run of ${row.dags.freeze.dag_id} starts. Releases are held, with your reason, until somebody thaws `
        + "them. One that is already changing the endpoint goes on, and the way back stays open."],
      needsReason: true };
}

const OFFERS = { deploy: deployment, rollback: undo, freeze: freezing };

function Confirmation({ row, action, close, started }) {
  const [reason, setReason] = useState("");
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const field = useId();
  const { dag } = action;
  const under = dag === row.dags[action.id] ? row.running : dag.running;
  const go = async () => {
    setBusy(true);
    try {
      started({ dagId: dag.dag_id, runId: await trigger(dag.dag_id, {
        ...action.conf, ...(reason.trim() ? { reason: reason.trim() } : {}) }) });
      close();
    } catch (error) {
      setProblem(error.message);
      setBusy(false);
    }
  };
  return h(Dialog.Root, { open: true, onOpenChange: (change) => !change.open && close(), role: "alertdialog" },
    h(Portal, null, h(Dialog.Backdrop), h(Dialog.Positioner, { px: 3 }, h(Dialog.Content, null,
      h(Dialog.Header, null, h(Dialog.Title, null, action.title)),
      h(Dialog.Body, null,
        problem && h(Notice, { status: "error", title: "The run was not started" }, problem),
        action.says.map((said) => h(Text, { key: said, mb: 3, overflowWrap: "anywhere" }, said)),
        under.length > 0 && h(Notice, { status: "info", title: "A run is under way" },
          "The new one waits until the endpoint is free."),
        dag.paused && h(Notice, { status: "warning", title: "The DAG is paused" },
          "The run waits until somebody lets its runs start."),
        h("label", { htmlFor: field }, "Reason, kept in the ledger"),
        h(Input, { id: field, value: reason, maxLength: 500, mt: 1,
          onChange: (event) => setReason(event.target.value) })),
      h(Dialog.Footer, null,
        h(Button, { variant: "outline", onClick: close }, "Cancel"),
        h(Button, { colorPalette: "blue", onClick: go,
          disabled: busy || (action.needsReason && !reason.trim()) }, action.label))))));
}

/** Buttons for what the user may start; for others there is nothing to press. */
export function Actions({ row }) {
  const [asking, setAsking] = useState(null);
  const [run, setRun] = useState(null);
  const offered = [...Object.entries(OFFERS).filter(([kind]) => row.dags[kind]?.may_trigger)
    .map(([kind, offer]) => ({ id: kind, dag: row.dags[kind], ...offer(row) })), ...elsewhere(row)];
  if (!offered.length) return null;
  return h(Box, { mb: 4 },
    h(Flex, { gap: 2, wrap: "wrap" }, offered.map((action) =>
      h(Button, { key: action.id, size: "sm", variant: action.id === "deploy" ? "solid" : "outline",
        colorPalette: action.id === "deploy" ? "blue" : "gray", disabled: Boolean(action.never),
        title: action.never ?? undefined, onClick: () => setAsking(action) }, action.label))),
    run && h(Box, { role: "status", mt: 2 }, "Started: ", h(To, { to: runPath(run.dagId, run.runId) }, run.runId)),
    asking && h(Confirmation, { row, action: asking, close: () => setAsking(null), started: setRun }));
}

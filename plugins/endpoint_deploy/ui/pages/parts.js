// Small parts that the pages share.
import { chakra, h, releasePath, RouterLink, runPath } from "./host.js";
import { digest, duration, fromNow, moment, percent, words } from "./words.js";

const { Alert, Badge, Box, Flex, Link, Spinner, Text, VisuallyHidden } = chakra;

const PALETTES = {
  InService: "green", released: "green", Failed: "red", rollback_failed: "red", failed: "red",
  OutOfService: "red", UpdateRollbackFailed: "red", rolled_back: "orange", refused: "orange",
  rejected: "orange", Creating: "blue", Updating: "blue", SystemUpdating: "blue", RollingBack: "orange",
  Deleting: "orange", pass: "green", passed: "green", fail: "red", error: "orange", inconclusive: "yellow",
};

const MOST_BLOCKS = 24; // instances; of more the number says enough

const STATES = { none: "no endpoint", unknown: "unknown" };

export const State = ({ value }) =>
  h(Badge, { colorPalette: PALETTES[value] ?? "gray", variant: "surface" }, STATES[value] ?? words(value));

export const Muted = (props) => h(Text, { color: "fg.muted", fontSize: "sm", ...props });

export const Time = ({ iso }) => h("time", { dateTime: iso, title: moment(iso) }, fromNow(iso));

export const Loading = () => h(Box, { role: "status" }, h(Spinner, { "aria-hidden": true }),
  h(VisuallyHidden, null, "Loading"));

export const To = ({ to, children, ...rest }) =>
  h(Link, { asChild: true, textDecoration: "underline", color: "fg", ...rest }, h(RouterLink, { to }, children));

export const Out = ({ href, children }) =>
  h(Link, { href, target: "_blank", rel: "noopener noreferrer", textDecoration: "underline", color: "fg",
    overflowWrap: "anywhere" }, children);

export function Notice({ status, title, children }) {
  return h(Alert.Root, { status, role: status === "error" ? "alert" : "status", mb: 3 },
    h(Alert.Indicator, { "aria-hidden": true }),
    h(Alert.Content, null, h(Alert.Title, null, title),
      children && h(Alert.Description, { overflowWrap: "anywhere" }, children)));
}

/**
 * What could not be asked, and how old what is shown is. what: the part of the page, where it is but one; said:
 * problems that stand elsewhere on the page.
 */
export function Freshness({ data, error, what = "This page", said = [] }) {
  if (error) return h(Notice, { status: "error", title: `${what} cannot be refreshed` }, error);
  const problems = (data?.problems ?? []).filter((each) => !said.includes(each));
  if (!problems.length) return null;
  const old = data.left_by_runs ? "What is shown of releases is the ledger's last word as runs left it in Airflow, "
    : "What is shown is ";
  const age = data.age_seconds >= 1 ? `${old}${duration(data.age_seconds)} old.` : "";
  return h(Notice, { status: "warning", title: `AWS did not answer everything. ${age}` }, problems.join("; "));
}

/** What the sentinel has found and is still so. */
export const Findings = ({ row }) => row.findings.map((each) =>
  h(Box, { key: `${each.kind} ${each.message}`, "data-finding": each.kind, fontSize: "sm", borderLeftWidth: "3px",
    borderColor: "orange.solid", pl: 2, mt: 1, overflowWrap: "anywhere" },
  h(Text, { as: "span", fontWeight: "medium" }, `Drift of the ${words(each.kind)}: `), `${each.message} `,
  h(Text, { as: "span", color: "fg.muted" }, "seen first ", h(Time, { iso: each.since }))));

/** A block for each instance that serves, an outline for one that is still to come. */
function Instances({ count, wanted }) {
  const all = Math.max(count, wanted);
  if (all > MOST_BLOCKS) return null;
  return h(Flex, { "aria-hidden": true, gap: "3px", mt: "3px" }, Array.from({ length: all }, (_, index) =>
    h(Box, { key: index, w: "14px", h: "5px", borderRadius: "sm", borderWidth: "1px",
      borderColor: index < count ? "teal.solid" : "border.emphasized",
      bg: index < count ? "teal.solid" : "transparent" })));
}

/** Each variant with its share of the traffic as a bar. */
export function Variants({ row }) {
  if (!row.variants.length) return h(Muted, null, "no variants");
  return h(Box, { as: "ul", listStyleType: "none", m: 0, p: 0, "aria-label": "Variants" },
    row.variants.map((variant) => {
      const count = variant.count === null ? "serverless"
        : `${variant.count} instance${variant.count === 1 ? "" : "s"}`;
      const wanted = variant.desired_count !== variant.count ? ` of ${variant.desired_count}` : "";
      return h(Box, { as: "li", key: variant.name, mb: 1 },
        h(Text, { fontSize: "sm", overflowWrap: "anywhere" },
          `${variant.name}: ${percent(variant.share)}, ${count}${wanted}`),
        h(Box, { "aria-hidden": true, bg: "bg.emphasized", borderRadius: "sm", h: "6px", overflow: "hidden" },
          h(Box, { bg: "blue.solid", h: "100%", w: `${variant.share * 100}%` })),
        variant.count !== null && h(Instances, { count: variant.count, wanted: variant.desired_count }));
    }));
}

/** One record of the ledger in a line or two. */
export function ReleaseLine({ release, deployment, lines }) {
  return h(Box, null,
    h(Flex, { gap: 2, align: "center", wrap: "wrap" },
      h(To, { to: releasePath(deployment, release.sequence) }, `#${release.sequence} ${release.kind}`),
      h(State, { value: release.outcome }),
      h(Muted, null, h(Time, { iso: release.finished_at }), `, took ${duration(release.seconds)}`)),
    h(Muted, { overflowWrap: "anywhere", lineClamp: lines },
      [release.who, release.decided, digest(release.artifact_sha256), release.why].filter(Boolean)
        .join(" · ")));
}

const AT_WORK = { deferred: "waits", up_for_retry: "will be tried again" };

const Task = ({ task, path }) => (task.state === "awaiting_input"
  ? h(To, { to: `${path}/required_actions`, fontSize: "sm", fontWeight: "medium" }, `${words(task.task_id)} asks a person: decide`)
  : h(Muted, null, [words(task.task_id), AT_WORK[task.state]].filter(Boolean).join(" ")));

export const Running = ({ row }) => row.running.map((run) =>
  h(Flex, { key: run.run_id, gap: 2, align: "center", wrap: "wrap" },
    h(Badge, { colorPalette: "blue", variant: "surface" }, `${words(run.kind)} ${run.state}`),
    h(To, { to: runPath(row.dags[run.kind].dag_id, run.run_id), fontSize: "sm" }, "see the run"),
    run.since && h(Muted, null, "since ", h(Time, { iso: run.since })),
    run.tasks.map((task) => h(Task, { key: task.task_id, task, path: runPath(row.dags[run.kind].dag_id, run.run_id) }))));

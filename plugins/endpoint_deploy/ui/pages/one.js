// One deployment: what is live, its buttons, and the timeline of its ledger.
import { chakra, h, useState } from "./host.js";
import { Actions } from "./actions.js";
import { usePolled } from "./data.js";
import {
  Findings, Freshness, Loading, Muted, Notice, Out, ReleaseLine, Running, State, Time, To, Variants,
} from "./parts.js";
import { TrafficPanel } from "./traffic-panel.js";
import { digest, duration, words } from "./words.js";

const { Box, Button, Flex, Heading } = chakra;
const STEP = 50;
const MOST = 200;

function Phases({ phases }) {
  const all = Object.entries(phases);
  const total = all.reduce((sum, [, seconds]) => sum + seconds, 0);
  if (!total) return null;
  const [slowest, seconds] = all.reduce((most, each) => (each[1] > most[1] ? each : most));
  return h(Muted, null, `longest step: ${words(slowest)}, ${duration(seconds)}`);
}

function Timeline({ row, more }) {
  return h(Box, { as: "section", "aria-label": "Timeline" },
    h(Heading, { as: "h2", size: "md", mb: 2 }, "Timeline"),
    !row.timeline.length && h(Muted, null, "The ledger has no record yet."),
    h(Box, { as: "ol", listStyleType: "none", m: 0, p: 0 }, row.timeline.map((release) =>
      h(Box, { as: "li", key: release.sequence, "data-release": release.sequence, borderLeftWidth: "3px",
        borderColor: release.sequence === row.live?.sequence ? "green.solid" : "border", pl: 3, mb: 3 },
      h(ReleaseLine, { release, deployment: row.key, lines: 5 }), h(Phases, { phases: release.phases })))),
    row.more && more && h(Button, { size: "sm", variant: "outline", onClick: more }, "Show older"));
}

export function One({ deployment, heading = "h1" }) {
  const [limit, setLimit] = useState(STEP);
  const { data: row, error } = usePolled(`endpoints/${encodeURIComponent(deployment)}?limit=${limit}`);
  if (!row) return error ? h(Notice, { status: "error", title: "This page cannot be shown" }, error)
    : h(Loading);
  const live = row.live;
  return h(Box, { "data-key": row.key },
    h(Flex, { gap: 2, align: "center", wrap: "wrap", mb: 1 },
      h(Heading, { as: heading, size: "lg" }, `${row.name} (${row.environment})`),
      h(State, { value: row.state })),
    h(Muted, { mb: 3, overflowWrap: "anywhere" },
      [row.endpoint, row.region, `strategy ${row.strategy}`, row.owner].join(" · ")),
    h(Freshness, { data: row, error }),
    row.attention.map((said) => h(Notice, { key: said, status: "warning", title: said })),
    row.findings.length > 0 && h(Box, { as: "section", "aria-label": "Findings", mb: 3 }, h(Findings, { row })),
    row.held && h(Notice, { status: "info", title: "Releases wait" }, row.held),
    h(Actions, { row }),
    h(Box, { display: "grid", gap: 4, mb: 5,
      gridTemplateColumns: { base: "minmax(0, 1fr)", lg: "minmax(0, 1fr) minmax(0, 1fr)" } },
    h(Box, { as: "section", "aria-label": "Live" }, h(Heading, { as: "h2", size: "md", mb: 2 }, "Live"),
      h(Muted, { mb: 2 }, live
        ? [`release #${live.sequence}`, digest(live.artifact_sha256) && `model ${digest(live.artifact_sha256)}`,
          row.config].filter(Boolean).join(" · ")
        : "no proved release"),
      h(Variants, { row })),
    h(Box, { as: "section", "aria-label": "Now and next" },
      h(Heading, { as: "h2", size: "md", mb: 2 }, "Now and next"),
      h(Running, { row }), !row.running.length && h(Muted, null, "Nothing runs."),
      row.next && h(Muted, null, `next ${words(row.next.kind)} `, h(Time, { iso: row.next.at })),
      h(Flex, { gap: 3, wrap: "wrap", mt: 2, fontSize: "sm" },
        Object.entries(row.dags).map(([kind, dag]) => h(To, { key: kind, to: `/dags/${dag.dag_id}` },
          `${words(kind)} DAG${dag.paused ? " (paused)" : ""}`)),
        row.links.endpoint && h(Out, { href: row.links.endpoint }, "SageMaker"),
        row.links.logs && h(Out, { href: row.links.logs }, "logs"),
        row.links.alarms && h(Out, { href: row.links.alarms }, "alarms"),
        row.links.ledger && h(Out, { href: row.links.ledger }, "ledger in S3")))),
    h(TrafficPanel, { row }),
    h(Timeline, { row, more: limit < MOST ? () => setLimit(Math.min(MOST, limit + STEP)) : null }));
}

// All deployments: what is live, what is happening, what went wrong.
import { chakra, deploymentPath, h, useEffect, useId, useSearchParams, useState } from "./host.js";
import { usePolled } from "./data.js";
import { Choice } from "./choice.js";
import { Findings, Freshness, Loading, Muted, ReleaseLine, Running, State, Time, To, Variants } from "./parts.js";
import { SmallCharts } from "./traffic.js";
import { words } from "./words.js";

const { Box, Button, Flex, Heading, Input, Text } = chakra;
const LIMIT = 25;
const ORDERS = { attention: "what needs a look first", name: "name", state: "state", finished: "last release" };
const PAUSE_MILLISECONDS = 300;
const CHARTS_MILLISECONDS = 20_000;

function Search({ value, onChange }) {
  const id = useId();
  const [typed, setTyped] = useState(value);
  useEffect(() => {
    if (typed === value) return undefined;
    const timer = setTimeout(() => onChange(typed), PAUSE_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [typed]);
  return h(Box, { flex: "2 1 12rem" }, h(Muted, { as: "label", htmlFor: id, display: "block" }, "Filter"),
    h(Input, { id, type: "search", value: typed, placeholder: "name, environment, owner …",
      onChange: (event) => setTyped(event.target.value) }));
}

function Row({ row, traffic }) {
  return h(Box, { as: "li", "data-key": row.key, borderWidth: "1px", borderRadius: "md", p: 3, mb: 3,
    bg: "bg", display: "grid", gap: 3, alignItems: "start",
    gridTemplateColumns: { base: "minmax(0, 1fr)", md: "minmax(0, 1fr) minmax(0, 1fr)",
      xl: "minmax(0, 5fr) minmax(0, 5fr) minmax(0, 7fr) minmax(0, 7fr)" } },
  h(Box, null,
    h(Flex, { gap: 2, align: "center", wrap: "wrap" },
      h(Heading, { as: "h2", size: "sm" },
        h(To, { to: deploymentPath(row.key) }, `${row.name} (${row.environment})`)),
      h(State, { value: row.state })),
    h(Muted, { overflowWrap: "anywhere" }, [row.endpoint, row.region].join(" · ")),
    row.description && h(Muted, null, row.description),
    row.next && h(Muted, null, `next ${words(row.next.kind)} `, h(Time, { iso: row.next.at }))),
  h(Box, null, h(Muted, null, row.live ? `release #${row.live.sequence} is live`
    : row.last || row.state !== "unknown" ? "no proved release is live" : "what is live is not known"),
    h(Variants, { row })),
  h(SmallCharts, { traffic }),
  h(Box, null, h(Running, { row }),
    row.last ? h(ReleaseLine, { release: row.last, deployment: row.key, lines: 3 }) : h(Muted, null, "never released"),
    row.held && h(Muted, { overflowWrap: "anywhere" }, `Releases wait: ${row.held}`),
    row.attention.map((said) => h(Text, { key: said, fontSize: "sm", fontWeight: "medium", borderLeftWidth: "3px",
      borderColor: "orange.solid", pl: 2, mt: 1, overflowWrap: "anywhere" }, said)),
    h(Findings, { row })));
}

export function List() {
  const [query, setQuery] = useSearchParams();
  const given = (name, otherwise) => query.get(name) ?? otherwise;
  const change = (name, value) => setQuery((old) => {
    const next = new URLSearchParams(old);
    if (value) next.set(name, value); else next.delete(name);
    if (name !== "offset") next.delete("offset");
    return next;
  }, { replace: true });
  const offset = Number(given("offset", "0")) || 0;
  const asked = new URLSearchParams({ search: given("search", ""), state: given("state", ""),
    order: given("order", "attention"), offset, limit: LIMIT });
  const { data, error } = usePolled(`endpoints?${asked}`);
  const shown = (data?.deployments ?? []).map((row) => ["deployment", row.key]).sort();
  const charts = usePolled(shown.length ? `traffic?${new URLSearchParams(shown)}` : null, CHARTS_MILLISECONDS);
  const counts = Object.entries(data?.states ?? {});
  const states = { "": "all", attention: "what needs a look",
    ...Object.fromEntries(counts.map(([state, count]) => [state, `${words(state)} (${count})`])) };
  return h(Box, null,
    h(Heading, { as: "h1", size: "lg", mb: 3 }, "Endpoints"),
    h(Freshness, { data, error }),
    h(Freshness, { data: charts.data, error: charts.error, what: "The charts", said: data?.problems }),
    h(Flex, { gap: 3, wrap: "wrap", mb: 3 },
      h(Search, { value: given("search", ""), onChange: (value) => change("search", value) }),
      h(Choice, { label: "State", value: given("state", ""), options: states,
        onChange: (value) => change("state", value) }),
      h(Choice, { label: "Order", value: given("order", "attention"), options: ORDERS,
        onChange: (value) => change("order", value) })),
    !data && !error && h(Loading),
    data && h(Muted, { role: "status", mb: 2 },
      `${data.matching} of ${data.total} deployment${data.total === 1 ? "" : "s"}`),
    data && h(Box, { as: "ul", listStyleType: "none", m: 0, p: 0 },
      data.deployments.map((row) => h(Row, { key: row.key, row, traffic: charts.data?.traffic[row.key] }))),
    data && data.matching > LIMIT && h(Flex, { as: "nav", "aria-label": "Pages", gap: 2, align: "center" },
      h(Button, { size: "sm", variant: "outline", disabled: offset === 0,
        onClick: () => change("offset", String(Math.max(0, offset - LIMIT))) }, "Previous"),
      h(Muted, null, `${offset + 1} to ${Math.min(offset + LIMIT, data.matching)}`),
      h(Button, { size: "sm", variant: "outline", disabled: offset + LIMIT >= data.matching,
        onClick: () => change("offset", String(offset + LIMIT)) }, "Next")));
}

// One release: what, from what, on which evidence; and what tells it from another one.
import { chakra, deploymentPath, h, runPath, useId, useSearchParams } from "./host.js";
import { usePolled } from "./data.js";
import { Freshness, Loading, Muted, Notice, Out, ReleaseLine, To } from "./parts.js";
import { Stages, Verdicts } from "./verdicts.js";
import { words } from "./words.js";

const { Box, Flex, Heading, Input, Table, Text } = chakra;
const code = { fontFamily: "mono", fontSize: "xs", overflowWrap: "anywhere", whiteSpace: "normal" };

function Changes({ title, changes, none }) {
  return h(Box, { as: "section", "aria-label": title, mb: 5 }, h(Heading, { as: "h2", size: "md", mb: 2 }, title),
    changes.length ? h(Box, { as: "ul", listStyleType: "none", m: 0, p: 0 }, changes.map((each) =>
      h(Box, { as: "li", key: each.path, mb: 2 }, h(Text, { fontSize: "sm", fontWeight: "medium" }, each.path),
        each.before !== null && h(Text, { ...code }, "− ", h("del", null, each.before)),
        each.after !== null && h(Text, { ...code }, "+ ", h("ins", null, each.after)))))
      : h(Muted, null, none));
}

function Facts({ facts }) {
  return h(Box, { as: "section", "aria-label": "Record", mb: 5 },
    h(Heading, { as: "h2", size: "md", mb: 2 }, "Record"),
    h(Table.Root, { size: "sm", tableLayout: "fixed" },
      h(Table.Header, null, h(Table.Row, null,
        h(Table.ColumnHeader, { w: "40%" }, "What"), h(Table.ColumnHeader, null, "Value"))),
      h(Table.Body, null, facts.map((fact) => h(Table.Row, { key: fact.path },
        h(Table.Cell, { ...code, verticalAlign: "top" }, fact.path),
        h(Table.Cell, { ...code, verticalAlign: "top" },
          fact.href ? h(Out, { href: fact.href }, fact.value) : fact.value))))));
}

export function Release({ deployment, sequence, heading = "h1" }) {
  const [query, setQuery] = useSearchParams();
  const field = useId();
  const other = Number(query.get("with")) || null;
  const path = `releases/${encodeURIComponent(deployment)}/${sequence}`;
  const { data, error } = usePolled(other ? `${path}?compared_with=${other}` : path);
  if (!data) return error ? h(Notice, { status: "error", title: "This page cannot be shown" }, error)
    : h(Loading);
  const record = data.release;
  return h(Box, null,
    h(Heading, { as: heading, size: "lg", mb: 2 },
      h(To, { to: deploymentPath(deployment) }, deployment.replace("__", " (") + ")"), ` release #${sequence}`),
    h(Freshness, { data, error }),
    record && h(Box, { mb: 4 }, h(ReleaseLine, { release: record, deployment }),
      h(Flex, { gap: 3, wrap: "wrap", fontSize: "sm", mt: 1 },
        h(To, { to: runPath(record.dag_id, record.run_id) }, "see the run"),
        data.data_docs.map((docs) => h(Out, { key: docs.href, href: docs.href }, `Data Docs of ${words(docs.task)}`)))),
    h(Flex, { gap: 2, align: "center", mb: 4, wrap: "wrap" },
      h("label", { htmlFor: field }, "Compare with release"),
      h(Input, { id: field, type: "number", min: 1, w: "6rem", defaultValue: other ?? "",
        onChange: (event) => setQuery(event.target.value ? { with: event.target.value } : {},
          { replace: true }) })),
    data.compared && h(Changes, { title: `Differences from #${other}`, changes: data.compared,
      none: "Nothing differs." }),
    h(Stages, { stages: data.stages }),
    h(Verdicts, { looks: data.verdicts }),
    data.plan && h(Changes, { title: "Plan", changes: data.plan.differences ?? [],
      none: data.plan.summary ?? "Nothing was to be changed." }),
    data.facts && h(Facts, { facts: data.facts }));
}

// The page "Endpoints": Airflow imports this module and draws the global of the plugin's name.
import { chakra, h, useParams } from "./host.js";
import { List } from "./list.js";
import { One } from "./one.js";
import { Release } from "./release.js";

function Endpoints() {
  const [deployment, sequence] = (useParams()["*"] ?? "").split("/").filter(Boolean);
  const page = !deployment ? h(List)
    : sequence ? h(Release, { key: `${deployment}/${sequence}`, deployment, sequence: Number(sequence) })
      : h(One, { key: deployment, deployment });
  return h(chakra.Box, { as: "main", p: { base: 2, md: 4 }, overflowY: "auto", h: "100%", tabIndex: 0,
    "aria-label": "Endpoints" }, page);
}

globalThis.Endpoints = Endpoints;

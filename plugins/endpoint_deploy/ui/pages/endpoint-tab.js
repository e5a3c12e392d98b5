// The tab "Endpoint" of a deployment's DAGs.
import { belonging, chakra, h } from "./host.js";
import { One } from "./one.js";
import { Muted } from "./parts.js";

function Endpoint({ dagId }) {
  const { deployment } = belonging(dagId);
  return h(chakra.Box, { p: { base: 2, md: 4 } },
    deployment ? h(One, { key: deployment, deployment, heading: "h2" })
      : h(Muted, null, "This DAG belongs to no deployment."));
}

globalThis.Endpoint = Endpoint;

// What Airflow's page offers its plugins as globals: nothing is bundled, and nothing comes from elsewhere.
export const { createElement: h, useEffect, useId, useRef, useState } = globalThis.React;
export const chakra = globalThis.ChakraUI;
export const { Link: RouterLink, useParams, useSearchParams } = globalThis.ReactRouterDOM;

/** An address below Airflow's own, which may have a path. */
export const address = (path) => new URL(path, document.baseURI).href;

export const deploymentPath = (key) => `/plugin/endpoints/${encodeURIComponent(key)}`;
export const releasePath = (key, sequence) => `${deploymentPath(key)}/${sequence}`;
/** A deployment's DAG: its kind and the deployment; none of another DAG. */
export const belonging = (dagId) => {
  const found = /^(deploy|rollback|teardown|freeze|retrain|batch_transform|sentinel)__(.+__.+)$/.exec(dagId ?? "");
  return found ? { kind: found[1], deployment: found[2] } : {};
};
export const runPath = (dagId, runId) =>
  `/dags/${encodeURIComponent(dagId)}/runs/${encodeURIComponent(runId)}`;

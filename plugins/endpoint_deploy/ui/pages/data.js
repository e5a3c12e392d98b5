// Reading the plugin's data, and starting DAGs through Airflow's public API with the user's own rights.
import { address, useEffect, useState } from "./host.js";

const REFRESH_MILLISECONDS = 4000;

async function answerOf(response) {
  if (response.ok) return response.json();
  if (response.status === 401) throw new Error("You are logged out. Load the page again to log in.");
  const said = await response.json().catch(() => ({}));
  const detail = typeof said.detail === "string" ? said.detail : JSON.stringify(said.detail ?? "");
  throw new Error(`Airflow answered ${response.status}${detail ? `: ${detail}` : ""}`);
}

const ours = async (path, signal) => answerOf(await fetch(address(`endpoint-deploy/${path}`), { signal }));

/** What a task returned, `{ value }`; null where it returned nothing, or not yet. */
export async function returned(path, signal) {
  const response = await fetch(address(`api/v2/${path}/xcomEntries/return_value`), { signal });
  return response.status === 404 ? { value: null } : answerOf(response);
}

/**
 * What the plugin answers at a path, asked again every few seconds while somebody looks; null asks nothing.
 * from: who is asked instead of the plugin, by the path and a signal that ends the question.
 */
export function usePolled(path, pause = REFRESH_MILLISECONDS, from = ours) {
  const [state, setState] = useState({});
  useEffect(() => {
    if (path === null) return undefined;
    const controller = new AbortController();
    let timer;
    const ask = async () => {
      clearTimeout(timer);
      if (document.visibilityState === "visible") {
        try {
          const data = await from(path, controller.signal);
          if (!controller.signal.aborted) setState({ path, data, at: Date.now() });
        } catch (error) {
          if (controller.signal.aborted) return;
          setState((old) => ({ ...old, error: error.message }));
        }
      }
      if (!controller.signal.aborted) timer = setTimeout(ask, pause);
    };
    const looked = () => document.visibilityState === "visible" && ask();
    document.addEventListener("visibilitychange", looked);
    ask();
    return () => {
      controller.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", looked);
    };
  }, [path]);
  return state;
}

/** Start a run; its id. Airflow refuses what the user may not. */
export async function trigger(dagId, conf) {
  const response = await fetch(address(`api/v2/dags/${encodeURIComponent(dagId)}/dagRuns`), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ logical_date: null, conf }),
  });
  return (await answerOf(response)).dag_run_id;
}

// What clients have had of an endpoint: requests, errors and latencies, drawn and said.
import { chakra, h } from "./host.js";
import { Sparkline } from "./charts.js";
import { Muted } from "./parts.js";
import { milliseconds, percent, rate } from "./words.js";

const { Box, Text } = chakra;
const LEAST_SHARE = 0.01; // the scale of errors reaches 1 % at least: a single one fills no chart

const sum = (values) => values.reduce((all, each) => all + each, 0);

/** A quantile of the whole time: the periods' own, weighed by their requests. */
function weighed(values, requests) {
  const known = values.map((value, index) => [value, requests[index]]).filter(([value]) => value !== null);
  const all = sum(known.map(([, weight]) => weight));
  return all ? sum(known.map(([value, weight]) => value * weight)) / all : null;
}

export const rates = (traffic) => traffic.requests.map((each) => each / traffic.period_seconds);
export const shares = (traffic) =>
  traffic.requests.map((each, index) => (each ? traffic.errors[index] / each : null));

const RECENT = 5; // periods
const SHORTEST = 10; // periods that a small chart shows at least

/** Requests a second of late: since the first one at most, and of what is complete if that holds any. */
function ofLate({ requests, complete, period_seconds: period }) {
  const first = requests.findIndex((each) => each > 0);
  const some = first < complete ? requests.slice(Math.max(first, complete - RECENT), complete) : requests.slice(first);
  return sum(some) / (some.length * period);
}

/** From a little before the first request on: what serves since two minutes has no hour to show. */
function begun(traffic) {
  const first = Math.max(0, traffic.requests.findIndex((each) => each > 0) - 1);
  const skip = Math.min(first, traffic.requests.length - SHORTEST);
  const rest = Object.fromEntries(["requests", "errors", "p50_ms", "p95_ms"].map((key) =>
    [key, traffic[key].slice(skip)]));
  return { ...traffic, ...rest, complete: Math.max(0, traffic.complete - skip) };
}

/** The figures of all of the periods together, but for the rate, which is that of late. */
export function figures(traffic) {
  const requests = sum(traffic.requests);
  const errors = sum(traffic.errors);
  return { requests, errors, share: requests ? errors / requests : null,
    perSecond: requests ? ofLate(traffic) : 0,
    p50: weighed(traffic.p50_ms, traffic.requests), p95: weighed(traffic.p95_ms, traffic.requests) };
}

function Small({ said, figure, children }) {
  return h(Box, null,
    h(Text, { fontSize: "xs", color: "fg.muted", truncate: true }, said, " ",
      h(Box, { as: "span", color: "fg", fontWeight: "medium" }, figure)), children);
}

/** A deployment's last hour, in three small charts. */
export function SmallCharts({ traffic: hour }) {
  if (!hour) return h(Box, { display: { base: "none", xl: "block" } });
  const { requests, share, perSecond, p50, p95 } = figures(hour);
  if (!requests) return h(Muted, null, "no requests in the last hour");
  const traffic = begun(hour);
  const { complete } = traffic;
  const latency = `p50 ${milliseconds(p50)}, p95 ${milliseconds(p95)}`;
  return h(Box, { "data-traffic": true, display: "grid", gap: 3, gridTemplateColumns: "repeat(3, minmax(0, 1fr))" },
    h(Small, { said: "Requests", figure: rate(perSecond) },
      h(Sparkline, { label: `Requests in the last hour: ${requests}, of late ${rate(perSecond)}`,
        series: [[rates(traffic), "blue.solid"]], complete })),
    h(Small, { said: "Errors", figure: percent(share) },
      h(Sparkline, { label: `Errors in the last hour: ${percent(share)} of the requests`, least: LEAST_SHARE,
        series: [[shares(traffic), share ? "red.solid" : "green.solid"]], complete })),
    h(Small, { said: "p95", figure: milliseconds(p95) },
      h(Sparkline, { label: `Model latency in the last hour: ${latency}`,
        series: [[traffic.p95_ms, "purple.solid"], [traffic.p50_ms, "teal.solid"]], complete })));
}

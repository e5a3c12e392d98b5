// The traffic of one deployment over time, with its releases and rollbacks marked on it.
import { chakra, h, releasePath, useState } from "./host.js";
import { highest, Line, Picture } from "./charts.js";
import { Choice } from "./choice.js";
import { usePolled } from "./data.js";
import { Freshness, Muted, State, Time, To } from "./parts.js";
import { figures, rates, shares } from "./traffic.js";
import { milliseconds, percent, rate } from "./words.js";

const { Box, Flex, Heading, Text } = chakra;
const SPANS = { hour: "last hour", "3-hours": "last three hours", day: "last day", week: "last week" };
const REFRESH_MILLISECONDS = 20_000;
const WIDTH = 600;
const HEIGHT = 80;
const LEAST_SHARE = 0.01; // the scale of errors reaches 1 % at least
const TONES = { released: "green.solid", torn_down: "gray.solid" };
const tone = (release) => TONES[release.outcome] ?? "orange.solid";

const upright = { y1: 0, y2: HEIGHT, stroke: "currentColor", vectorEffect: "non-scaling-stroke" };

/** The releases that ended within the time that is drawn, each with its place from 0 to 1. */
function marked(traffic, timeline) {
  const began = Date.parse(traffic.began) / 1000;
  const last = traffic.requests.length - 1;
  return timeline.map((release) => ({ release,
    // A figure stands at the middle of its period.
    place: ((Date.parse(release.finished_at) / 1000 - began) / traffic.period_seconds - 0.5) / last }))
    .filter(({ place }) => place >= 0).map((each) => ({ ...each, place: Math.min(1, each.place) }));
}

function Chart({ title, figure, legend, label, series, top, said, complete, marks, at, point }) {
  const seek = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const place = (event.clientX - box.left) / box.width;
    point(Math.max(0, Math.min(1, place)));
  };
  return h(Box, { mb: 3 },
    h(Flex, { justify: "space-between", gap: 2, wrap: "wrap" },
      h(Text, { fontSize: "sm" }, `${title} `, h(Box, { as: "span", fontWeight: "medium" }, figure), legend),
      h(Muted, { fontSize: "xs" }, `to ${said(top)}`)),
    h(Box, { borderBottomWidth: "1px", onPointerMove: seek, onPointerLeave: () => point(null) },
      h(Picture, { label, width: WIDTH, height: HEIGHT, h: `${HEIGHT}px` },
        marks.map(({ release, place }) => h(Box, { as: "g", key: release.sequence, color: tone(release) },
          h("line", { ...upright, x1: place * WIDTH, x2: place * WIDTH, strokeWidth: 2 }))),
        series.map(([values, color], index) => h(Line, { key: color, values, top, complete, color, area: index === 0,
          width: WIDTH, height: HEIGHT })),
        at !== null && h(Box, { as: "g", color: "fg.muted" },
          h("line", { ...upright, x1: at * WIDTH, x2: at * WIDTH, strokeWidth: 1 })))));
}

const Key = ({ color, children }) => h(Flex, { as: "span", display: "inline-flex", align: "center", gap: 1, ml: 2 },
  h(Box, { as: "span", "aria-hidden": true, w: "10px", h: "3px", bg: color, borderRadius: "sm" }), children);

function Axis({ traffic, span }) {
  const began = Date.parse(traffic.began);
  const length = traffic.requests.length * traffic.period_seconds * 1000;
  const form = span === "week" ? { weekday: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit" };
  return h(Flex, { justify: "space-between" }, [0, 0.5, 1].map((part) =>
    h(Muted, { key: part, fontSize: "xs" }, new Date(began + part * length).toLocaleString([], form))));
}

/** What was at one moment, in words; of all of the time where none is pointed at. */
function Readout({ traffic, at }) {
  if (at === null) return h(Muted, { fontSize: "xs" }, "Point at a chart to read its figures.");
  const index = Math.round(at * (traffic.requests.length - 1));
  const moment = new Date(Date.parse(traffic.began) + index * traffic.period_seconds * 1000);
  const asked = traffic.requests[index];
  return h(Muted, { fontSize: "xs" }, `${moment.toLocaleString()}: ${rate(asked / traffic.period_seconds)}`
    + (asked ? `, ${percent(traffic.errors[index] / asked)} errors, p50 ${milliseconds(traffic.p50_ms[index])}, `
      + `p95 ${milliseconds(traffic.p95_ms[index])}` : ""));
}

function Charts({ traffic, timeline, deployment, span }) {
  const [at, point] = useState(null);
  const { requests, share, perSecond, p50, p95 } = figures(traffic);
  const marks = marked(traffic, timeline);
  const of = `in the ${SPANS[span]}`;
  const also = marks.length ? `; marked: ${marks.map(({ release }) =>
    `release ${release.sequence} ${release.outcome.replaceAll("_", " ")}`).join(", ")}` : "";
  const common = { complete: traffic.complete, marks, at, point };
  const latency = [[traffic.p95_ms, "purple.solid"], [traffic.p50_ms, "teal.solid"]];
  return h(Box, null,
    h(Chart, { ...common, title: "Requests", figure: rate(perSecond), said: rate,
      label: `Requests ${of}: ${requests}, of late ${rate(perSecond)}${also}`,
      series: [[rates(traffic), "blue.solid"]], top: highest(rates(traffic)) }),
    h(Chart, { ...common, title: "Errors", figure: share === null ? "" : percent(share), said: percent,
      label: `Errors ${of}: ${share === null ? "none, nobody asked" : `${percent(share)} of the requests`}`,
      series: [[shares(traffic), "red.solid"]], top: Math.max(LEAST_SHARE, highest(shares(traffic))) }),
    h(Chart, { ...common, title: "Model latency", figure: "", said: milliseconds,
      legend: [h(Key, { key: "p95", color: "purple.solid" }, `p95 ${milliseconds(p95)}`),
        h(Key, { key: "p50", color: "teal.solid" }, `p50 ${milliseconds(p50)}`)],
      label: `Model latency ${of}: p50 ${milliseconds(p50)}, p95 ${milliseconds(p95)}`,
      series: latency, top: highest(traffic.p95_ms, traffic.p50_ms) }),
    h(Axis, { traffic, span }), h(Readout, { traffic, at }),
    marks.length > 0 && h(Flex, { as: "ul", "aria-label": "Marked releases", listStyleType: "none", gap: 3,
      wrap: "wrap", mt: 2 }, marks.map(({ release }) =>
      h(Flex, { as: "li", key: release.sequence, gap: 1, align: "center", fontSize: "sm" },
        h(Box, { "aria-hidden": true, w: "3px", h: "14px", bg: tone(release) }),
        h(To, { to: releasePath(deployment, release.sequence) }, `#${release.sequence} ${release.kind}`),
        h(State, { value: release.outcome }), h(Muted, null, h(Time, { iso: release.finished_at }))))));
}

/** The section "Traffic" of a deployment. */
export function TrafficPanel({ row }) {
  const [span, setSpan] = useState("hour");
  const path = `endpoints/${encodeURIComponent(row.key)}/traffic?span=${span}`;
  const { data, error, path: drawn } = usePolled(path, REFRESH_MILLISECONDS);
  const traffic = drawn === path ? data?.traffic : null;
  const asked = traffic && figures(traffic).requests > 0;
  return h(Box, { as: "section", "aria-label": "Traffic", mb: 5 },
    h(Flex, { justify: "space-between", align: "end", gap: 3, wrap: "wrap", mb: 2 },
      h(Heading, { as: "h2", size: "md" }, "Traffic"),
      h(Box, { maxW: "14rem" }, h(Choice, { label: "Time", value: span, options: SPANS, onChange: setSpan }))),
    h(Freshness, { data, error, what: "The charts", said: row.problems }),
    data && !asked && h(Muted, null, `no requests in the ${SPANS[span]}`),
    asked && h(Charts, { traffic, timeline: row.timeline, deployment: row.key, span }));
}

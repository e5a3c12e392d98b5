// What a release was judged by: each metric's effect and its interval, drawn against what is tolerated.
import { chakra, h } from "./host.js";
import { Picture } from "./charts.js";
import { Muted, Out, State } from "./parts.js";
import { duration, percent, words } from "./words.js";

const { Box, Flex, Heading, Text } = chakra;
const WIDTH = 400;
const HEIGHT = 24;
const figure = (value) => String(Number(value.toPrecision(3)));

/** How a metric is drawn: its effect, from which bound on it is worse, and how a value is said. */
function scaleOf(numbers) {
  const { effect, gain, low = null, high = null, tolerated, unacceptable, least_difference: wanted } = numbers;
  if (gain !== undefined) {
    const reach = 1.2 * Math.max(...[gain, low, high, wanted].filter((each) => each !== null).map(Math.abs), 1e-9);
    return { value: gain, low, high, from: -reach, to: reach, place: (each) => each,
      said: (each) => `${figure(each)} points`, bounds: [[0, "no difference"], [wanted, "wanted"]],
      tones: ["red", "yellow", "green"] };
  }
  if (effect === undefined || tolerated === undefined) return null;
  if (unacceptable > 1) { // a ratio: twice as much lies as far from alike as half as much
    const from = Math.max(0.1, Math.min(0.5, effect, low ?? effect) * 0.9);
    return { value: effect, low, high, from, to: Math.max(unacceptable, effect, high ?? effect) * 1.25,
      place: (each) => Math.log(Math.max(each, from)), said: (each) => `${figure(each)}×`,
      bounds: [[tolerated, "tolerated"], [unacceptable, "unacceptable"]], tones: ["green", "yellow", "red"] };
  }
  return { value: effect, low, high, from: 0, to: Math.min(1, 1.25 * Math.max(unacceptable, effect, high ?? effect)),
    place: (each) => each, said: figure,
    bounds: [[tolerated, "tolerated"], [unacceptable, "unacceptable"]], tones: ["green", "yellow", "red"] };
}

function Scale({ metric, numbers }) {
  const scale = scaleOf(numbers);
  if (!scale) return null;
  const [begin, end] = [scale.place(scale.from), scale.place(scale.to)];
  const x = (value) => Math.max(0, Math.min(WIDTH, ((scale.place(value) - begin) / (end - begin)) * WIDTH));
  const edges = [0, ...scale.bounds.map(([value]) => x(value)), WIDTH];
  const between = scale.low === null && scale.high === null ? ""
    : `, between ${scale.low === null ? "any" : scale.said(scale.low)} and ${
      scale.high === null ? "any" : scale.said(scale.high)}`;
  const bounds = scale.bounds.map(([value, name]) => `${name} ${scale.said(value)}`).join(", ");
  const bar = { stroke: "currentColor", vectorEffect: "non-scaling-stroke", y1: HEIGHT / 2, y2: HEIGHT / 2 };
  const tick = { ...bar, strokeWidth: 2 };
  const [left, right] = [scale.low === null ? 0 : x(scale.low), scale.high === null ? WIDTH : x(scale.high)];
  return h(Box, { maxW: "40rem", my: 1 },
    h(Picture, { label: `${metric}: ${scale.said(scale.value)}${between}; ${bounds}`, width: WIDTH, height: HEIGHT,
      h: `${HEIGHT}px` },
    scale.tones.map((tone, index) => h(Box, { as: "g", key: tone, color: `${tone}.solid` },
      h("rect", { x: edges[index], width: Math.max(0, edges[index + 1] - edges[index]), y: 4, height: HEIGHT - 8,
        fill: "currentColor", fillOpacity: 0.25 }))),
    h(Box, { as: "g", color: "fg" },
      between && h("line", { ...bar, x1: left, x2: right, strokeWidth: 2 }),
      scale.low !== null && h("line", { ...tick, x1: left, x2: left, y1: 7, y2: HEIGHT - 7 }),
      scale.high !== null && h("line", { ...tick, x1: right, x2: right, y1: 7, y2: HEIGHT - 7 }),
      h("line", { ...tick, strokeWidth: 4, x1: x(scale.value), x2: x(scale.value), y1: 3, y2: HEIGHT - 3 }))),
    h(Muted, { fontSize: "xs", "aria-hidden": true },
      `${scale.said(scale.value)}${between} · ${bounds}`));
}

const SIDES = [["candidate", "blue.solid"], ["champion", "orange.solid"]];
const LINE = 12; // of each side, in units of the picture

/** Quantiles of both sides on one scale: a line from the first to the last, a box for the middle half, its median. */
function Quantiles({ metric, spread }) {
  const all = [...spread.candidate, ...spread.champion];
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const x = (value) => (most > least ? ((value - least) / (most - least)) * WIDTH : WIDTH / 2);
  const said = SIDES.map(([side]) => `${side} ${spread.levels.map((level, index) =>
    `p${figure(level * 100)} ${figure(spread[side][index])}`).join(", ")}`);
  return h(Box, { maxW: "40rem", my: 1 },
    h(Picture, { label: `${metric}, spread: ${said.join("; ")}`, width: WIDTH, height: SIDES.length * LINE,
      h: `${SIDES.length * LINE}px` }, SIDES.map(([side, color], row) => {
      const [low, first, median, third, high] = spread[side].map(x);
      const middle = (row + 0.5) * LINE;
      const line = { stroke: "currentColor", vectorEffect: "non-scaling-stroke" };
      return h(Box, { as: "g", key: side, color },
        h("line", { ...line, x1: low, x2: high, y1: middle, y2: middle }),
        h("rect", { x: first, width: Math.max(1, third - first), y: middle - 4, height: 8, fill: "currentColor",
          fillOpacity: 0.35 }),
        h("line", { ...line, strokeWidth: 3, x1: median, x2: median, y1: middle - 5, y2: middle + 5 }));
    })),
    said.map((each) => h(Muted, { key: each, fontSize: "xs", "aria-hidden": true }, each)));
}

/** The share of each class on both sides, as bars one below the other. */
function Shares({ metric, spread }) {
  const said = SIDES.map(([side]) => `${side} ${spread.labels.map((label, index) =>
    `${label} ${percent(spread[side][index])}`).join(", ")}`);
  return h(Box, { maxW: "40rem", my: 1 },
    h(Picture, { label: `${metric}, shares: ${said.join("; ")}`, width: WIDTH,
      height: spread.labels.length * 2 * LINE, h: `${spread.labels.length * 2 * LINE}px` },
    spread.labels.flatMap((label, index) => SIDES.map(([side, color], row) =>
      h(Box, { as: "g", key: `${label} ${side}`, color },
        h("rect", { x: 0, y: (2 * index + row) * LINE + 1, width: spread[side][index] * WIDTH, height: LINE - 3,
          fill: "currentColor", fillOpacity: 0.5 }))))),
    said.map((each) => h(Muted, { key: each, fontSize: "xs", "aria-hidden": true }, each)));
}

const MARKS = { dry_run: "dry run", must_pass: "need not pass" };

function Metric({ metric }) {
  const marks = Object.keys(MARKS).filter((each) => each in metric).map((each) => MARKS[each]);
  return h(Box, { as: "li", mb: 3 },
    h(Flex, { gap: 2, align: "center", wrap: "wrap" },
      h(Text, { fontWeight: "medium", fontSize: "sm" }, words(metric.metric)), h(State, { value: metric.verdict }),
      marks.length > 0 && h(Muted, null, marks.join(", "))),
    metric.numbers && h(Scale, { metric: words(metric.metric), numbers: metric.numbers }),
    metric.spread && h(metric.spread.labels ? Shares : Quantiles,
      { metric: words(metric.metric), spread: metric.spread }),
    h(Muted, { overflowWrap: "anywhere" }, metric.reason));
}

/** The last look at each stage. */
export function Verdicts({ looks }) {
  if (!looks?.length) return null;
  return h(Box, { as: "section", "aria-label": "Verdicts", mb: 5 },
    h(Heading, { as: "h2", size: "md", mb: 2 }, "Verdicts"),
    looks.map((look) => h(Box, { key: `${look.what} ${look.stage}`, borderWidth: "1px", borderRadius: "md", p: 3,
      mb: 3 },
      h(Flex, { gap: 2, align: "center", wrap: "wrap", mb: 2 },
        h(Heading, { as: "h3", size: "sm" }, `${look.what ?? "Analysis"} ${look.stage}`),
        h(State, { value: look.verdict }),
        h(Muted, null, `${look.looks} look${look.looks === 1 ? "" : "s"}, then ${words(look.way)}`),
        look.href && h(Out, { href: look.href }, "all looks")),
      h(Box, { as: "ul", listStyleType: "none", m: 0, p: 0 },
        look.metrics.map((metric) => h(Metric, { key: metric.metric, metric }))))));
}

/** The steps of the traffic and the watch: how far the release came. */
export function Stages({ stages }) {
  if (!stages?.length) return null;
  return h(Box, { as: "section", "aria-label": "Stages", mb: 5 },
    h(Heading, { as: "h2", size: "md", mb: 2 }, "Stages"),
    h(Box, { as: "ol", listStyleType: "none", m: 0, p: 0 }, stages.map((stage) => {
      const took = stage.began && stage.ended ? (Date.parse(stage.ended) - Date.parse(stage.began)) / 1000 : null;
      return h(Box, { as: "li", key: `${stage.task} ${stage.name}`, mb: 2, maxW: "40rem" },
        h(Flex, { gap: 2, align: "center", wrap: "wrap", fontSize: "sm" },
          h(Text, { fontWeight: "medium" }, stage.name === "watch" ? "watch" : `${stage.percent} % of the traffic`),
          h(State, { value: stage.outcome ?? "not over" }), took !== null && h(Muted, null, duration(took))),
        h(Box, { "aria-hidden": true, bg: "bg.emphasized", borderRadius: "sm", h: "6px", overflow: "hidden", my: 1 },
          h(Box, { bg: stage.outcome === "failed" ? "orange.solid" : "blue.solid", h: "100%",
            w: `${stage.percent}%` })),
        h(Muted, { overflowWrap: "anywhere" }, stage.reason));
    })));
}

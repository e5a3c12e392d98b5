// Small charts as SVG: each is a picture with a text that says its figures.
import { chakra, h } from "./host.js";

const { Box } = chakra;
const WIDTH = 100;
const HEIGHT = 30;
const MARGIN = 1.5; // half a line's width and a little: nothing is cut off at the edges

/** Where the values lie, as an SVG path each for every run without gaps; a value alone is a dot. */
export function runs(values, { top, width = WIDTH, height = HEIGHT, from = 0, to = values.length }) {
  const x = (index) => (values.length > 1 ? (index / (values.length - 1)) * width : width);
  const y = (value) => height - MARGIN - (Math.min(value, top) / (top || 1)) * (height - 2 * MARGIN);
  const found = [];
  let run = [];
  const end = () => { if (run.length) found.push(run); run = []; };
  for (let index = from; index < to; index += 1) {
    if (values[index] === null) end();
    else run.push([x(index), y(values[index])]);
  }
  end();
  return found.map((points) => ({ points, thick: points.length > 1 ? 1.5 : 3,
    line: points.length > 1 ? `M${points.map((each) => each.map((part) => part.toFixed(2)).join(" ")).join("L")}`
      : `M${points[0][0].toFixed(2)} ${points[0][1].toFixed(2)}h0.01` }));
}

export const highest = (...series) => Math.max(0, ...series.flat().filter((each) => each !== null));

const stroke = { fill: "none", stroke: "currentColor", strokeLinejoin: "round",
  strokeLinecap: "round", vectorEffect: "non-scaling-stroke" };

/** A line, with what is not complete yet in dashes, and the area below it where it is wished for. */
export function Line({ values, top, complete = values.length, color, area = false, ...size }) {
  const height = size.height ?? HEIGHT;
  const done = runs(values, { top, ...size, to: Math.min(complete, values.length) });
  const open = complete < values.length ? runs(values, { top, ...size, from: Math.max(0, complete - 1) }) : [];
  return h(Box, { as: "g", color },
    area && done.map(({ points, line }) => points.length > 1 && h("path", { key: line, stroke: "none",
      fill: "currentColor", fillOpacity: 0.14,
      d: `${line}L${points.at(-1)[0].toFixed(2)} ${height}L${points[0][0].toFixed(2)} ${height}Z` })),
    done.map(({ line, thick }) => h("path", { key: line, d: line, ...stroke, strokeWidth: thick })),
    open.map(({ line, thick }) =>
      h("path", { key: line, d: line, ...stroke, strokeWidth: thick, strokeDasharray: "2 3" })));
}

/** The picture around lines: as wide as there is room. */
export function Picture({ label, children, width = WIDTH, height = HEIGHT, h: tall = "30px", ...rest }) {
  return h(Box, { as: "svg", role: "img", "aria-label": label, viewBox: `0 0 ${width} ${height}`,
    preserveAspectRatio: "none", display: "block", w: "100%", h: tall, overflow: "visible", ...rest }, children);
}

/** One or two lines on a common scale. series: [values, colour] each; the first one gets its area filled. */
export function Sparkline({ label, series, complete, least = 0 }) {
  const top = Math.max(least, highest(...series.map(([values]) => values)));
  return h(Picture, { label },
    h(Box, { as: "line", color: "border", stroke: "currentColor", x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT,
      vectorEffect: "non-scaling-stroke" }),
    series.map(([values, color], index) =>
      h(Line, { key: color, values, top, complete, color, area: index === 0 })));
}

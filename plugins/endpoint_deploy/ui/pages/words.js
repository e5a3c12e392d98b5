// Numbers and times in words.
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

export function duration(seconds) {
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

/** "3 hours ago", "in 2 days". */
export function fromNow(iso) {
  const seconds = (Date.parse(iso) - Date.now()) / 1000;
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? UNITS.at(-1);
  const words = new Intl.RelativeTimeFormat("en", { numeric: "always" });
  return Math.abs(seconds) < 1 ? "now" : words.format(Math.trunc(seconds / size), unit);
}

export const moment = (iso) => new Date(iso).toLocaleString();
export const words = (name) => name.replaceAll("_", " ");
export const digest = (sha256) => (sha256 ? sha256.slice(0, 12) : "");
export const percent = (share) => `${Math.round(share * 1000) / 10} %`;

/** Requests a second, or a minute where there are few. */
export function rate(perSecond) {
  const [number, unit] = perSecond >= 1 || perSecond === 0 ? [perSecond, "s"] : [perSecond * 60, "min"];
  return `${number >= 100 ? Math.round(number) : Number(number.toPrecision(2))}/${unit}`;
}

export function milliseconds(value) {
  if (value === null) return "none";
  if (value >= 1000) return `${Number((value / 1000).toPrecision(3))} s`;
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(2))} ms`;
}

"use strict";
// Shows what /_local/stream says. All text goes in as text, never as markup.

const byId = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const GOOD = new Set(["InService", "Completed", "OK", "Ready"]);
const BAD = new Set(["Failed", "OutOfService", "UpdateRollbackFailed", "ALARM", "RollingBack"]);
const BUSY = new Set(["Creating", "Updating", "SystemUpdating", "Deleting", "InProgress", "Stopping", "Starting"]);

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

function drawing(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Makes an element what another is and keeps the nodes: a click, the focus and what is unfolded survive.
function patch(old, made) {
  if (old.nodeName !== made.nodeName) {
    old.replaceWith(made);
  } else if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== made.data) old.data = made.data;
  } else {
    for (const { name } of [...old.attributes]) if (name !== "open" && !made.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of made.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    patchChildren(old, [...made.childNodes]);
  }
}

function patchChildren(old, children) {
  children.forEach((child, at) => {
    const name = child.dataset?.name;
    const match = name ? [...old.children].find((each) => each.dataset.name === name) : old.childNodes[at];
    if (!match) {
      old.insertBefore(child, old.childNodes[at] ?? null);
      return;
    }
    if (old.childNodes[at] !== match) old.insertBefore(match, old.childNodes[at]);
    patch(match, child);
  });
  while (old.childNodes.length > children.length) old.lastChild.remove();
}

const kind = (status) => (GOOD.has(status) ? "good" : BAD.has(status) ? "bad" : BUSY.has(status) ? "busy" : "");
const state = (status) => element("span", { class: `state ${kind(status)}` }, status);
const soft = (...children) => element("div", { class: "soft" }, ...children);
const number = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)).replace(/\.0+$/, "");
const percent = (share) => `${number(share * 100)} %`;

function when(seconds) {
  if (seconds === null || seconds === undefined) return "";
  const date = new Date(seconds * 1000);
  return element("time", { datetime: date.toISOString(), title: date.toLocaleString() }, ago(seconds));
}

function ago(seconds) {
  const age = Math.max(0, Date.now() / 1000 - seconds);
  if (age < 60) return `${Math.floor(age)} s ago`;
  if (age < 3600) return `${Math.floor(age / 60)} min ago`;
  return age < 86400 ? `${Math.floor(age / 3600)} h ago` : `${Math.floor(age / 86400)} d ago`;
}

function spark(label, values, shown, extra) {
  const most = Math.max(...values.map((value) => value || 0), 1e-9);
  const points = values.map((value, at) => `${(at / (values.length - 1)) * 100},${19 - ((value || 0) / most) * 18}`);
  const box = { viewBox: "0 0 100 20", preserveAspectRatio: "none", role: "img", "aria-label": `${label}: ${shown}` };
  const svg = drawing("svg", box, drawing("polyline", { points: points.join(" ") }));
  return element("figure", { class: extra }, element("figcaption", { class: "soft" }, `${label} ${shown}`), svg);
}

function sparks(rates) {
  if (!rates) return null;
  return element("div", { class: "sparks" },
    spark("requests", rates.requests, `${number(rates.per_second)}/s`),
    spark("errors", rates.errors, percent(rates.error_share), "errors"),
    spark("p90", rates.p90_ms, rates.p90 === null ? "–" : `${number(rates.p90)} ms`));
}

const logButton = (log, text) => element("button", { "data-log": log, title: `Log ${log}` }, text);

function process(found) {
  const flight = found.requests ? ` · ${found.requests} in flight` : "";
  return logButton(found.log_name, `${found.container ? `${found.container} · ` : ""}pid ${found.pid ?? "–"}${flight}`);
}

function variant(found) {
  const facts = [`weight ${number(found.weight)}`, `model ${found.model}`, found.serverless ? "serverless" : `${found.instances} of ${found.desired} instances`];
  if (found.replaced) facts.push(`${found.replaced} replaced`);
  return element("div", { class: "variant" },
    element("div", { class: "bar" }, element("strong", {}, found.name, found.shadow ? " (shadow)" : "", found.fleet ? `, ${found.fleet} fleet` : ""), element("span", { class: "soft" }, found.shadow ? "copies only" : `${percent(found.share)} of requests`)),
    share(found.share),
    soft(facts.join(" · ")), soft(`configuration ${found.config}`), found.stage ? soft(found.stage) : null,
    sparks(found.rates), element("div", { class: "chips" }, found.replicas.map(process)));
}

function share(part) {
  const box = { class: "share", viewBox: "0 0 100 1", preserveAspectRatio: "none", role: "img", "aria-label": `${percent(part)} of requests` };
  return drawing("svg", box, drawing("rect", { width: part * 100, height: 1 }));
}

function endpoint(found) {
  return element("article", { class: "card", "data-name": found.name },
    element("div", { class: "bar" }, element("h3", {}, found.name), state(found.status)),
    soft(`configuration ${found.config} · changed `, when(found.modified)),
    found.failure_reason ? element("p", { class: "reason" }, found.failure_reason) : null,
    found.variants.map(variant),
    found.logs.length ? element("details", {}, element("summary", { class: "soft" }, `all logs (${found.logs.length})`), element("div", { class: "chips" }, found.logs.map((log) => logButton(log, log.split("/").pop())))) : null);
}

function table(titles, rows) {
  return element("div", { class: "wide" }, element("table", {},
    element("thead", {}, element("tr", {}, titles.map((title) => element("th", {}, title)))),
    element("tbody", {}, rows.map((row) => element("tr", {}, row.map((cell) => element("td", {}, ...[cell].flat())))))));
}

const reason = (text) => (text ? element("div", { class: "reason" }, text) : null);

const SHOWN = {
  endpoints: (found) => (found.length ? found.map(endpoint) : [element("p", { class: "soft" }, "No endpoints yet.")]),
  jobs: (found) => [table(["Job", "Kind", "Status", "Created", "Logs"], found.map((job) => [
    [job.name, reason(job.failure_reason)], job.kind, [state(job.status), soft(job.secondary_status)], when(job.created),
    element("div", { class: "chips" }, job.logs.map((log) => logButton(log, log.split("/").pop()))),
  ]))],
  alarms: (found) => [table(["Alarm", "State", "Since", "Why"], found.map((alarm) => [alarm.name, state(alarm.state), when(alarm.since), alarm.reason]))],
  targets: (found) => [table(["Variant", "Least", "Most"], found.map((target) => [target.resource, `${target.minimum}`, `${target.maximum}`]))],
  faults: (found) => [table(["Fault", "Where and how often", "Seen", "Hit", ""], found.map((fault) => [
    [fault.id, soft(fault.fault)], fault.members, `${fault.seen}`, `${fault.hits}`,
    [fault.in_force ? "" : soft("spent"), element("button", { "data-fault": fault.id }, "Remove")],
  ]))],
  quotas: (found) => [table(["Quota", "In use", "Limit"], found.map((quota) => [quota.name, `${quota.in_use}`, `${quota.limit}`]))],
  changes: (found) => [table(["When", "What", "State"], found.map((change) => [when(change.time), [change.resource, soft(change.kind)], change.state ? state(change.state) : ""]))],
};

const drawn = {};

function draw(overview) {
  byId("server").textContent = `region ${overview.server.region} · account ${overview.server.account} · time scale ${number(overview.server.time_scale)} · state in ${overview.server.state_dir}`;
  for (const [name, show] of Object.entries(SHOWN)) {
    const found = overview[name] || [];
    const said = JSON.stringify(found);
    if (drawn[name] === said) continue;
    drawn[name] = said;
    const place = byId(name);
    patchChildren(place, show(found));
    place.closest("section").hidden = name !== "endpoints" && !found.length;
  }
}

function connect() {
  const stream = new EventSource("/_local/stream");
  const said = (text) => { byId("connection").textContent = text; };
  stream.onopen = () => said("live");
  stream.onerror = () => said("not connected; trying again");
  stream.onmessage = (message) => draw(JSON.parse(message.data));
}

async function remove(id) {
  await fetch(`/_local/faults/${encodeURIComponent(id)}`, { method: "DELETE" });
}

let reading = null;

async function openLog(name) {
  byId("log-name").textContent = name;
  const text = byId("log-text");
  text.textContent = "";
  byId("log").showModal();
  reading?.abort();
  reading = new AbortController();
  try {
    const answer = await fetch(`/_local/logs/${name.split("/").map(encodeURIComponent).join("/")}?follow=1`, { signal: reading.signal });
    const parts = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await parts.read(); !part.done; part = await parts.read()) {
      text.append(part.value);
      if (byId("follow").checked) text.scrollTop = text.scrollHeight;
    }
  } catch (error) {
    if (error.name !== "AbortError") text.append(`\n(${error.message})`);
  }
}

document.addEventListener("click", (event) => {
  const { log, fault } = event.target.dataset ?? {};
  if (log) openLog(log);
  if (fault) remove(fault);
});
byId("close").addEventListener("click", () => byId("log").close());
byId("log").addEventListener("close", () => reading?.abort());
setInterval(() => {
  for (const each of document.querySelectorAll("time")) each.textContent = ago(Date.parse(each.dateTime) / 1000);
}, 1000);
draw(JSON.parse(byId("first").textContent));
connect();

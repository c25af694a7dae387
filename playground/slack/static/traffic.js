// Every request between Slack and the app, newest first. Each one can be expanded to show the request and the response.

import { get, h, post, toast } from "./dom.js";

const names = new Map();
let shown = [];
let last = 0;
let following = null;
let paused = false;
let app = "app";

const list = h("ol", { class: "exchanges" });
const nothing = h("p", { class: "empty" }, "Nothing yet. Type a command to see the requests it causes.");
const words = h("input", { type: "search", placeholder: "Filter by name or person", "aria-label": "Filter by name, person or error",
  oninput: () => filter() });
const pause = h("button", { type: "button", class: "button", "aria-pressed": "false", onclick: () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  pause.textContent = paused ? "Continue" : "Pause";
  if (paused) stop();
  else start();
} }, "Pause");
const clear = h("button", { type: "button", class: "button", onclick: async () => {
  await post("traffic/clear", {});
  shown = [];
  list.replaceChildren();
  filter();
} }, "Clear");
const box = h("div", { class: "traffic" }, h("div", { class: "panel-tools" }, words, pause, clear), list, nothing);

function filter() {
  const wanted = words.value.trim().toLowerCase();
  let visible = 0;
  for (const one of shown) {
    one.row.hidden = !one.text.includes(wanted);
    visible += one.row.hidden ? 0 : 1;
  }
  nothing.hidden = visible > 0;
  nothing.textContent = shown.length ? "Nothing matches." : "Nothing yet. Type a command to see the requests it causes.";
}

function verdict(one) {
  const status = one.status === null ? "" : `${one.status} `;
  const quick = one.milliseconds < 100 ? one.milliseconds.toFixed(1) : Math.round(one.milliseconds).toLocaleString("en");
  return `${status}${one.error ?? ""}`.trim() + ` · ${quick} ms`;
}

function pretty(side) {
  const text = typeof side.body === "string" ? side.body : JSON.stringify(side.body, null, 2);
  const head = Object.entries(side.headers).map(([name, value]) => `${name}: ${value}`).join("\n");
  return h("pre", { tabindex: "0" }, [head, text || "(empty)"].filter(Boolean).join("\n\n"));
}

async function open(one, place) {
  if (place.childNodes.length) return;
  const found = await get(`traffic/${one.number}`, {});
  if (!found.ok) {
    place.replaceChildren(h("p", { class: "empty" }, "This one is no longer kept. Only the last 500 are."));
    return;
  }
  place.replaceChildren(h("p", { class: "path" }, found.path), h("h3", {}, "Request"), pretty(found.request),
    h("h3", {}, "Answer"), pretty(found.answer));
}

function draw(one) {
  const toApp = one.direction === "to_app";
  const person = names.get(one.person) ?? one.person;
  const way = toApp ? `Slack → ${app}` : `${app} → Slack`;
  const place = h("div", { class: "exchange" });
  const details = h("details", { ontoggle: () => { if (details.open) open(one, place); } },
    h("summary", {},
      h("span", { class: `way ${one.direction}` }, way), h("span", { class: "what" }, one.name),
      h("span", { class: `verdict${one.error ? " wrong" : ""}` }, verdict(one)),
      h("span", { class: "about" }, [person, new Date(one.at * 1000).toLocaleTimeString()].filter(Boolean).join(" · "))),
    place);
  return { number: one.number, row: h("li", {}, details), text: `${way} ${one.name} ${person} ${verdict(one)}`.toLowerCase() };
}

async function learn(news) {
  if (news.every((one) => !one.person || names.has(one.person))) return;
  for (const person of (await get("people", {})).people) names.set(person.id, person.real_name);
}

function take(answer) {
  last = answer.last;
  app = answer.app;
  const kept = shown.filter((one) => one.number >= answer.first);
  for (const one of shown) if (one.number < answer.first) one.row.remove();
  const news = answer.exchanges.map(draw).reverse();
  shown = [...news, ...kept];
  list.prepend(...news.map((one) => one.row));
  filter();
}

async function start() {
  if (following || paused) return;
  const mine = new AbortController();
  following = mine;
  let query = { after: last };
  while (!mine.signal.aborted) {
    try {
      const answer = await get("traffic", query, mine.signal);
      await learn(answer.exchanges);
      if (mine.signal.aborted) return;
      take(answer);
      query = { after: last, wait: 1 };
    } catch {
      if (mine.signal.aborted) return;
      toast("The local Slack does not answer. Trying again.");
      await new Promise((resolve) => { setTimeout(resolve, 2000); });
    }
  }
}

function stop() {
  following?.abort();
  following = null;
}

export const traffic = { box, start, stop };

// The servers around Slack: their statistics, switches for their faults, the app's process, and a simulated class.

import { get, h, post, settle, toast } from "./dom.js";

const LOOK_EVERY = 1000;
const box = h("div", { class: "backstage" });
let timer = 0;
let looking = false;
let drawn = new Map();

async function act(what, told) {
  const answer = await post(`backstage/${what}`, told);
  if (!answer.ok) toast(answer.message ?? `That didn't work: ${answer.error}`);
  await look();
}

// Keep one node per name, and update only what has changed, so that no node loses the focus.
function keep(name, make) {
  if (!drawn.has(name)) drawn.set(name, make());
  return drawn.get(name);
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function fact(server, name, label, value) {
  const node = keep(`${server}/${name}`, () => {
    const held = h("dd", {});
    return { box: h("div", {}, h("dt", {}, label), held), held };
  });
  write(node.held, value);
  return node.box;
}

function toggle(server, one) {
  const node = keep(`${server.name}/switch/${one.name}`, () => {
    const made = h("button", { type: "button", class: "switch", title: one.explains, onclick: () => act("switch",
      { server: server.name, name: one.name, on: made.getAttribute("aria-pressed") !== "true" }) }, one.label);
    return made;
  });
  node.setAttribute("aria-pressed", String(one.on));
  return node;
}

function drawServer(server) {
  const card = keep(server.name, () => {
    const made = { facts: h("dl", {}), switches: h("div", { class: "switches", role: "group", "aria-label": `Faults of ${server.title}` }),
      note: h("p", { class: "note", role: "status" }) };
    made.box = h("section", { class: "server", "aria-label": server.title }, h("h3", {}, server.title), made.facts, made.switches, made.note);
    return made;
  });
  settle(card.facts, server.facts.map((one) => fact(server.name, one.name, one.label, one.value)));
  settle(card.switches, server.switches.map((one) => toggle(server, one)));
  const on = server.switches.filter((one) => one.on).map((one) => one.explains);
  write(card.note, server.trouble ?? on.join(" "));
  card.box.classList.toggle("faulty", Boolean(server.trouble) || on.length > 0);
  return card.box;
}

function drawDeed(deed) {
  const card = keep(`deed/${deed.name}`, () => {
    const made = { note: h("p", { class: "note", role: "status" }), facts: h("dl", {}) };
    made.button = h("button", { type: "button", class: "button", onclick: () => act(deed.name, {}) }, deed.button);
    made.box = h("section", { class: "server", "aria-label": deed.title }, h("h3", {}, deed.title), h("p", { class: "quiet" }, deed.explains),
      made.button, made.facts, made.note);
    return made;
  });
  card.button.disabled = deed.busy;
  settle(card.facts, deed.facts.map((one) => fact(`deed/${deed.name}`, one.name, one.label, one.value)));
  write(card.note, deed.note);
  return card.box;
}

function draw(state) {
  const top = keep("top", () => h("div", { class: "panel-tools" },
    h("p", { class: "quiet" }, "One fault at a time per server. Watch the cards and the traffic while it's on."),
    h("button", { type: "button", class: "button", onclick: () => act("all-off", {}) }, "All off")));
  settle(box, [top, ...state.servers.map(drawServer), ...state.deeds.map(drawDeed)]);
}

async function look() {
  try {
    const state = await get("backstage/state", {});
    if (state.ok) draw(state);
  } catch {
    // The next request may succeed.
  }
}

async function start() {
  if (looking) return;
  looking = true;
  while (looking) {
    await look();
    await new Promise((resolve) => { timer = setTimeout(resolve, LOOK_EVERY); });
  }
}

function stop() {
  looking = false;
  clearTimeout(timer);
}

// Return null unless the demonstration is running. Otherwise, there are no servers around this Slack.
export async function backstage() {
  const state = await get("backstage/state", {});
  return state.ok ? { box, start, stop } : null;
}

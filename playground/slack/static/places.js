// The list of conversations. Unread ones are highlighted, and the arrow keys move through the list.

import { h } from "./dom.js";

const box = document.getElementById("places");
const rows = new Map();
let groups = "";

// The accessible name begins with the visible text, so that people who use voice control can say it.
const words = (place) => [place.kind === "im" ? place.name : `#${place.name}`, place.shared && "shared",
  place.badge && place.badge !== place.unread && `${place.badge} for you`, place.unread && `${place.unread} unread`,
].filter(Boolean).join(", ");

export const nameOf = (place) => (place.kind === "im" ? place.name : `# ${place.name}`);

export function face(place, app) {
  return place.kind === "im" ? h("img", { src: `/_page/face/${app.bot_user}.svg`, alt: "" })
    : h("span", { class: "hash", "aria-hidden": "true" }, "#");
}

export function news(place) {
  return place.badge ? h("span", { class: "badge-count", "aria-hidden": "true" }, String(place.badge)) : null;
}

// Each row keeps its node when its contents change, so that it keeps the focus.
function row(place, current, app, go) {
  const known = rows.get(place.id) ?? { node: h("button", { type: "button", onclick: () => go(place.id) }) };
  rows.set(place.id, known);
  const mark = JSON.stringify([place, current]);
  if (known.mark === mark) return known.node;
  known.mark = mark;
  known.node.className = ["place", current && "current", place.unread && "unread"].filter(Boolean).join(" ");
  known.node.setAttribute("aria-label", words(place));
  if (current) known.node.setAttribute("aria-current", "page");
  else known.node.removeAttribute("aria-current");
  known.node.tabIndex = current ? 0 : -1;
  const shared = place.shared ? h("span", { class: "shared", title: "Shared with another organisation" }, "shared") : null;
  const more = [shared, news(place)].filter(Boolean).flatMap((one) => [" ", one]);
  known.node.replaceChildren(face(place, app), h("span", { class: "name" }, place.name), ...more);
  return known.node;
}

export function showPlaces(state, channel, go) {
  const of = (kinds) => state.channels.filter((one) => kinds.includes(one.kind));
  const [channels, apps] = [of(["channel", "group"]), of(["im"])];
  const drawn = [...channels, ...apps].map((one) => row(one, one.id === channel.id, state.app, go));
  const mark = JSON.stringify([...channels, ...apps].map((one) => one.id));
  if (mark === groups) return;
  groups = mark;
  const caption = (text) => h("p", { class: "caption" }, text);
  box.replaceChildren(caption("Channels"), ...drawn.slice(0, channels.length), caption("Apps"), ...drawn.slice(channels.length));
}

const all = () => [...box.querySelectorAll(".place")];
export const focusPlace = () => (box.querySelector(".current") ?? all()[0])?.focus();

// Return the next conversation in this direction, or the next one with unread messages.
export function neighbour(state, channel, by, unread) {
  const order = [...state.channels].sort((one, other) => (one.kind === "im") - (other.kind === "im"));
  const at = order.findIndex((one) => one.id === channel);
  for (let far = 1; far < order.length; far += 1) {
    const one = order[(at + by * far + order.length * far) % order.length];
    if (!unread || one.unread) return one.id;
  }
  return null;
}

box.addEventListener("keydown", (event) => {
  const list = all();
  const at = list.indexOf(document.activeElement);
  const wanted = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: list.length - 1 }[event.key];
  if (at < 0 || wanted === undefined || event.altKey) return;
  event.preventDefault();
  list[Math.max(0, Math.min(list.length - 1, wanted))].focus();
});

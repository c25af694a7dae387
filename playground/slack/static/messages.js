// Messages with their files and their numbers of replies, and the line before unread messages.

import { body } from "./blocks.js";
import { valueOf } from "./controls.js";
import { focusKept, get, h, post, settle, toast } from "./dom.js";
import { attached } from "./files.js";
import { clock, full } from "./mrkdwn.js";

const NEAR = 80;
const drawn = new Map();

function whereOf(message, here) {
  const named = (block, element) => ({ action_id: element.action_id, block_id: block.block_id });
  const place = { as: here.me, channel: message.channel, ts: message.ts };
  return {
    live: (block) => block.type !== "input" || block.dispatch_action === true,
    press: (block, element, value) => post("press", { ...place, value, ...named(block, element) }),
    options: (block, element, value) => get("options", { ...place, value, ...named(block, element) }),
    held: (block, element) => valueOf(message.entered[block.block_id]?.[element.action_id]),
    people: () => here.state.people.filter((person) => !person.is_bot && !person.deleted),
    channels: () => here.state.channels.filter((one) => /^[CDG]/.test(one.id)),
  };
}

function who(message, here) {
  if (message.from_slack) return { id: "USLACKBOT", real_name: "Slackbot", is_bot: true };
  return here.state.people.find((person) => person.id === message.user) ?? { id: message.user, real_name: message.user };
}

const dateOf = (ts) => new Date(Number(ts) * 1000);
const clockOf = (ts) => clock(dateOf(ts));
const short = (ts) => clockOf(ts).replace(/\s*[ap]\.?m\.?$/i, "");
export const counted = (count) => `${count} ${count === 1 ? "reply" : "replies"}`;

async function choose(shortcut, message, here) {
  const told = { as: here.me, callback_id: shortcut.callback_id, channel: message.channel, ts: message.ts };
  const answer = await post("shortcut", told);
  if (!answer.ok) toast(`The app failed with the error ${answer.error}`);
}

function actions(message, here, place) {
  const shortcuts = here.state.app.shortcuts.filter((one) => one.type === "message");
  const reply = place.open && !message.broadcast;
  return h("div", { class: "message-actions" },
    shortcuts.map((one) => h("button", { type: "button", onclick: () => choose(one, message, here) }, one.name)),
    reply ? h("button", { type: "button", class: "reply-button", onclick: () => place.open(message.ts) }, "Reply in thread") : null);
}

function replied(message, place) {
  if (!message.broadcast) return null;
  if (!place.open) return h("p", { class: "only" }, "Also sent to the channel");
  return h("p", { class: "only" }, "replied to ", h("button", { type: "button", class: "link", onclick: () => place.open(message.thread_ts) }, "a thread"));
}

function drawMessage(message, follows, here, place) {
  const person = who(message, here);
  const time = h("time", { title: full(dateOf(message.ts)) }, clockOf(message.ts));
  return h("article", { class: ["message", message.ephemeral && "ephemeral", follows && "follows"].filter(Boolean).join(" "),
    "data-ts": message.ts, tabindex: "-1", "aria-label": `${person.real_name}, ${clockOf(message.ts)}` },
  follows ? h("span", { class: "gutter", "aria-hidden": "true" }, short(message.ts))
    : h("img", { class: "face", src: `/_page/face/${person.id}.svg`, alt: "" }),
  h("div", { class: "content" },
    message.ephemeral ? h("p", { class: "only" }, "Only visible to you") : null,
    follows ? null : h("p", { class: "by" }, h("b", {}, person.real_name),
      person.is_bot ? h("span", { class: "badge" }, "app") : null,
      time,
      person.role === "other organisation" ? h("span", { class: "badge out" }, person.team) : null),
    replied(message, place),
    message.text || message.blocks?.length ? body(message, whereOf(message, here)) : null,
    message.edited ? h("small", { class: "edited" }, "(edited)") : null,
    (message.files ?? []).map((file) => attached(file, here.me)),
    h("div", { class: "answers" })),
  message.ephemeral ? null : actions(message, here, place));
}

// The bar below a message that has a thread. It shows who has replied, how often, and whether there are new replies.
function answers(message, place) {
  const { count, unread, users, latest } = message.replies;
  return h("button", { type: "button", class: `replies${unread ? " unread" : ""}`, onclick: () => place.open(message.ts) },
    users.map((user) => h("img", { src: `/_page/face/${user}.svg`, alt: "" })),
    h("b", {}, counted(count)), unread ? h("span", { class: "badge new" }, `${unread} new`) : null,
    h("small", {}, `Last reply ${clockOf(latest)}`));
}

// Return whether a control's value was changed elsewhere (in another window or by a test): it has changed, and differs
// from what the control shows.
function isNews(node, before, after) {
  const flat = (entered, { block, action }) => JSON.stringify(valueOf(entered[block]?.[action]) ?? "");
  return [...node.querySelectorAll(".control")].some((one) => {
    const value = flat(after, one.dataset);
    return value !== flat(before, one.dataset) && value !== JSON.stringify(one.read() ?? "");
  });
}

function nodeOf(message, previous, here, place) {
  const key = [here.me, place.box.id, place.channel.id, message.ts].join("/");
  const { replies, entered, ...own } = message;
  const follows = previous && previous.user === message.user && !message.ephemeral && !previous.ephemeral && !message.broadcast
    && Number(message.ts) - Number(previous.ts) < 300 && (!message.bot_id || !place.open);
  const mark = JSON.stringify([own, follows]);
  let known = drawn.get(key);
  if (known?.mark !== mark || isNews(known.node, known.entered, entered)) {
    known = { mark, node: drawMessage({ ...own, entered, channel: place.channel.id }, follows, here, place), news: "" };
  }
  known.entered = entered;
  drawn.set(key, known);
  // Update the thread's bar on its own, so that new replies don't redraw a card that somebody is filling in.
  const news = JSON.stringify(replies ?? null);
  if (place.open && news !== known.news) {
    known.news = news;
    known.node.querySelector(".answers").replaceChildren(...(replies ? [answers(message, place)] : []));
  }
  return known.node;
}

export function newLine() {
  return h("div", { class: "new-line", role: "separator", "aria-label": "New messages" }, h("span", { "aria-hidden": "true" }, "New"));
}

const isLow = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;

// Put messages into the box of a conversation or thread. `line` is the node before the first message after `since`.
export function showMessages(messages, here, place, { since = null, line = null, between = () => null, empty = "" } = {}) {
  const { box } = place;
  const isNew = box.dataset.place !== place.key;
  const low = isNew || isLow(box);
  const last = box.lastElementChild;
  const back = focusKept();
  const first = since === null ? undefined : messages.find((one) => one.ts > since && one.user !== here.me);
  const nodes = messages.flatMap((one, row) => {
    const gap = [between(one, row), one === first ? line : null].filter(Boolean);
    return [...gap, nodeOf(one, gap.length ? undefined : messages[row - 1], here, place)];
  });
  if (!nodes.length) nodes.push(h("p", { class: "empty" }, empty));
  settle(box, nodes);
  back();
  const articles = box.querySelectorAll(":scope > article");
  // The Tab key stops at only one message: the last one, or the one that was reached with the arrow keys.
  if (!box.contains(document.activeElement)) articles.forEach((one, row) => { one.tabIndex = row === articles.length - 1 ? 0 : -1; });
  box.dataset.place = place.key;
  if (isNew && first) line.scrollIntoView({ block: "center" });
  else if (low) box.scrollTop = box.scrollHeight;
  return !low && box.lastElementChild !== last;
}

export function toEnd(box) {
  box.scrollTop = box.scrollHeight;
}

// If a box is scrolled to its end, keep it there when its size changes.
export function keepEnd(box) {
  let low = true;
  let size = "";
  const sizeOf = () => `${box.clientWidth} ${box.clientHeight}`;
  // A change of size also causes a scroll event, before the observer is called, so ignore scrolling if the size
  // differs.
  box.addEventListener("scroll", () => { if (sizeOf() === size) low = isLow(box); });
  new ResizeObserver(() => {
    size = sizeOf();
    if (low) toEnd(box);
  }).observe(box);
}

// The arrow keys move from message to message, and Tab moves to the interactive elements in a message.
export function walkable(box) {
  box.addEventListener("keydown", (event) => {
    if (event.target.tagName !== "ARTICLE") return;
    const all = [...box.querySelectorAll(":scope > article")];
    const at = all.indexOf(event.target);
    const wanted = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (wanted === undefined || event.altKey) return;
    event.preventDefault();
    const next = all[Math.max(0, Math.min(all.length - 1, wanted))];
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  box.addEventListener("scroll", () => box.dispatchEvent(new CustomEvent("low", { detail: isLow(box) })), { passive: true });
}

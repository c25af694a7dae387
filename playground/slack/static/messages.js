// The messages of a conversation: each with its files, and beneath it the thread of replies.

import { body } from "./blocks.js";
import { valueOf } from "./controls.js";
import { get, h, post, settle, toast } from "./dom.js";

const LAST = 3;
const drawn = new Map();
const unfolded = new Set();
const box = document.getElementById("messages");

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

function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function attached(file, here) {
  const href = `/_page/file/${file.id}?${new URLSearchParams({ as: here.me })}`;
  const more = file.lines_more ? h("p", { class: "more" }, `${file.lines_more.toLocaleString()} more ${file.lines_more === 1 ? "line" : "lines"} in the file`) : null;
  return h("div", { class: "file" },
    h("div", { class: "about" },
      h("span", { class: "kind", "aria-hidden": "true" }, (file.filetype || "file").slice(0, 4)),
      h("span", { class: "title" }, h("b", {}, file.title), h("small", {}, `${file.name} · ${size(file.size)}`)),
      h("a", { class: "button", href, download: file.name }, "Download")),
    file.mimetype.startsWith("image/") ? h("img", { src: href, alt: file.alt_txt || file.title }) : null,
    file.preview ? h("pre", {}, file.preview) : null,
    file.preview ? more : null);
}

async function choose(shortcut, message, here) {
  const told = { as: here.me, callback_id: shortcut.callback_id, channel: message.channel, ts: message.ts };
  const answer = await post("shortcut", told);
  if (!answer.ok) toast(`The app failed with the error ${answer.error}`);
}

function drawMessage(message, previous, here, reply) {
  const person = who(message, here);
  const follows = previous && previous.user === message.user && !message.ephemeral && !previous.ephemeral
    && Number(message.ts) - Number(previous.ts) < 300 && (!message.bot_id || message.thread_ts);
  const time = new Date(Number(message.ts) * 1000);
  const short = time.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  const inThread = message.thread_ts && message.thread_ts !== message.ts;
  return h("article", { class: ["message", message.ephemeral && "ephemeral", follows && "follows", inThread && "reply"]
    .filter(Boolean).join(" "), "data-ts": message.ts },
  follows ? h("span", { class: "gutter" }, short)
    : h("img", { class: "face", src: `/_page/face/${person.id}.svg`, alt: "" }),
  h("div", { class: "content" },
    message.ephemeral ? h("p", { class: "only" }, "Only visible to you") : null,
    follows ? null : h("p", { class: "by" }, h("b", {}, person.real_name),
      person.is_bot ? h("span", { class: "badge" }, "app") : null,
      h("time", { title: time.toLocaleString() }, short),
      person.role === "other organisation" ? h("span", { class: "badge out" }, person.team) : null),
    message.text || message.blocks?.length ? body(message, whereOf(message, here)) : null,
    message.edited ? h("small", { class: "edited" }, "(edited)") : null,
    (message.files ?? []).map((file) => attached(file, here))),
  message.ephemeral ? null : h("div", { class: "message-actions" },
    here.state.app.shortcuts.filter((one) => one.type === "message").map((one) => (
      h("button", { type: "button", class: "reply-button", onclick: () => choose(one, message, here) }, one.name))),
    h("button", { type: "button", class: "reply-button", onclick: () => reply(message.thread_ts ?? message.ts) }, "Reply")));
}

function nodeOf(message, previous, channel, here, reply) {
  const key = `${here.me}/${channel.id}/${message.ts}`;
  const mark = JSON.stringify([message, previous?.user, previous?.ephemeral]);
  const known = drawn.get(key);
  if (known?.mark === mark) return known.node;
  const node = drawMessage({ ...message, channel: channel.id }, previous, here, reply);
  drawn.set(key, { mark, node });
  return node;
}

function thread(parent, replies, draw, again) {
  const key = `thread/${parent.ts}`;
  const known = drawn.get(key) ?? { node: h("section", { class: "thread", "aria-label": "Replies" }) };
  drawn.set(key, known);
  const open = unfolded.has(parent.ts);
  const hidden = replies.length - LAST;
  const turn = () => { unfolded[open ? "delete" : "add"](parent.ts); again(); };
  const words = open ? "Show only the last replies" : `Show ${hidden} earlier ${hidden === 1 ? "reply" : "replies"}`;
  const count = `${replies.length} ${replies.length === 1 ? "reply" : "replies"}`;
  const head = hidden > 0 ? h("button", { type: "button", class: "link fold", "aria-expanded": String(open), onclick: turn }, words)
    : h("span", { class: "fold" }, count);
  const shown = open || hidden <= 0 ? replies : replies.slice(-LAST);
  settle(known.node, [head, ...shown.map((one, row) => draw(one, shown[row - 1]))]);
  return known.node;
}

export function showMessages(channel, here, reply) {
  const all = here.state.messages[channel.id] ?? [];
  const known = new Set(all.map((one) => one.ts));
  const isTop = (one) => !one.thread_ts || one.thread_ts === one.ts || !known.has(one.thread_ts);
  const tops = all.filter(isTop);
  const replies = Map.groupBy(all.filter((one) => !isTop(one)), (one) => one.thread_ts);
  const again = () => showMessages(channel, here, reply);
  const draw = (message, previous) => nodeOf(message, previous, channel, here, reply);
  const bottom = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  const nodes = tops.flatMap((one, row) => {
    const before = tops[row - 1];
    const node = draw(one, before && replies.has(before.ts) ? undefined : before);
    return replies.has(one.ts) ? [node, thread(one, replies.get(one.ts), draw, again)] : [node];
  });
  if (!nodes.length) nodes.push(h("p", { class: "empty" }, channel.kind === "im"
    ? `This is the beginning of your conversation with ${channel.name}.` : `This is the beginning of #${channel.name}.`));
  settle(box, nodes);
  if (bottom || box.dataset.channel !== channel.id) box.scrollTop = box.scrollHeight;
  box.dataset.channel = channel.id;
}

// The pane of a thread: its first message, the replies, and the field for writing another reply.

import { composer } from "./composer.js";
import { h, post, toast } from "./dom.js";
import { counted, newLine, showMessages, toEnd, walkable } from "./messages.js";

const at = (id) => document.getElementById(id);
const pane = at("thread");
const box = at("thread-messages");
const line = newLine();
let open = null;

export const isOpen = () => open !== null;

export function closeThread() {
  if (!open) return;
  const { opener, ts } = open;
  const had = pane.contains(document.activeElement);
  open = null;
  pane.hidden = true;
  box.replaceChildren();
  delete box.dataset.place;
  if (!had) return;
  const again = document.querySelector(`#messages [data-ts="${ts}"] .replies`) ?? document.querySelector(`#messages [data-ts="${ts}"]`);
  (opener.isConnected && opener !== document.body ? opener : again ?? at("text")).focus();
}

// Open the thread of a message. The next call of `showThread` draws the pane.
export function openThread(channel, ts) {
  open = { channel, ts, opener: document.activeElement, since: null };
  at("thread-text").value = "";
  at("broadcast").checked = false;
}

export function showThread(here) {
  if (!open) return;
  const channel = here.state.channels.find((one) => one.id === open.channel);
  const all = here.state.messages[open.channel] ?? [];
  const parent = all.find((one) => one.ts === open.ts);
  const replies = all.filter((one) => one.thread_ts === open.ts && one.ts !== open.ts);
  if (!channel || (!parent && !replies.length)) {
    closeThread();
    return;
  }
  const said = replies.filter((one) => !one.ephemeral);
  const unread = parent?.replies?.unread ?? 0;
  if (unread && open.since === null && (pane.hidden || document.hidden)) open.since = said.at(-unread - 1)?.ts ?? open.ts;
  const isNew = pane.hidden;
  pane.hidden = false;
  at("thread-place").textContent = channel.kind === "im" ? channel.name : `# ${channel.name}`;
  at("broadcast-place").textContent = channel.kind === "im" ? "Also send as direct message" : `Also send to #${channel.name}`;
  const place = { box, channel, key: `${here.me}/${open.ts}`, open: null };
  const count = h("p", { class: "count-line" }, counted(said.length));
  const { replies: _, ...top } = parent ?? {};
  showMessages([...(parent ? [top] : []), ...replies], here, place, { since: open.since, line,
    between: (one, row) => (replies.length && row === (parent ? 1 : 0) ? count : null) });
  if (unread && !document.hidden) post("read", { as: here.me, channel: open.channel, thread_ts: open.ts });
  if (isNew) at("thread-text").focus();
}

export function installThread(here) {
  walkable(box);
  composer(at("thread-composer"), { isThread: true, current: () => here.state, send: async (text) => {
    const { channel, ts } = open;
    open.since = null;
    toEnd(box);
    const told = { as: here.me, channel, text, thread_ts: ts, broadcast: at("broadcast").checked };
    at("broadcast").checked = false;
    const answer = await post("say", told);
    if (!answer.ok && !answer.ts) toast(`That was not sent: ${answer.error}`);
  } });
  at("thread-close").addEventListener("click", closeThread);
}

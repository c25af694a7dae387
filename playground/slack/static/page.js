// The page: the current person, the current conversation, and its messages.

import { draw } from "./blocks.js";
import { composer } from "./composer.js";
import { focusKept, get, h, post, toast } from "./dom.js";
import { follow } from "./follow.js";
import { jump } from "./jump.js";
import { linksFor } from "./links.js";
import { keepEnd, newLine, showMessages, toEnd, walkable } from "./messages.js";
import { homeWhere, showModal } from "./modal.js";
import { know } from "./mrkdwn.js";
import { installPeople, showPeople, whoIsHere } from "./people.js";
import { focusPlace, nameOf, neighbour, showPlaces } from "./places.js";
import { closeThread, installThread, isOpen, openThread, showThread } from "./thread.js";

const at = (id) => document.getElementById(id);
const narrow = matchMedia("(max-width: 720px)");
const here = { me: "", channel: sessionStorage.getItem("channel") || "", tab: "messages", state: null,
  // The position of the line before unread messages: its conversation, and the message before it.
  line: { channel: null, since: null } };
const line = newLine();

function showHome() {
  const view = here.state.home;
  const mark = JSON.stringify([here.me, view]);
  if (at("home").dataset.mark === mark) return;
  at("home").dataset.mark = mark;
  const back = focusKept();
  at("home").replaceChildren(...(view ? draw(view.blocks, homeWhere(view, here.state))
    : [h("p", { class: "empty" }, "This app has not published a home tab for you.")]));
  back();
}

function showShortcuts() {
  const all = here.state.app.shortcuts.filter((one) => one.type === "global");
  const mark = JSON.stringify(all);
  if (at("shortcuts").dataset.mark === mark) return;
  at("shortcuts").dataset.mark = mark;
  at("shortcuts").hidden = !all.length;
  at("shortcuts").replaceChildren(...all.map((one) => h("button", { type: "button", class: "button", onclick: async () => {
    const answer = await post("shortcut", { as: here.me, callback_id: one.callback_id });
    if (!answer.ok) toast(`The app failed with the error ${answer.error}`);
  } }, one.name)));
}

// The hint below the field: the usage of the command that is being typed, otherwise how to talk to the app.
function showHint(typed) {
  const { app } = here.state;
  const known = app.commands.find((one) => typed === one.command || typed.startsWith(`${one.command} `));
  at("hint").replaceChildren(...(known
    ? [h("b", {}, known.command), ` ${known.usage_hint}`, known.description ? ` · ${known.description}` : ""]
    : [`Type / for the commands of ${app.name}. In channels, you can also mention @${app.handle}.${
      app.has_assistant ? " @slackbot calls its tools, as Slack's assistant would." : ""}`]));
}

function showTitle(channel) {
  const { state } = here;
  const badges = state.channels.reduce((sum, one) => sum + one.badge, 0);
  const sign = badges ? `(${badges}) ` : state.channels.some((one) => one.unread) ? "• " : "";
  const me = state.people.find((person) => person.id === here.me);
  document.title = `${sign}${me.real_name.split(" ")[0]} · ${channel.kind === "im" ? "" : "#"}${channel.name} · ${state.team.name}`;
}

// A narrow screen shows either the list of conversations or one conversation.
const isLooking = () => !document.hidden && (!narrow.matches || document.body.dataset.screen === "room");

function showRoom(channel) {
  const unread = channel.unread > 0;
  if (here.line.channel !== channel.id) here.line = { channel: channel.id, since: unread ? channel.read : null };
  else if (unread && here.line.since === null && !isLooking()) here.line.since = channel.read;
  const all = here.state.messages[channel.id] ?? [];
  const known = new Set(all.map((one) => one.ts));
  const isTop = (one) => !one.thread_ts || one.thread_ts === one.ts || one.broadcast || !known.has(one.thread_ts);
  const open = (ts) => { openThread(channel.id, ts); showThread(here); };
  const place = { box: at("messages"), channel, key: `${here.me}/${channel.id}`, open };
  const more = showMessages(all.filter(isTop), here, place, { since: here.line.since, line,
    empty: `This is the beginning of ${channel.kind === "im" ? `your conversation with ${channel.name}` : `#${channel.name}`}.` });
  if (more) at("newer").hidden = false;
  if (unread && isLooking()) post("read", { as: here.me, channel: channel.id });
}

function show() {
  const { state } = here;
  if (!state) return;
  know(state);
  linksFor(state);
  // The direct message with the app has no id until it has been opened.
  const asApp = here.channel === state.app.bot_user;
  const channel = state.channels.find((one) => one.id === here.channel || (asApp && one.kind === "im"))
    ?? state.channels.find((one) => one.name === "general") ?? state.channels[0];
  if (!channel) return;
  here.channel = channel.id;
  at("team").textContent = state.team.name;
  at("place-name").textContent = nameOf(channel);
  at("place-topic").textContent = channel.kind === "im" ? "Direct message with the app"
    : [channel.topic, `${channel.members} members`, channel.bot_is_member ? "" : `${state.app.name} is not here`]
      .filter(Boolean).join(" · ");
  at("tabs").hidden = channel.kind !== "im";
  const home = channel.kind === "im" && here.tab === "home";
  for (const tab of at("tabs").children) {
    const chosen = (tab.dataset.tab === "home") === home;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  }
  at("messages").hidden = home;
  at("composer").hidden = home;
  at("home").hidden = !home;
  if (home) at("newer").hidden = true;
  at("text").placeholder = `Message ${channel.kind === "im" ? "" : "#"}${channel.name}`;
  showTitle(channel);
  showHint(at("text").value);
  showShortcuts();
  showPeople(state, here.me);
  showPlaces(state, channel, go);
  if (home) showHome();
  else showRoom(channel);
  showThread(here);
  showModal(state);
}

function look(screen) {
  document.body.dataset.screen = screen;
  if (screen === "list") focusPlace();
}

function go(channel) {
  closeThread();
  here.channel = channel;
  here.tab = "messages";
  here.line = { channel: null, since: null };
  sessionStorage.setItem("channel", channel);
  at("newer").hidden = true;
  look("room");
  show();
  // On a phone, focusing the field would open the keyboard, which would cover the messages.
  if (!matchMedia("(pointer: coarse)").matches) at("text").focus();
  const place = here.state.channels.find((one) => one.id === channel);
  if (place?.kind === "im") post("home", { as: here.me, tab: "messages" });
}

async function tab(name) {
  here.tab = name;
  show();
  at("tabs").querySelector("[aria-selected=true]").focus();
  await post("home", { as: here.me, tab: name });
}

composer(at("composer"), { current: () => here.state, changed: (text) => { if (here.state) showHint(text); }, send: async (text) => {
  here.line.since = null;
  toEnd(at("messages"));
  const answer = await post("say", { as: here.me, channel: here.channel, text });
  if (!answer.ok && !answer.ts) toast(`That was not sent: ${answer.error}`);
} });
installThread(here);
walkable(at("messages"));
keepEnd(at("messages"));
at("messages").addEventListener("low", (event) => { if (event.detail) at("newer").hidden = true; });
at("newer").addEventListener("click", () => { toEnd(at("messages")); at("newer").hidden = true; at("text").focus(); });
at("back").addEventListener("click", () => look("list"));
at("tabs").addEventListener("click", (event) => { if (event.target.dataset.tab) tab(event.target.dataset.tab); });
at("tabs").addEventListener("keydown", (event) => {
  if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
  event.preventDefault();
  tab(here.tab === "home" ? "messages" : "home");
});
at("jump-open").addEventListener("click", () => jump(here.state, here.channel, go));
if (/Mac|iPhone|iPad/.test(navigator.platform)) at("jump-keys").textContent = "⌘ K";
document.addEventListener("visibilitychange", show);
narrow.addEventListener("change", show);

document.addEventListener("keydown", (event) => {
  if (!here.state || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    jump(here.state, here.channel, go);
  } else if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    event.preventDefault();
    const next = neighbour(here.state, here.channel, event.key === "ArrowUp" ? -1 : 1, event.shiftKey);
    if (next) go(next);
  } else if (event.key === "Escape" && !at("panel").contains(event.target) && !document.querySelector(":popover-open")) {
    if (isOpen()) closeThread();
    else here.line.since = null;
    show();
  }
});

here.me = await whoIsHere();
here.channel = new URLSearchParams(location.search).get("channel") || here.channel;
await installPeople();
if (here.channel) look("room");
follow(here.me, (state) => {
  here.state = state;
  show();
});
// If the person has already clicked something, leave the focus there.
if (!narrow.matches && document.activeElement === document.body) at("text").focus();

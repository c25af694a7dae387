// The page: who you are, where you look, what is said there. It follows the server by one long request at a time.

import { draw } from "./blocks.js";
import { get, h, post, toast } from "./dom.js";
import { showMessages } from "./messages.js";
import { homeWhere, showModal } from "./modal.js";
import { know } from "./mrkdwn.js";

const at = (id) => document.getElementById(id);
const here = { me: localStorage.getItem("person") || "", channel: localStorage.getItem("channel") || "", tab: "messages",
  thread: null, state: null };
let following = null;

function showHome() {
  const view = here.state.home;
  const mark = JSON.stringify([here.me, view]);
  if (at("home").dataset.mark === mark) return;
  at("home").dataset.mark = mark;
  at("home").replaceChildren(...(view ? draw(view.blocks, homeWhere(view, here.state))
    : [h("p", { class: "empty" }, "This app has not published a home tab for you.")]));
}

function showPlaces(channel) {
  const row = (one) => h("button", { type: "button", class: `place${one.id === channel.id ? " current" : ""}${one.unread ? " unread" : ""}`,
    onclick: () => go(one.id) },
  one.kind === "im" ? h("img", { src: `/_page/face/${here.state.app.bot_user}.svg`, alt: "" }) : h("span", { class: "hash" }, "#"),
  h("span", { class: "name" }, one.name),
  one.shared ? h("span", { class: "shared", title: "Shared with another organisation" }, "shared") : null,
  one.unread ? h("span", { class: "count" }, String(one.unread)) : null);
  const of = (kinds) => here.state.channels.filter((one) => kinds.includes(one.kind)).map(row);
  at("places").replaceChildren(
    h("p", { class: "caption" }, "Channels"), ...of(["channel", "group"]),
    h("p", { class: "caption" }, "Apps"), ...of(["im"]));
}

function showPeople() {
  const people = here.state.people.filter((person) => !person.is_bot && !person.deleted);
  const mark = JSON.stringify([people, here.me]);
  if (at("person").dataset.mark === mark) return;
  at("person").dataset.mark = mark;
  at("person").replaceChildren(...people.map((person) => (
    h("option", { value: person.id, selected: person.id === here.me }, `${person.real_name} · ${person.role}`))));
  at("my-face").src = `/_page/face/${here.me}.svg`;
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

function showThread() {
  at("thread-note").hidden = !here.thread;
}

function show() {
  const { state } = here;
  know(state);
  // The direct message with the app has no id before it exists.
  const asApp = here.channel === state.app.bot_user;
  const channel = state.channels.find((one) => one.id === here.channel || (asApp && one.kind === "im"))
    ?? state.channels.find((one) => one.name === "general") ?? state.channels[0];
  if (!channel) return;
  here.channel = channel.id;
  document.title = `${state.team.name} · local Slack`;
  at("team").textContent = state.team.name;
  at("place-name").textContent = channel.kind === "im" ? channel.name : `# ${channel.name}`;
  at("place-topic").textContent = channel.kind === "im" ? "Direct message with the app"
    : [channel.topic, `${channel.members} members`, channel.bot_is_member ? "" : `${state.app.name} is not here`]
      .filter(Boolean).join(" · ");
  at("tabs").hidden = channel.kind !== "im";
  const home = channel.kind === "im" && here.tab === "home";
  for (const tab of at("tabs").children) tab.setAttribute("aria-selected", String((tab.dataset.tab === "home") === home));
  at("messages").hidden = home;
  at("composer").hidden = home;
  at("home").hidden = !home;
  at("text").placeholder = channel.kind === "im" ? `Message ${channel.name}` : `Message #${channel.name}`;
  at("hint").textContent = `Commands: ${state.app.commands.join(", ")}. In channels, mention @${state.app.name.toLowerCase()}.`;
  showShortcuts();
  showPeople();
  showPlaces(channel);
  if (home) showHome();
  else showMessages(channel, here, (thread) => { here.thread = thread; showThread(); at("text").focus(); });
  showModal(state);
  if (channel.unread && !home) post("read", { as: here.me, channel: channel.id });
}

function go(channel) {
  here.channel = channel;
  here.tab = "messages";
  here.thread = null;
  localStorage.setItem("channel", channel);
  showThread();
  show();
  at("text").focus();
  const place = here.state.channels.find((one) => one.id === channel);
  if (place?.kind === "im") post("home", { as: here.me, tab: "messages" });
}

async function become(person) {
  here.me = person;
  here.thread = null;
  localStorage.setItem("person", person);
  following?.abort();
  await post("person", { as: person });
  showThread();
  follow();
}

async function follow() {
  const mine = new AbortController();
  following = mine;
  let since;
  while (!mine.signal.aborted) {
    try {
      const query = since === undefined ? { as: here.me } : { as: here.me, since };
      const state = await get("state", query, mine.signal);
      if (mine.signal.aborted) return;
      if (!state.ok) throw new Error(state.error);
      if (state.version !== since) {
        since = state.version;
        here.state = state;
        show();
      }
    } catch (error) {
      if (mine.signal.aborted) return;
      toast("The local Slack does not answer. Trying again.");
      await new Promise((resolve) => { setTimeout(resolve, 2000); });
    }
  }
}

async function send(event) {
  event.preventDefault();
  const text = at("text").value.trim();
  if (!text) return;
  at("text").value = "";
  const told = { as: here.me, channel: here.channel, text };
  if (here.thread) told.thread_ts = here.thread;
  const answer = await post("say", told);
  if (!answer.ok && !answer.ts) toast(`That was not sent: ${answer.error}`);
}

at("composer").addEventListener("submit", send);
at("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey) send(event);
});
at("leave-thread").addEventListener("click", () => { here.thread = null; showThread(); });
at("person").addEventListener("change", () => become(at("person").value));
at("tabs").addEventListener("click", async (event) => {
  const tab = event.target.dataset.tab;
  if (!tab) return;
  here.tab = tab;
  show();
  await post("home", { as: here.me, tab });
});

const asked = new URLSearchParams(location.search);
here.me = asked.get("as") || here.me;
here.channel = asked.get("channel") || here.channel;
const known = here.me ? await get("state", { as: here.me }) : { ok: false };
await become(known.ok ? here.me : (await get("people", {})).first);

// The person of this tab, who is named in its address. Every other person opens in a separate tab.

import { get, h } from "./dom.js";

const at = (id) => document.getElementById(id);

// Find out who this tab's person is, and store the key to the list of accounts if the terminal's link contains it.
export async function whoIsHere() {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (key) localStorage.setItem("accounts-key", key);
  const asked = new URLSearchParams(location.search).get("as");
  const known = asked ? await get("state", { as: asked }) : { ok: false };
  const me = known.ok ? asked : (await get("people", {})).first;
  const address = new URL(location.href);
  address.searchParams.set("as", me);
  address.hash = "";
  history.replaceState(null, "", address);
  // The name lets links reuse the person's tab. The stored person is the one that this tab signs in as.
  window.name = `slack-${me}`;
  sessionStorage.setItem("person", me);
  return me;
}

function row(person, me) {
  const mine = person.id === me;
  const about = [person.role, person.away ? person.team : ""].filter(Boolean).join(", ");
  return h("a", { class: "person", href: `/?as=${person.id}`, target: `slack-${person.id}`, "aria-current": mine && "true" },
    h("img", { src: `/_page/face/${person.id}.svg`, alt: "" }),
    h("span", {}, h("b", {}, person.real_name), h("small", {}, mine ? `${about} · this tab` : about)));
}

export async function installPeople() {
  const { error } = await get("accounts", {});
  at("tools").prepend(
    h("button", { type: "button", id: "people-open", class: "tool", popovertarget: "people", "aria-haspopup": "true" }, "People"),
    h("a", { id: "accounts-open", class: "tool", target: "slack-accounts", hidden: error === "no_accounts" }, "Accounts"));
  document.body.append(h("nav", { id: "people", class: "people", popover: "auto", "aria-label": "People" }));
  at("people").addEventListener("click", (event) => { if (event.target.closest("a")) at("people").hidePopover(); });
}

export function showPeople(state, me) {
  const people = state.people.filter((person) => !person.is_bot && !person.deleted);
  const mark = JSON.stringify([people, me]);
  if (at("people").dataset.mark === mark) return;
  at("people").dataset.mark = mark;
  const person = people.find((one) => one.id === me);
  at("my-face").src = `/_page/face/${me}.svg`;
  at("my-name").textContent = person.real_name;
  at("my-role").textContent = person.role;
  document.querySelector("link[rel=icon]").href = `/_page/face/${me}.svg`;
  at("accounts-open").href = `/accounts?as=${me}`;
  at("people").replaceChildren(h("p", { class: "caption" }, "Open in a new tab as"), ...people.map((one) => row({ ...one,
    away: one.team !== state.team.name }, me)));
}

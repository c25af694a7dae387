// The list of accounts. The chosen person's accounts come first and are unfolded. The server returns the list only for
// the key, which only the terminal shows.

import { h } from "./dom.js";

const at = (id) => document.getElementById(id);
const SAY = {
  no_accounts: "There are no accounts here: this local Slack runs without the demonstration.",
  no_key: "This list holds passwords, so it takes a key. Open the address that the terminal shows for this demonstration, "
    + "then come back and reload this page.",
};

async function copy(button, value) {
  try {
    await navigator.clipboard.writeText(value);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Press Ctrl+C";
    getSelection().selectAllChildren(button.parentElement.querySelector("code"));
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

function field({ label, value }, account, person) {
  const button = h("button", { type: "button", class: "button", "aria-label": `Copy ${person.real_name}'s ${label.toLowerCase()} for ${account.provider}` }, "Copy");
  button.addEventListener("click", () => copy(button, value));
  return h("div", { class: "field" }, h("span", { class: "label" }, label), h("code", {}, value), button);
}

function card(account, person) {
  return h("section", { class: "account" },
    h("h3", {}, account.provider),
    account.note ? h("p", { class: "quiet" }, account.note) : null,
    ...(account.fields ?? []).map((one) => field(one, account, person)),
    account.sign_in ? h("p", {}, h("a", { href: account.sign_in, target: "_blank", rel: "noopener noreferrer" }, `Sign in to ${account.provider}`)) : null);
}

function whole(person, open) {
  const about = [person.role, person.team].filter(Boolean).join(", ");
  return h("details", { class: "whose", open, "data-person": person.id },
    h("summary", {}, h("img", { src: `/_page/face/${person.id}.svg`, alt: "" }), h("b", {}, person.real_name), " ", h("span", { class: "quiet" }, about)),
    person.part ? h("p", {}, person.part) : null,
    h("div", { class: "cards" }, ...person.accounts.map((one) => card(one, person))));
}

// This page's address may contain the key, too.
const key = new URLSearchParams(location.hash.slice(1)).get("key");
if (key) {
  localStorage.setItem("accounts-key", key);
  history.replaceState(null, "", location.pathname + location.search);
}
const answer = await fetch("/_page/accounts", { headers: { "X-Accounts-Key": localStorage.getItem("accounts-key") ?? "" } });
const { ok, error, people } = await answer.json();
if (ok) {
  const asked = new URLSearchParams(location.search).get("as");
  const mine = people.find((one) => one.id === asked) ?? people[0];
  at("about").textContent = "For link pages and IDEs. In one browser, a provider knows one person at a time: opening a link for somebody else "
    + "signs you out there. To keep several IDEs open, use a private window for each.";
  at("mine").replaceChildren(whole(mine, true));
  at("others").replaceChildren(...people.filter((one) => one !== mine).map((one) => whole(one, false)));
} else at("about").textContent = SAY[error] ?? "The local Slack did not answer. Reload this page.";

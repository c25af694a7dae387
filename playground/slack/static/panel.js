// The side panel, which shows the requests between Slack and the app and, in a demonstration, the servers around Slack.

import { h } from "./dom.js";
import { backstage } from "./backstage.js";
import { traffic } from "./traffic.js";

const panel = document.getElementById("panel");
const tabs = [{ id: "traffic", label: "Traffic", view: traffic }];
const around = await backstage();
if (around) tabs.push({ id: "servers", label: "Servers and faults", view: around });

let current = tabs[0];
let opened = false;

function follow() {
  for (const tab of tabs) {
    const looked = opened && tab === current;
    tab.box.hidden = tab !== current;
    tab.button.setAttribute("aria-selected", String(tab === current));
    tab.button.tabIndex = tab === current ? 0 : -1;
    // Send no requests for a view that isn't visible. All tabs of a browser share a few connections to each server.
    if (looked && !document.hidden) tab.view.start();
    else tab.view.stop();
  }
}

function choose(tab) {
  current = tab;
  follow();
}

function toggle(open) {
  opened = open;
  panel.hidden = !open;
  tool.setAttribute("aria-expanded", String(open));
  follow();
  if (open) current.button.focus();
  else tool.focus();
}

for (const tab of tabs) {
  tab.button = h("button", { type: "button", role: "tab", id: `tab-${tab.id}`, "aria-controls": `pane-${tab.id}`,
    onclick: () => choose(tab) }, tab.label);
  tab.box = h("section", { role: "tabpanel", id: `pane-${tab.id}`, class: "panel-body", "aria-labelledby": `tab-${tab.id}` },
    tab.view.box);
}
const tool = h("button", { type: "button", id: "panel-button", class: "tool", "aria-expanded": "false", "aria-controls": "panel",
  onclick: () => toggle(!opened) }, "Inspect");
const list = h("div", { class: "tabs", role: "tablist", "aria-label": "Inspect" }, tabs.map((tab) => tab.button));
list.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  choose(tabs[(tabs.indexOf(current) + step + tabs.length) % tabs.length]);
  current.button.focus();
});
panel.setAttribute("aria-label", "Inspect");
panel.append(
  h("header", { class: "panel-head" }, list,
    h("button", { type: "button", class: "cross", "aria-label": "Close this panel", onclick: () => toggle(false) }, "×")),
  ...tabs.map((tab) => tab.box),
);
panel.addEventListener("keydown", (event) => { if (event.key === "Escape") toggle(false); });
document.addEventListener("visibilitychange", follow);
document.getElementById("tools").append(tool);
follow();

// The modal that the app has opened: drawn anew only when the app or its complaints changed, so typing is kept.

import { draw } from "./blocks.js";
import { get, h, post } from "./dom.js";
import { text } from "./mrkdwn.js";

const dialog = document.getElementById("modal");
let shown = "";

function collect() {
  const values = {};
  for (const control of dialog.querySelectorAll("[data-block]")) {
    (values[control.dataset.block] ??= {})[control.dataset.action] = control.read();
  }
  return values;
}

function place(view, state, channel) {
  const typed = collect();
  const named = (block, element) => ({ action_id: element.action_id, block_id: block.block_id });
  return {
    live: (block) => block.type !== "input" || block.dispatch_action === true,
    press: (block, element, value) => post("press", { as: state.me, channel, value, ...named(block, element) }),
    options: (block, element, value) => get("options", {
      as: state.me, value, ...named(block, element), ...(channel ? { channel } : {}) }),
    held: (block, element) => {
      const held = view.state.values[block.block_id]?.[element.action_id];
      if (held) return held;
      const kept = typed[block.block_id]?.[element.action_id];
      return typeof kept === "string" && kept ? { value: kept } : initial(element);
    },
    errors: () => view.errors,
    people: () => state.people.filter((person) => !person.is_bot && !person.deleted),
    channels: () => state.channels.filter((one) => one.kind !== "im"),
  };
}

export function initial(element) {
  return {
    value: element.initial_value,
    selected_option: element.initial_option,
    selected_options: element.initial_options,
    selected_user: element.initial_user,
    selected_date: element.initial_date,
    selected_time: element.initial_time,
  };
}

export function homeWhere(view, state) {
  return { ...place(view, state, "home"), errors: () => ({}) };
}

export function showModal(state) {
  const view = state.view;
  const mark = view ? JSON.stringify([view.id, view.hash, view.errors, view.trouble]) : "";
  if (mark === shown) return;
  const where = view ? place(view, state, undefined) : null;
  shown = mark;
  if (!view) {
    dialog.close();
    dialog.replaceChildren();
    return;
  }
  const send = async (event) => {
    event.preventDefault();
    const go = dialog.querySelector(".primary");
    if (go) go.disabled = true;
    await post("submit", { as: state.me, values: collect() });
    if (go) go.disabled = false;
  };
  const close = (everything) => post("close", { as: state.me, everything });
  dialog.replaceChildren(h("form", { onsubmit: send, novalidate: true },
    h("header", {}, h("h2", {}, text(view.title)),
      h("button", { type: "button", class: "cross", "aria-label": "Close", onclick: () => close(true) }, "×")),
    h("div", { class: "body" },
      view.trouble ? h("p", { class: "error trouble" }, view.trouble) : null,
      draw(view.blocks, where)),
    h("footer", {},
      h("button", { type: "button", class: "button", onclick: () => close(false) }, view.close ? text(view.close) : "Cancel"),
      view.submit ? h("button", { type: "submit", class: "button primary" }, text(view.submit)) : null)));
  dialog.oncancel = (event) => { event.preventDefault(); close(true); };
  if (!dialog.open) dialog.showModal();
}

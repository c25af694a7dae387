// The modal that the app has opened. Unchanged blocks keep their nodes, and changed blocks keep what was entered in
// them.

import { draw } from "./blocks.js";
import { valueOf } from "./controls.js";
import { get, h, post, settle, showDialog, toast } from "./dom.js";
import { text } from "./mrkdwn.js";

const dialog = document.getElementById("modal");
const body = h("div", { class: "body" });
let open = null;
let shown = "";

const nameOf = (block, element) => `${block}\n${element}`;
const controls = () => [...body.querySelectorAll(".control")];

function collect() {
  const values = {};
  for (const one of controls()) {
    const { block, action } = one.dataset;
    const value = one.read();
    (values[block] ??= {})[action] = value;
    open.sent.set(nameOf(block, action), JSON.stringify(value));
  }
  return values;
}

function typedNow() {
  return new Map(controls().map((one) => [nameOf(one.dataset.block, one.dataset.action),
    { type: one.dataset.type, value: one.read() }]));
}

// Find the values that were entered elsewhere (by a test or in another window), not those that this page has sent.
function news(view) {
  const found = new Set();
  for (const [block, actions] of Object.entries(view.state.values)) {
    for (const [action, state] of Object.entries(actions)) {
      const name = nameOf(block, action);
      const mark = JSON.stringify(valueOf(state) ?? null);
      const known = open.known.get(name);
      open.known.set(name, mark);
      const same = [known, open.sent.get(name)].includes(mark) || (mark === "null" && open.sent.get(name) === '""');
      if (known !== undefined && !same) found.add(name);
    }
  }
  return found;
}

const named = (block, element) => ({ action_id: element.action_id, block_id: block.block_id });
const live = (block) => block.type !== "input" || block.dispatch_action === true;

function lists(state) {
  return {
    people: () => state.people.filter((person) => !person.is_bot && !person.deleted),
    channels: () => state.channels.filter((one) => /^[CDG]/.test(one.id)),
  };
}

function place(view, state, typed, foreign) {
  return {
    live,
    ...lists(state),
    press: (block, element, value) => post("press", { as: state.me, value, values: collect(), ...named(block, element) }),
    options: (block, element, value) => get("options", { as: state.me, value, ...named(block, element) }),
    held: (block, element) => {
      const name = nameOf(block.block_id, element.action_id);
      const local = typed.get(name);
      if (local?.type === element.type && !foreign.has(name)) return local.value;
      return valueOf(view.state.values[block.block_id]?.[element.action_id]);
    },
    errors: () => view.errors,
  };
}

export function homeWhere(view, state) {
  return {
    live,
    ...lists(state),
    press: (block, element, value) => post("press", { as: state.me, channel: "home", value, ...named(block, element) }),
    options: (block, element, value) => get("options", { as: state.me, channel: "home", value, ...named(block, element) }),
    held: (block, element) => valueOf(view.state.values[block.block_id]?.[element.action_id]),
    errors: () => ({}),
  };
}

function focused() {
  const entry = document.activeElement;
  const control = body.contains(entry) ? entry.closest(".control") : null;
  if (!control) return () => {};
  const { block, action } = control.dataset;
  const [from, to] = [entry.selectionStart, entry.selectionEnd];
  return () => {
    if (entry.isConnected && document.activeElement === entry) return;
    const again = controls().find((one) => one.dataset.block === block && one.dataset.action === action)?.entry;
    again?.focus();
    if (again && typeof from === "number" && again.setSelectionRange) again.setSelectionRange(from, to);
  };
}

function redraw(view, state) {
  const foreign = news(view);
  const typed = typedNow();
  const where = place(view, state, typed, foreign);
  const back = focused();
  const rows = new Map();
  for (const block of view.blocks) {
    const mark = JSON.stringify([block, view.errors[block.block_id] ?? null]);
    const known = open.rows.get(block.block_id);
    const touched = [...foreign].some((name) => name.startsWith(`${block.block_id}\n`));
    rows.set(block.block_id, known?.mark === mark && !touched ? known : { mark, node: draw([block], where)[0] });
  }
  open.rows = rows;
  const trouble = view.trouble ? [h("p", { class: "error trouble", role: "alert" }, view.trouble)] : [];
  settle(body, [...trouble, ...[...rows.values()].map(({ node }) => node)]);
  back();
  const errors = JSON.stringify(view.errors);
  if (errors !== open.errors) body.querySelector(".wrong .control")?.entry?.focus();
  open.errors = errors;
  for (const one of controls()) {
    const name = nameOf(one.dataset.block, one.dataset.action);
    open.sent.set(name, JSON.stringify(one.read()));
  }
}

function frame(view, state) {
  const close = (everything) => post("close", { as: state.me, everything });
  const send = async (event) => {
    event.preventDefault();
    const go = dialog.querySelector("footer .primary");
    if (!go || go.disabled) return;
    go.disabled = true;
    const answer = await post("submit", { as: state.me, view: view.id, values: collect() }).finally(() => { go.disabled = false; });
    if (answer.error === "view_not_found") toast("That form has been closed or replaced meanwhile.");
  };
  dialog.replaceChildren(h("form", { onsubmit: send, novalidate: true },
    h("header", { role: "none" }, h("h2", { id: "modal-title" }, text(view.title)),
      h("button", { type: "button", class: "cross", "aria-label": "Close", onclick: () => close(true) }, "×")),
    body,
    h("footer", {},
      h("button", { type: "button", class: "button", onclick: () => close(false) }, view.close ? text(view.close) : "Cancel"),
      view.submit ? h("button", { type: "submit", class: "button primary", disabled: view.submit_disabled === true }, text(view.submit)) : null)));
  dialog.oncancel = (event) => { event.preventDefault(); close(true); };
}

function begin(view) {
  const asked = view.blocks.flatMap((block) => [block.element, block.accessory, ...(block.elements ?? [])])
    .find((element) => element?.focus_on_load)?.action_id;
  const all = controls();
  const first = asked ? all.find((one) => one.dataset.action === asked) : all.find((one) => one.entry?.matches("input[type=text], textarea")) ?? all[0];
  first?.entry?.focus();
}

export function showModal(state) {
  const view = state.view;
  const mark = view ? JSON.stringify([state.me, view.id, view.hash, view.errors, view.trouble, view.state.values]) : "";
  if (mark === shown) return;
  shown = mark;
  if (!view) {
    dialog.close();
    dialog.replaceChildren();
    body.replaceChildren();
    open = null;
    return;
  }
  const isNew = open?.id !== view.id;
  if (isNew) {
    open = { id: view.id, rows: new Map(), sent: new Map(), known: new Map(), head: "", errors: "{}" };
    body.replaceChildren();
  }
  const head = JSON.stringify([view.title, view.submit, view.close, view.submit_disabled]);
  if (head !== open.head) {
    const back = focused();
    frame(view, state);
    back();
  }
  open.head = head;
  showDialog(dialog);
  redraw(view, state);
  if (isNew) begin(view);
}

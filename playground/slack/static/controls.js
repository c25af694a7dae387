// Controls with a value. `read` returns the value as it is sent, and `entry` is the node that receives the focus.

import { combo } from "./combo.js";
import { h } from "./dom.js";
import { plain, text } from "./mrkdwn.js";
import { dayField, momentField, timeField } from "./pickers.js";

const PICKERS = { datepicker: [dayField, "Select a date"], timepicker: [timeField, "Select a time"],
  datetimepicker: [momentField, "Select a date"] };
const MODES = { number_input: "decimal", email_text_input: "email", url_text_input: "url" };
const TYPING = 300;

const asOption = ([value, words]) => ({ value, text: { type: "plain_text", text: words } });

function flat(rich) {
  return (rich?.elements ?? []).map((part) => (part.elements ?? []).map((one) => one.text ?? "").join("")).join("\n");
}

// Return the value in one of Slack's states, in the form that controls use.
export function valueOf(state) {
  if (!state) return undefined;
  const [, value] = Object.entries(state).find(([key]) => key !== "type") ?? [];
  if (state.type === "rich_text_input") return flat(value);
  if (state.type.endsWith("external_select")) return value;
  if (Array.isArray(value)) return value.map((one) => one.value ?? one);
  return value?.value ?? value;
}

function named(element, where) {
  if (element.type.includes("users")) return where.people().map((person) => [person.id, person.real_name]);
  if (/conversations|channels/.test(element.type)) {
    return where.channels().map((channel) => [channel.id, channel.kind === "im" ? channel.name : `#${channel.name}`]);
  }
  return null;
}

function groups(element, where) {
  const list = named(element, where);
  if (list) return [{ options: list.map(asOption) }];
  if (element.option_groups) return element.option_groups.map(({ label, options }) => ({ label: plain(label.text), options }));
  return [{ options: element.options ?? [] }];
}

function select(element, where, held, changed) {
  const words = plain(element.placeholder?.text ?? "Choose an option");
  const node = h("select", { class: "entry" }, h("option", { value: "" }, words));
  const all = groups(element, where);
  const choice = (option) => h("option", { value: option.value }, plain(option.text.text));
  for (const { label, options } of all) {
    node.append(...(label ? [h("optgroup", { label }, options.map(choice))] : options.map(choice)));
  }
  if (held && !all.some(({ options }) => options.some((option) => option.value === held))) {
    node.append(h("option", { value: held }, `${held} (no longer offered)`));
  }
  node.value = held ?? "";
  node.addEventListener("change", () => changed(node.value));
  node.read = () => node.value;
  node.entry = node;
  return node;
}

function among(element, where, held, changed) {
  const all = groups(element, where);
  const known = all.flatMap(({ options }) => options);
  const load = (query) => ({ groups: all.map(({ label, options }) => ({ label,
    options: options.filter((option) => plain(option.text.text).toLowerCase().includes(query.toLowerCase())) }))
    .filter(({ options }) => options.length) });
  const node = combo({ many: true, most: element.max_selected_items ?? Infinity, load,
    shown: plain(element.placeholder?.text ?? "Choose options"),
    held: (held ?? []).map((value) => known.find((option) => option.value === value) ?? asOption([value, value])),
    changed: (chosen) => changed(chosen.map((option) => option.value)) });
  const { read } = node;
  node.read = () => read().map((option) => option.value);
  return node;
}

function external(element, ask, held, changed) {
  const least = element.min_query_length ?? 3;
  const many = element.type.startsWith("multi_");
  const load = async (query) => {
    if (query.length < least) return { note: `Type at least ${least} character${least === 1 ? "" : "s"}` };
    const answer = await ask(query).catch(() => ({ ok: false }));
    if (!answer.ok) return { note: "Your options could not be loaded." };
    return { groups: answer.option_groups?.map(({ label, options }) => ({ label: plain(label.text), options }))
      ?? [{ options: answer.options ?? [] }] };
  };
  return combo({ many, most: element.max_selected_items ?? Infinity, load,
    shown: plain(element.placeholder?.text ?? "Type to search"),
    held: many ? held ?? [] : [held].filter(Boolean),
    changed: (chosen) => changed(many ? chosen : chosen[0] ?? null) });
}

function boxes(element, block, held, changed) {
  const kind = element.type === "checkboxes" ? "checkbox" : "radio";
  const chosen = new Set([held].flat());
  const name = `${block.block_id}/${element.action_id}`;
  const node = h("div", { class: "boxes", role: kind === "radio" ? "radiogroup" : "group" }, element.options.map((option) => h("label", {},
    h("input", { type: kind, name, value: option.value, checked: chosen.has(option.value) }),
    h("span", {}, text(option.text), option.description ? h("small", {}, text(option.description)) : null))));
  const values = () => [...node.querySelectorAll("input:checked")].map((box) => box.value);
  node.read = () => (kind === "checkbox" ? values() : values()[0] ?? null);
  node.entry = node.querySelector("input");
  node.addEventListener("change", () => changed(node.read()));
  return node;
}

function picker(element, held, changed) {
  const [field, words] = PICKERS[element.type];
  const node = field({ held, changed, shown: plain(element.placeholder?.text ?? words) });
  if (!element.timezone) return node;
  const zoned = h("div", {}, node, h("p", { class: "hint" }, element.timezone));
  return Object.assign(zoned, { entry: node.entry, read: node.read });
}

function typed(element, live, held, changed) {
  const long = element.multiline || element.type === "rich_text_input";
  const shared = { class: "entry", placeholder: plain(element.placeholder?.text ?? ""), inputmode: MODES[element.type], autocomplete: "off" };
  const entry = long ? h("textarea", { rows: 3, ...shared }) : h("input", { type: "text", ...shared });
  const count = h("small", { class: "count", hidden: true });
  entry.value = held ?? "";
  const most = element.max_length;
  const show = () => {
    count.hidden = !most || entry.value.length < most * 0.8;
    count.textContent = `${entry.value.length} of ${most}`;
    count.classList.toggle("over", entry.value.length > most);
  };
  let timer = 0;
  const on = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  entry.addEventListener("input", () => {
    show();
    clearTimeout(timer);
    if (live && on.includes("on_character_entered")) timer = setTimeout(() => changed(entry.value), TYPING);
  });
  entry.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || !live || !on.includes("on_enter_pressed")) return;
    event.preventDefault();
    changed(entry.value);
  });
  show();
  const node = h("div", { class: "typed" }, entry, count);
  node.read = () => entry.value;
  node.entry = entry;
  return node;
}

// Create a control. `changed` is called with each chosen value, and with typed text if the app is notified of typing.
export function control(element, block, where, changed) {
  const held = where.held(block, element);
  const kind = element.type;
  const live = where.live(block);
  if (kind.endsWith("external_select")) return external(element, (query) => where.options(block, element, query), held, changed);
  if (kind.startsWith("multi_")) return among(element, where, held, changed);
  if (kind.endsWith("_select")) return select(element, where, held, changed);
  if (kind === "checkboxes" || kind === "radio_buttons") return boxes(element, block, held, changed);
  if (kind in PICKERS) return picker(element, held, changed);
  return typed(element, live, held, changed);
}

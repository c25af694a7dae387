// Interactive elements. A `where` tells how to press and how to ask for options; `read` gives an input's value.

import { confirmed, h, toast } from "./dom.js";
import { text } from "./mrkdwn.js";

const optionText = (option) => option.text.text;

async function allowed(element) {
  if (!element.confirm) return true;
  const { title, text: body, confirm, deny, style } = element.confirm;
  return confirmed({ title: text(title), text: text(body), confirm: text(confirm), deny: text(deny), style });
}

async function act(where, block, element, value) {
  if (!(await allowed(element))) return;
  const answer = await where.press(block, element, value);
  if (!answer.ok) toast(`The app failed with the error ${answer.error}`);
}

function button(element, block, where) {
  const node = h("button", { type: "button", class: `button ${element.style ?? ""}` }, text(element.text));
  node.addEventListener("click", async () => {
    node.disabled = true;
    if (element.url) window.open(element.url, "_blank", "noopener");
    await act(where, block, element).finally(() => { node.disabled = false; });
  });
  return node;
}

function overflow(element, block, where) {
  const menu = h("details", { class: "overflow" }, h("summary", { "aria-label": "More actions" }, "⋯"));
  const pick = (option) => {
    menu.open = false;
    if (option.url) window.open(option.url, "_blank", "noopener");
    act(where, block, element, option.value);
  };
  menu.append(h("div", { class: "menu" }, element.options.map((option) => (
    h("button", { type: "button", onclick: () => pick(option) }, text(option.text))))));
  return menu;
}

function choices(element, where) {
  const of = (options) => options.map((option) => h("option", { value: option.value }, optionText(option)));
  const named = (list) => list.map(([id, name]) => h("option", { value: id }, name));
  if (element.type.includes("users")) return named(where.people().map((person) => [person.id, person.real_name]));
  if (/conversations|channels/.test(element.type)) {
    return named(where.channels().map((channel) => [channel.id, `#${channel.name}`]));
  }
  if (element.option_groups) {
    return element.option_groups.map((group) => h("optgroup", { label: group.label.text }, of(group.options)));
  }
  return of(element.options ?? []);
}

const heldIds = (held) => [
  held?.selected_option?.value, held?.selected_user, held?.selected_conversation, held?.selected_channel,
  ...(held?.selected_options ?? []).map((option) => option.value), ...(held?.selected_users ?? []),
].filter(Boolean);

function select(element, block, where, held) {
  const many = element.type.startsWith("multi_");
  const node = h("select", { multiple: many, "aria-label": element.placeholder?.text ?? "Choose" });
  if (!many) node.append(h("option", { value: "" }, element.placeholder?.text ?? "Choose"));
  node.append(...choices(element, where));
  const chosen = new Set(heldIds(held));
  for (const option of node.options) option.selected = chosen.has(option.value);
  const value = () => (many ? [...node.selectedOptions].map((option) => option.value) : node.value);
  if (where.live(block)) node.addEventListener("change", () => node.value && act(where, block, element, value()));
  node.read = value;
  return node;
}

function external(element, block, where, held) {
  const list = h("div", { class: "menu", hidden: true });
  const shown = element.placeholder?.text ?? "Type to search";
  const input = h("input", { type: "text", placeholder: shown, "aria-label": shown });
  let chosen = held?.selected_option ?? null;
  input.value = chosen ? optionText(chosen) : "";
  let timer = 0;
  const pick = (option) => {
    chosen = option;
    input.value = optionText(option);
    list.hidden = true;
    if (where.live(block)) act(where, block, element, option);
  };
  const look = async () => {
    const answer = await where.options(block, element, input.value);
    const groups = answer.option_groups ?? [{ options: answer.options ?? [] }];
    const rows = groups.flatMap((group) => group.options).map((option) => (
      h("button", { type: "button", onclick: () => pick(option) }, text(option.text))));
    list.replaceChildren(...(rows.length ? rows : [h("p", { class: "hint" }, "Nothing found")]));
    list.hidden = false;
  };
  const later = () => {
    chosen = null;
    clearTimeout(timer);
    timer = setTimeout(look, 200);
  };
  input.addEventListener("input", later);
  input.addEventListener("focus", () => { if ((element.min_query_length ?? 3) === 0) look(); });
  input.addEventListener("blur", () => setTimeout(() => { list.hidden = true; }, 200));
  const node = h("div", { class: "external" }, input, list);
  node.read = () => chosen;
  return node;
}

function boxes(element, block, where, held) {
  const kind = element.type === "checkboxes" ? "checkbox" : "radio";
  const chosen = new Set(heldIds(held));
  const name = `${block.block_id}/${element.action_id}`;
  const node = h("div", { class: "boxes" }, element.options.map((option) => h("label", {},
    h("input", { type: kind, name, value: option.value, checked: chosen.has(option.value) }),
    h("span", {}, text(option.text), option.description ? h("small", {}, text(option.description)) : null))));
  const values = () => [...node.querySelectorAll("input:checked")].map((box) => box.value);
  node.read = () => (kind === "checkbox" ? values() : values()[0] ?? null);
  if (where.live(block)) node.addEventListener("change", () => act(where, block, element, node.read()));
  return node;
}

const KINDS = { datepicker: "date", timepicker: "time", number_input: "number", email_text_input: "email",
  url_text_input: "url" };

function field(element, block, where, held) {
  const start = held?.value ?? held?.selected_date ?? held?.selected_time ?? "";
  const shared = { placeholder: element.placeholder?.text, maxlength: element.max_length };
  const node = element.multiline ? h("textarea", { rows: 4, ...shared })
    : h("input", { type: KINDS[element.type] ?? "text", step: element.is_decimal_allowed ? "any" : undefined, ...shared });
  node.value = start;
  node.read = () => node.value;
  if (where.live(block)) node.addEventListener("change", () => act(where, block, element, node.value));
  return node;
}

export function interactive(element, block, where) {
  const held = where.held(block, element);
  if (element.type === "button" || element.type === "workflow_button") return button(element, block, where);
  if (element.type === "overflow") return overflow(element, block, where);
  if (element.type === "image") return h("img", { class: "accessory", src: element.image_url, alt: element.alt_text });
  if (element.type.endsWith("external_select")) return external(element, block, where, held);
  if (element.type.endsWith("_select")) return select(element, block, where, held);
  if (element.type === "checkboxes" || element.type === "radio_buttons") return boxes(element, block, where, held);
  return field(element, block, where, held);
}

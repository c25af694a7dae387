// Interactive elements. A `where` object has the functions to press an element, request its options and get its value.

import { control } from "./controls.js";
import { confirmed, h, toast } from "./dom.js";
import { openLink } from "./links.js";
import { plain, text } from "./mrkdwn.js";

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
  const node = h("button", { type: "button", class: `button ${element.style ?? ""}`, "data-block": block.block_id,
    "data-action": element.action_id, "aria-label": element.accessibility_label }, text(element.text));
  // Don't use `disabled`: a disabled button would lose the focus, which has to return to the button when a form that it
  // opened is closed.
  node.addEventListener("click", async () => {
    if (node.getAttribute("aria-disabled") === "true") return;
    node.setAttribute("aria-disabled", "true");
    if (element.url) openLink(element.url);
    await act(where, block, element).finally(() => { node.removeAttribute("aria-disabled"); });
  });
  return node;
}

function overflow(element, block, where) {
  const menu = h("details", { class: "overflow" }, h("summary", { "aria-label": "More actions", "data-block": block.block_id,
    "data-action": element.action_id }, "⋯"));
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    event.preventDefault();
    event.stopPropagation();
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  const pick = (option) => {
    menu.open = false;
    menu.querySelector("summary").focus();
    if (option.url) openLink(option.url);
    act(where, block, element, option.value);
  };
  menu.append(h("div", { class: "menu" }, element.options.map((option) => (
    h("button", { type: "button", onclick: () => pick(option) }, text(option.text))))));
  return menu;
}

export function interactive(element, block, where) {
  if (element.type === "button" || element.type === "workflow_button") return button(element, block, where);
  if (element.type === "overflow") return overflow(element, block, where);
  if (element.type === "image") return h("img", { class: "accessory", src: element.image_url, alt: element.alt_text });
  const changed = (value) => { if (where.live(block)) act(where, block, element, value); };
  const node = control(element, block, where, changed);
  Object.assign(node.dataset, { block: block.block_id, action: element.action_id, type: element.type });
  node.classList.add("control");
  if (block.type !== "input") node.entry?.setAttribute("aria-label", plain(element.placeholder?.text ?? "") || node.entry.placeholder || "Choose an option");
  return node;
}

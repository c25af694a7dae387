// Block Kit as DOM nodes.

import { h } from "./dom.js";
import { interactive } from "./elements.js";
import { mrkdwn, text } from "./mrkdwn.js";
import { markdown, rich } from "./rich.js";

function task(block) {
  const mark = { complete: "✓", in_progress: "…", error: "✕", pending: "○" }[block.status] ?? "○";
  return h("div", { class: `task ${block.status ?? ""}` }, h("span", { class: "mark" }, mark), String(block.title ?? ""));
}

// Slack folds a long block depending on its height. This page counts lines instead, so that tests can predict the
// result.
const HIGH = 12;
const WIDTH = 90;

function foldable(block, node) {
  const lines = (block.text?.text ?? "").split("\n").reduce((sum, line) => sum + 1 + Math.floor(line.length / WIDTH), 0);
  if (block.expand || lines <= HIGH) return node;
  const more = h("button", { type: "button", class: "link more", onclick: () => {
    more.remove();
    node.classList.remove("folded");
  } }, "See more");
  node.classList.add("folded");
  return h("div", {}, node, more);
}

let number = 0;

const DRAW = {
  section: (block, where) => h("div", { class: "section" },
    h("div", { class: "words" },
      block.text ? foldable(block, h("div", {}, text(block.text))) : null,
      block.fields ? h("div", { class: "fields" }, block.fields.map((field) => h("div", {}, text(field)))) : null),
    block.accessory ? interactive(block.accessory, block, where) : null),
  header: (block) => h("h3", { class: "header" }, text(block.text)),
  divider: () => h("hr"),
  context: (block) => h("div", { class: "context" }, block.elements.map((element) => (
    element.type === "image" ? h("img", { src: element.image_url, alt: element.alt_text }) : h("span", {}, text(element))))),
  actions: (block, where) => h("div", { class: "actions" },
    block.elements.map((element) => interactive(element, block, where))),
  image: (block) => h("figure", {}, block.title ? h("figcaption", {}, text(block.title)) : null,
    h("img", { src: block.image_url, alt: block.alt_text })),
  input: (block, where) => {
    const control = interactive(block.element, block, where);
    const wrong = where.errors?.()[block.block_id];
    const id = `field-${number += 1}`;
    const parts = [text(block.label), block.optional ? h("small", {}, " (optional)") : null];
    const many = control.classList.contains("boxes");
    if (many) control.setAttribute("aria-labelledby", id);
    else if (control.entry) control.entry.id = id;
    if (wrong) control.entry?.setAttribute("aria-invalid", "true");
    if (wrong || block.hint) control.entry?.setAttribute("aria-describedby", `${id}-note`);
    return h("div", { class: `input${wrong ? " wrong" : ""}` },
      many ? h("span", { class: "label", id }, parts) : h("label", { class: "label", for: id }, parts),
      control,
      h("div", { id: `${id}-note` },
        wrong ? h("p", { class: "error" }, wrong) : null,
        block.hint ? h("p", { class: "hint" }, text(block.hint)) : null));
  },
  rich_text: rich,
  markdown: (block) => markdown(block.text),
  task_card: task,
  plan: (block) => h("div", { class: "plan" }, h("b", {}, String(block.title ?? "Plan")), (block.tasks ?? []).map(task)),
};

export function draw(blocks, where) {
  return blocks.map((block) => {
    const found = DRAW[block.type];
    return found ? found(block, where) : h("p", { class: "hint" }, `(${block.type} block)`);
  });
}

export function body(message, where) {
  // For a message that a person typed, show the text, which contains the mentions. The composer's blocks say the same.
  if (!message.blocks?.length || message.client_msg_id) return h("div", { class: "text" }, mrkdwn(message.text));
  return h("div", { class: "blocks" }, draw(message.blocks, where));
}

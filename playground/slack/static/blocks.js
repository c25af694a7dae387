// Block Kit as DOM nodes.

import { h } from "./dom.js";
import { interactive } from "./elements.js";
import { inline, mrkdwn, text } from "./mrkdwn.js";

const asText = (part) => part.text ?? part.url ?? (part.user_id ? `<@${part.user_id}>` : "");

function rich(block) {
  return block.elements.map((element) => {
    const words = (element.elements ?? []).map(asText).join("");
    const tag = { rich_text_quote: "blockquote", rich_text_preformatted: "pre" }[element.type] ?? "div";
    return h(tag, {}, words);
  });
}

function task(block) {
  const mark = { complete: "✓", in_progress: "…", error: "✕", pending: "○" }[block.status] ?? "○";
  return h("div", { class: `task ${block.status ?? ""}` }, h("span", { class: "mark" }, mark), String(block.title ?? ""));
}

const DRAW = {
  section: (block, where) => h("div", { class: "section" },
    h("div", { class: "words" },
      block.text ? h("div", {}, text(block.text)) : null,
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
    control.dataset.block = block.block_id;
    control.dataset.action = block.element.action_id;
    const wrong = where.errors?.()[block.block_id];
    return h("div", { class: `input${wrong ? " wrong" : ""}` },
      h("label", {}, h("span", {}, text(block.label), block.optional ? h("small", {}, " (optional)") : null), control),
      wrong ? h("p", { class: "error" }, wrong) : null,
      block.hint ? h("p", { class: "hint" }, text(block.hint)) : null);
  },
  rich_text: (block) => h("div", {}, rich(block)),
  markdown: (block) => h("div", {}, mrkdwn(block.text)),
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
  const typed = message.blocks?.every((block) => block.type === "rich_text");
  if (!message.blocks?.length || typed) return h("div", { class: "text" }, mrkdwn(message.text));
  return h("div", { class: "blocks" }, draw(message.blocks, where));
}

export { inline };

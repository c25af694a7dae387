// Rich text and Markdown blocks as DOM nodes. Neither is ever parsed as HTML.

import { h } from "./dom.js";
import { address, date, emoji, entity } from "./mrkdwn.js";

const LEAF = {
  text: (part) => part.text,
  link: (part) => address(part.url, part.text || part.url),
  emoji: (part) => emoji(`:${part.name}:`),
  user: (part) => entity(`@${part.user_id}`),
  channel: (part) => entity(`#${part.channel_id}`),
  usergroup: (part) => entity(`!subteam^${part.usergroup_id}|@${part.usergroup_id}`),
  broadcast: (part) => entity(`!${part.range}`),
  date: (part) => h("time", {}, date(part.timestamp, part.format)),
  color: (part) => h("code", {}, part.value),
};
const STYLES = [["code", "code"], ["strike", "s"], ["underline", "u"], ["italic", "i"], ["bold", "b"]];

function leaf(part) {
  let node = LEAF[part.type]?.(part) ?? "";
  for (const [style, tag] of STYLES) if (part.style?.[style]) node = h(tag, {}, node);
  return node;
}

const leaves = (element) => (element.elements ?? []).map(leaf);

const PARTS = {
  rich_text_section: (element) => h("div", { class: "lines" }, leaves(element)),
  rich_text_quote: (element) => h("blockquote", { class: "lines" }, leaves(element)),
  rich_text_preformatted: (element) => h("pre", {}, leaves(element)),
  rich_text_list: (element) => h(element.style === "ordered" ? "ol" : "ul",
    { class: `indent-${element.indent ?? 0}`, start: (element.offset ?? 0) + 1 },
    element.elements.map((item) => h("li", { class: "lines" }, leaves(item)))),
};

export const rich = (block) => h("div", { class: "rich" },
  block.elements.map((element) => PARTS[element.type]?.(element) ?? null));

const INLINE = /(`[^`\n]+`)|\[([^\]\n]+)\]\(([^)\s]+)\)|\*\*(?=\S)(.+?)\*\*|(?<!\w)[*_](?=\S)([^*_\n]*?\S)[*_](?!\w)|~~(?=\S)(.+?)~~/;

function words(text) {
  const nodes = [];
  let rest = text;
  for (let found = INLINE.exec(rest); found; found = INLINE.exec(rest)) {
    if (found.index) nodes.push(emoji(rest.slice(0, found.index)));
    if (found[1]) nodes.push(h("code", {}, found[1].slice(1, -1)));
    else if (found[2]) nodes.push(address(found[3], found[2]));
    else if (found[4]) nodes.push(h("b", {}, words(found[4])));
    else if (found[5]) nodes.push(h("i", {}, words(found[5])));
    else nodes.push(h("s", {}, words(found[6])));
    rest = rest.slice(found.index + found[0].length);
  }
  if (rest) nodes.push(emoji(rest));
  return nodes;
}

const LINES = [
  [/^#{1,6}\s+(.*)$/, (found) => h("h4", {}, words(found[1]))],
  [/^>\s?(.*)$/, (found) => h("blockquote", {}, words(found[1]))],
  [/^\s*[-*+]\s+(.*)$/, (found) => h("div", { class: "item" }, "• ", words(found[1]))],
  [/^\s*(\d+[.)])\s+(.*)$/, (found) => h("div", { class: "item" }, `${found[1]} `, words(found[2]))],
  [/^(-{3,}|\*{3,})$/, () => h("hr")],
];

function line(text) {
  for (const [pattern, draw] of LINES) {
    const found = pattern.exec(text);
    if (found) return draw(found);
  }
  return text.trim() ? h("div", {}, words(text)) : h("div", { class: "gap" });
}

export function markdown(text) {
  const parts = text.split(/^```.*$\n?/m);
  return h("div", { class: "rich" }, parts.flatMap((part, number) => (
    number % 2 ? h("pre", {}, part.replace(/\n$/, "")) : part.replace(/^\n|\n$/g, "").split("\n").map(line))));
}

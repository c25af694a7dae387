// A list of options next to a field. The field keeps the focus, and tells screen readers which row is active.

import { h } from "./dom.js";

const GAP = 4;
let number = 0;

// The list is shown next to `anchor`, if possible above it if `above` is true. If `inline` is true, the list stays
// where it was put in the page.
export function listbox({ field, anchor = field, above = false, inline = false, label = "Options" }) {
  const id = `list-${number += 1}`;
  const node = h("div", { class: inline ? "list" : "menu", role: "listbox", id, "aria-label": label, popover: inline ? null : "manual" });
  let rows = [];
  let active = -1;

  const isOpen = () => (inline ? node.isConnected : node.matches(":popover-open"));

  function close() {
    if (!inline && isOpen()) node.hidePopover();
    field.removeAttribute("aria-activedescendant");
    if (field.hasAttribute("aria-expanded")) field.setAttribute("aria-expanded", "false");
    active = -1;
  }

  function place() {
    const box = anchor.getBoundingClientRect();
    const below = window.innerHeight - box.bottom;
    const room = Math.min(node.scrollHeight + GAP, 200);
    const up = above ? box.top > room || box.top > below : below < room && box.top > below;
    node.style.left = `${box.left}px`;
    node.style.width = `${box.width}px`;
    node.style.maxHeight = `${Math.min(260, (up ? box.top : below) - 3 * GAP)}px`;
    node.style.top = up ? "auto" : `${box.bottom + GAP}px`;
    node.style.bottom = up ? `${window.innerHeight - box.top + GAP}px` : "auto";
  }

  function open() {
    if (!inline) {
      if (!isOpen()) node.showPopover();
      place();
    }
    if (field.hasAttribute("aria-expanded")) field.setAttribute("aria-expanded", "true");
  }

  function mark(row) {
    rows[active]?.node.classList.remove("active");
    active = rows.length ? (row + rows.length) % rows.length : -1;
    const current = rows[active]?.node;
    if (!current) return;
    current.classList.add("active");
    current.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", current.id);
  }

  function note(words) {
    rows = [];
    node.replaceChildren(h("p", { class: "hint" }, words));
  }

  // `draw` returns a row's contents, `has` returns whether the row's option is chosen, and `pick` chooses it.
  function fill(groups, { draw, has = () => false, pick }) {
    rows = [];
    const row = (option) => {
      const made = h("div", { role: "option", id: `${id}-${rows.length}`, class: `option${has(option) ? " has" : ""}`,
        "aria-selected": String(has(option)), onmousedown: (event) => event.preventDefault(), onclick: () => pick(option) }, draw(option));
      rows.push({ option, node: made });
      return made;
    };
    const drawn = groups.flatMap((group) => [group.label ? h("p", { class: "group" }, group.label) : null, ...group.options.map(row)]);
    active = -1;
    field.removeAttribute("aria-activedescendant");
    node.replaceChildren(...drawn.filter(Boolean));
    return rows.length;
  }

  document.addEventListener("scroll", (event) => {
    if (!inline && isOpen() && event.target !== node) place();
  }, { capture: true, passive: true });
  return { node, isOpen, open, close, mark, note, fill, move: (by) => mark(active < 0 && by < 0 ? -1 : active + by),
    current: () => rows[active]?.option, at: () => active };
}

// A field in which one types to find options, and chooses one or several of them.

import { h } from "./dom.js";
import { plain, text } from "./mrkdwn.js";

const GAP = 4;
const WAIT = 200;
let number = 0;

// `load(query)` gives {groups: [{label, options}]} or {note}; `changed` is called with what is chosen.
export function combo({ many, most, shown, held, load, changed }) {
  const id = `combo-${number += 1}`;
  const list = h("div", { class: "menu", role: "listbox", id, popover: "manual" });
  const input = h("input", { type: "text", role: "combobox", placeholder: shown, autocomplete: "off",
    "aria-controls": id, "aria-expanded": "false", "aria-autocomplete": "list" });
  const chips = h("span", { class: "chips" });
  const clear = h("button", { type: "button", class: "clear", "aria-label": "Clear", tabindex: "-1" }, "×");
  const node = h("div", { class: `combo${many ? " many" : ""}` }, chips, input, clear, list);
  let chosen = [...held];
  let rows = [];
  let active = -1;
  let asked = 0;
  let timer = 0;

  const isOpen = () => list.matches(":popover-open");

  function show() {
    if (many) {
      chips.replaceChildren(...chosen.map((option) => h("span", { class: "chip" }, plain(option.text.text),
        h("button", { type: "button", "aria-label": `Remove ${plain(option.text.text)}`, onclick: () => remove(option) }, "×"))));
      input.placeholder = chosen.length ? "" : shown;
    } else {
      input.value = plain(chosen[0]?.text.text ?? "");
    }
    clear.hidden = many || !chosen.length;
  }

  function close() {
    clearTimeout(timer);
    asked += 1;
    if (isOpen()) list.hidePopover();
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    active = -1;
  }

  function place() {
    const box = node.getBoundingClientRect();
    const below = window.innerHeight - box.bottom;
    const up = below < Math.min(list.offsetHeight + GAP, 200) && box.top > below;
    list.style.left = `${box.left}px`;
    list.style.width = `${box.width}px`;
    list.style.maxHeight = `${Math.min(260, (up ? box.top : below) - 3 * GAP)}px`;
    list.style.top = up ? "auto" : `${box.bottom + GAP}px`;
    list.style.bottom = up ? `${window.innerHeight - box.top + GAP}px` : "auto";
  }

  function open() {
    if (!isOpen()) list.showPopover();
    input.setAttribute("aria-expanded", "true");
    place();
  }

  function mark(row) {
    rows[active]?.node.classList.remove("active");
    active = rows.length ? (row + rows.length) % rows.length : -1;
    const current = rows[active]?.node;
    if (!current) return;
    current.classList.add("active");
    current.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", current.id);
  }

  const note = (words) => { rows = []; list.replaceChildren(h("p", { class: "hint" }, words)); };

  function set(options) {
    chosen = options;
    show();
    changed(chosen);
  }

  function remove(option) {
    set(chosen.filter((one) => one !== option));
    input.focus();
  }

  function pick(option) {
    if (!many) {
      set([option]);
      close();
      return;
    }
    const known = chosen.find((one) => one.value === option.value);
    if (!known && chosen.length >= most) return note(`No more than ${most} can be chosen`);
    input.value = "";
    set(known ? chosen.filter((one) => one !== known) : [...chosen, option]);
    close();
  }

  function row(option) {
    const has = chosen.some((one) => one.value === option.value);
    const made = h("div", { role: "option", id: `${id}-${rows.length}`, class: `option${has ? " has" : ""}`,
      "aria-selected": String(has), onmousedown: (event) => event.preventDefault(), onclick: () => pick(option) },
    h("span", {}, text(option.text)), option.description ? h("small", {}, text(option.description)) : null);
    rows.push({ option, node: made });
    return made;
  }

  async function look(query) {
    const mine = asked += 1;
    const waiting = setTimeout(() => { if (mine === asked) { note("Looking…"); open(); } }, 150);
    const found = await load(query);
    clearTimeout(waiting);
    if (mine !== asked || !node.isConnected) return;
    if (found.note) note(found.note);
    else {
      rows = [];
      const drawn = found.groups.flatMap((group) => [
        group.label ? h("p", { class: "group" }, group.label) : null, ...group.options.map(row)]).filter(Boolean);
      if (rows.length) list.replaceChildren(...drawn);
      else note("Nothing found");
    }
    open();
    active = -1;
    if (query && rows.length) mark(0);
  }

  function restore() {
    close();
    if (many) input.value = "";
    else if (!input.value.trim() && chosen.length) set([]);
    else show();
  }

  const KEYS = {
    ArrowDown: () => (isOpen() ? mark(active + 1) : look("")),
    ArrowUp: () => isOpen() && mark(active - 1),
    Enter: () => isOpen() && rows[active] && pick(rows[active].option),
    Escape: () => { if (!isOpen()) return false; restore(); return true; },
    Backspace: () => { if (!many || input.value || !chosen.length) return false; remove(chosen.at(-1)); return true; },
  };
  input.addEventListener("keydown", (event) => {
    const done = KEYS[event.key]?.();
    if (done === false || (event.key === "Backspace" && !done) || !(event.key in KEYS)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => look(input.value.trim()), WAIT);
  });
  input.addEventListener("focus", () => { if (!many) input.select(); });
  input.addEventListener("click", () => { if (!isOpen()) look(""); });
  input.addEventListener("blur", restore);
  clear.addEventListener("click", () => { set([]); input.focus(); });
  document.addEventListener("scroll", (event) => {
    if (isOpen() && event.target !== list) place();
  }, { capture: true, passive: true });
  node.entry = input;
  node.read = () => (many ? chosen : chosen[0] ?? null);
  show();
  return node;
}

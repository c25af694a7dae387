// A field in which people type to find options, and choose one or several of them.

import { h } from "./dom.js";
import { listbox } from "./listbox.js";
import { plain, text } from "./mrkdwn.js";

const WAIT = 200;

// `load(query)` returns {groups: [{label, options}]} or {note}. `changed` is called with the chosen options.
// `read(text)` turns typed text into an option, for fields that accept options that aren't in the list.
export function combo({ many, most, shown, held, load, changed, read = () => null }) {
  const input = h("input", { type: "text", role: "combobox", placeholder: shown, autocomplete: "off",
    "aria-expanded": "false", "aria-autocomplete": "list" });
  const chips = h("span", { class: "chips" });
  const clear = h("button", { type: "button", class: "clear", "aria-label": "Clear", tabindex: "-1" }, "×");
  const node = h("div", { class: `combo${many ? " many" : ""}` }, chips, input, clear);
  const list = listbox({ field: input, anchor: node });
  input.setAttribute("aria-controls", list.node.id);
  node.append(list.node);
  let chosen = [...held];
  let asked = 0;
  let timer = 0;

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
    list.close();
  }

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
      if (chosen[0]?.value === option.value) show();
      else set([option]);
      close();
      return;
    }
    const known = chosen.find((one) => one.value === option.value);
    if (!known && chosen.length >= most) return list.note(`No more than ${most} can be chosen`);
    input.value = "";
    set(known ? chosen.filter((one) => one !== known) : [...chosen, option]);
    close();
  }

  async function look(query) {
    const mine = asked += 1;
    const waiting = setTimeout(() => { if (mine === asked) { list.note("Looking…"); list.open(); } }, 150);
    const found = await load(query);
    clearTimeout(waiting);
    if (mine !== asked || !node.isConnected) return;
    const has = (option) => chosen.some((one) => one.value === option.value);
    const draw = (option) => [h("span", {}, text(option.text)), option.description ? h("small", {}, text(option.description)) : null];
    const count = found.note ? 0 : list.fill(found.groups, { draw, has, pick });
    if (!count) list.note(found.note ?? "Nothing found");
    list.open();
    if (!count) return;
    const held = found.groups.flatMap(({ options }) => options).findIndex(has);
    if (query) list.mark(0);
    else if (!many && held >= 0) list.mark(held);
  }

  function restore() {
    close();
    const words = input.value.trim();
    const made = !many && words && words !== plain(chosen[0]?.text.text ?? "") ? read(words) : null;
    if (made) pick(made);
    else if (many) input.value = "";
    else if (!words && chosen.length) set([]);
    else show();
  }

  const KEYS = {
    ArrowDown: () => (list.isOpen() ? list.move(1) : look("")),
    ArrowUp: () => list.isOpen() && list.move(-1),
    Enter: () => {
      const made = read(input.value.trim());
      if (list.isOpen() && list.current()) pick(list.current());
      else if (made) pick(made);
    },
    Escape: () => { if (!list.isOpen()) return false; close(); if (many) input.value = ""; else show(); return true; },
    Backspace: () => { if (!many || input.value || !chosen.length) return false; remove(chosen.at(-1)); return true; },
  };
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
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
  input.addEventListener("click", () => { if (!list.isOpen()) look(""); });
  input.addEventListener("blur", restore);
  clear.addEventListener("click", () => { set([]); input.focus(); });
  node.entry = input;
  node.read = () => (many ? chosen : chosen[0] ?? null);
  show();
  return node;
}

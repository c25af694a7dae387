// Jump to a conversation by typing a few letters of its name. Conversations with unread messages come first.

import { h, showDialog } from "./dom.js";
import { listbox } from "./listbox.js";
import { face, news } from "./places.js";

const dialog = document.getElementById("jump");

export function jump(state, channel, go) {
  if (document.querySelector("dialog[open]")) return;
  const field = h("input", { type: "text", class: "entry", role: "combobox", placeholder: "Jump to a conversation", autocomplete: "off",
    "aria-label": "Jump to a conversation", "aria-expanded": "true", "aria-autocomplete": "list" });
  const list = listbox({ field, inline: true, label: "Conversations" });
  field.setAttribute("aria-controls", list.node.id);
  const pick = (one) => {
    dialog.close();
    go(one.id);
  };
  const look = () => {
    const words = field.value.trim().replace(/^[#@]/, "").toLowerCase();
    const fits = state.channels.filter((one) => one.name.toLowerCase().includes(words) && (words || one.id !== channel));
    const order = fits.sort((one, other) => (other.unread > 0) - (one.unread > 0));
    const draw = (one) => h("span", { class: `jump-row${one.unread ? " unread" : ""}` }, face(one, state.app),
      h("span", { class: "name" }, one.name), news(one));
    if (list.fill([{ options: order }], { draw, pick })) list.mark(0);
    else list.note(`There’s no conversation called “${field.value.trim()}” here`);
  };
  field.addEventListener("input", look);
  field.addEventListener("keydown", (event) => {
    const KEYS = { ArrowDown: () => list.move(1), ArrowUp: () => list.move(-1), Enter: () => { if (list.current()) pick(list.current()); } };
    if (!KEYS[event.key] || event.isComposing) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  dialog.replaceChildren(h("div", { class: "body" }, field, list.node));
  look();
  showDialog(dialog);
  field.focus();
}

dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

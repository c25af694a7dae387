// The field for writing messages. Enter sends, Shift+Enter starts a new line, / lists the app's commands, and @ lists
// people.

import { h } from "./dom.js";
import { listbox } from "./listbox.js";

const MOST = 8;

function commands(state, before) {
  if (!/^\/\S*$/.test(before)) return null;
  const words = before.toLowerCase();
  return { from: 0, options: state.app.commands.filter((one) => one.command.toLowerCase().startsWith(words))
    .map((one) => ({ ...one, text: one.command })) };
}

function people(state, before) {
  const found = /(?:^|\s)@([\w.-]*)$/.exec(before);
  if (!found) return null;
  const words = found[1].toLowerCase();
  const fits = (one) => !one.deleted && [one.name, ...one.real_name.split(" ")].some((name) => name.toLowerCase().startsWith(words));
  return { from: before.length - found[1].length - 1,
    options: state.people.filter((one) => one.id !== "USLACKBOT" && fits(one)).map((one) => ({ ...one, text: `@${one.name}` })) };
}

const drawCommand = (one, app) => [
  h("span", { class: "usage" }, h("b", {}, one.command), ` ${one.usage_hint}`),
  h("small", {}, [one.description, app].filter(Boolean).join(" · "))];
const drawPerson = (one) => [h("b", {}, `@${one.name}`), ` ${one.real_name}`];

// `current()` returns the state of the page, and `send(text)` sends a message. Slack has no commands in threads.
export function composer(form, { current, send, changed = () => {}, isThread = false }) {
  const field = form.querySelector("textarea");
  const list = listbox({ field, anchor: field.parentElement, above: true, label: "Suggestions" });
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.node.id);
  form.append(list.node);
  let found = null;
  let dropped = "";

  function look() {
    const before = field.value.slice(0, field.selectionEnd);
    const state = current();
    found = state && field.value !== dropped && ((!isThread && commands(state, before)) || people(state, before));
    changed(field.value);
    if (!found?.options.length) {
      list.close();
      return;
    }
    const draw = (one) => (one.command ? drawCommand(one, state.app.name) : drawPerson(one));
    list.fill([{ options: found.options.slice(0, MOST) }], { draw, pick: take });
    list.open();
    list.mark(0);
  }

  function take(option) {
    const end = field.selectionEnd;
    field.setRangeText(`${option.text} `, found.from, end, "end");
    list.close();
    field.focus();
    look();
  }

  function submit() {
    const text = field.value.trim();
    if (!text) return;
    field.value = "";
    list.close();
    changed("");
    send(text);
  }

  // If a command has been typed in full, Enter sends it, because there is nothing left to complete.
  const isWhole = () => list.current()?.text === field.value.trim() && list.current().command;
  const KEYS = {
    ArrowDown: () => list.move(1),
    ArrowUp: () => list.move(-1),
    Tab: () => take(list.current()),
    Enter: () => (isWhole() ? submit() : take(list.current())),
    Escape: () => { dropped = field.value; list.close(); },
  };
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || event.shiftKey || event.altKey || event.ctrlKey || event.metaKey) return;
    if (list.isOpen() && event.key in KEYS) KEYS[event.key]();
    else if (event.key === "Enter") submit();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  field.addEventListener("input", () => { dropped = ""; look(); });
  field.addEventListener("blur", () => list.close());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  return { focus: () => field.focus() };
}

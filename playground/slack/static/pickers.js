// Date and time pickers: a field to type in, with a calendar or a list of times next to it.

import { combo } from "./combo.js";
import { h } from "./dom.js";

const GAP = 4;
const STEP = 30;
const MONTH = /\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)/i;
const two = (count) => String(count).padStart(2, "0");
const iso = (day) => `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
const dayOf = (text) => new Date(`${text}T00:00`);
const isDay = (day) => !Number.isNaN(day.getTime()) && day.getFullYear() >= 1000 && day.getFullYear() <= 9999;
const plus = (day, days) => new Date(day.getFullYear(), day.getMonth(), day.getDate() + days);
const long = (text) => dayOf(text).toLocaleDateString(undefined, { year: "numeric", month: "long", day: "numeric" });
const clock = (text) => new Date(`2000-01-01T${text}`).toLocaleTimeString(undefined, { hour: "numeric", minute: "2-digit" });

function months(day, by) {
  const first = new Date(day.getFullYear(), day.getMonth() + by, 1);
  const last = new Date(first.getFullYear(), first.getMonth() + 1, 0).getDate();
  return new Date(first.getFullYear(), first.getMonth(), Math.min(day.getDate(), last));
}

// Parse a typed date, such as 2026-11-20, or words that include the name of a month.
export function readDay(words) {
  const exact = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(words);
  if (exact) {
    const day = new Date(Number(exact[1]), Number(exact[2]) - 1, Number(exact[3]));
    return isDay(day) && day.getMonth() === Number(exact[2]) - 1 ? iso(day) : null;
  }
  if (!MONTH.test(words) || !/\b\d{1,2}\b/.test(words)) return null;
  const day = new Date(/\d{4}/.test(words) ? words : `${words} ${new Date().getFullYear()}`);
  return isDay(day) ? iso(day) : null;
}

// Parse a typed time, such as 9:41, 0941, 9.41 pm or 9 pm.
export function readTime(words) {
  const found = /^(\d{1,2})(?:[:.h]?([0-5]\d))?\s*([ap])?\.?(?:m\.?)?$/i.exec(words);
  if (!found) return null;
  const half = found[3]?.toLowerCase();
  const hour = half ? (Number(found[1]) % 12) + (half === "p" ? 12 : 0) : Number(found[1]);
  return hour < 24 && (!half || Number(found[1]) <= 12) ? `${two(hour)}:${found[2] ?? "00"}` : null;
}

function calendar({ pick, leave }) {
  const name = h("b", { "aria-live": "polite" });
  const grid = h("div", { class: "days", role: "grid" });
  const turn = (by, label, sign) => h("button", { type: "button", class: "icon", "aria-label": label,
    onclick: () => { draw(months(at, by)); } }, sign);
  const node = h("div", { class: "menu calendar", role: "dialog", "aria-label": "Choose a date", popover: "manual" },
    h("div", { class: "month" }, turn(-1, "Previous month", "‹"), name, turn(1, "Next month", "›")), grid);
  const names = [...Array(7).keys()].map((row) => new Date(2024, 0, 1 + row));
  let at = new Date();
  let held = "";

  function draw(day) {
    at = day;
    name.textContent = day.toLocaleDateString(undefined, { year: "numeric", month: "long" });
    const first = new Date(day.getFullYear(), day.getMonth(), 1);
    const start = plus(first, -((first.getDay() + 6) % 7));
    const cell = (one) => {
      const value = iso(one);
      return h("div", { role: "gridcell", "aria-selected": String(value === held) },
        h("button", { type: "button", tabindex: value === iso(at) ? "0" : "-1", "data-day": value, "aria-label": long(value),
          "aria-current": value === iso(new Date()) ? "date" : null, onclick: () => pick(value),
          class: [one.getMonth() !== day.getMonth() && "other", value === held && "held"].filter(Boolean).join(" ") }, String(one.getDate())));
    };
    const weeks = [...Array(6).keys()].map((week) => (
      h("div", { role: "row" }, [...Array(7).keys()].map((row) => cell(plus(start, 7 * week + row))))));
    grid.replaceChildren(h("div", { role: "row" }, names.map((one) => h("span", { role: "columnheader",
      "aria-label": one.toLocaleDateString(undefined, { weekday: "long" }) }, one.toLocaleDateString(undefined, { weekday: "short" }).slice(0, 2)))), ...weeks);
  }

  // A click between the buttons must not remove the focus, because that would close the calendar.
  node.addEventListener("mousedown", (event) => { if (!event.target.closest("button")) event.preventDefault(); });
  const focus = () => grid.querySelector("[tabindex='0']").focus();
  const KEYS = {
    ArrowLeft: () => plus(at, -1), ArrowRight: () => plus(at, 1), ArrowUp: () => plus(at, -7), ArrowDown: () => plus(at, 7),
    Home: () => plus(at, -((at.getDay() + 6) % 7)), End: () => plus(at, 6 - ((at.getDay() + 6) % 7)),
    PageUp: (event) => months(at, event.shiftKey ? -12 : -1), PageDown: (event) => months(at, event.shiftKey ? 12 : 1),
  };
  node.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave();
    else if (grid.contains(event.target) && KEYS[event.key]) {
      draw(KEYS[event.key](event));
      focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return { node, focus, show: (value) => { held = value; draw(value ? dayOf(value) : new Date()); } };
}

export function dayField({ held, shown, changed }) {
  const input = h("input", { type: "text", class: "entry", role: "combobox", placeholder: shown, autocomplete: "off",
    "aria-haspopup": "dialog", "aria-expanded": "false" });
  const node = h("div", { class: "day" }, input);
  let value = held || "";
  const show = () => { input.value = value ? long(value) : ""; };
  const isOpen = () => month.node.matches(":popover-open");

  function close() {
    if (isOpen()) month.node.hidePopover();
    input.setAttribute("aria-expanded", "false");
  }

  function set(found) {
    const news = found !== value;
    value = found;
    show();
    if (news) changed(value);
  }

  const month = calendar({
    pick: (found) => { input.focus(); set(found); close(); },
    leave: () => { input.focus(); close(); },
  });

  function open() {
    if (isOpen()) return;
    month.show(value);
    month.node.showPopover();
    input.setAttribute("aria-expanded", "true");
    const box = input.getBoundingClientRect();
    const { offsetHeight: tall, offsetWidth: wide } = month.node;
    const up = window.innerHeight - box.bottom < tall + GAP && box.top > tall + GAP;
    month.node.style.left = `${Math.max(GAP, Math.min(box.left, window.innerWidth - wide - GAP))}px`;
    month.node.style.top = `${up ? box.top - tall - GAP : Math.max(GAP, Math.min(box.bottom + GAP, window.innerHeight - tall - GAP))}px`;
  }

  // Return the typed date. If the text isn't a date, return the previous value.
  function typed() {
    const words = input.value.trim();
    if (words === (value ? long(value) : "")) return value;
    return words ? readDay(words) ?? value : "";
  }

  const settle = () => set(typed());

  input.addEventListener("click", open);
  input.addEventListener("focus", () => input.select());
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") {
      settle();
      close();
      open();
      month.focus();
    } else if (event.key === "Enter") {
      settle();
      close();
    } else if (event.key === "Escape" && isOpen()) close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  // Check the focus in a microtask, because redrawing a month removes it for a moment.
  node.addEventListener("focusout", () => queueMicrotask(() => {
    if (node.contains(document.activeElement)) return;
    close();
    settle();
  }));
  node.append(month.node);
  node.entry = input;
  node.read = typed;
  show();
  return node;
}

const timeOption = (value) => ({ value, text: { type: "plain_text", text: clock(value) } });
const TIMES = [...Array((24 * 60) / STEP).keys()].map((row) => `${two(Math.floor((row * STEP) / 60))}:${two((row * STEP) % 60)}`);

export function timeField({ held, shown, changed }) {
  const read = (words) => { const value = readTime(words); return value && timeOption(value); };
  const load = (query) => {
    const exact = readTime(query);
    const words = query.toLowerCase().replace(/\s/g, " ");
    const close = TIMES.filter((value) => value !== exact && (value.startsWith(words.padStart(words.indexOf(":") === 1 ? 5 : 0, "0"))
      || clock(value).toLowerCase().replace(/\s/g, " ").startsWith(words)));
    return { groups: [{ options: [...(exact ? [exact] : []), ...close].map(timeOption) }] };
  };
  const node = combo({ many: false, shown, held: held ? [timeOption(held)] : [], load, read,
    changed: (chosen) => changed(chosen[0]?.value ?? "") });
  const { read: chosen } = node;
  node.read = () => chosen()?.value ?? "";
  node.classList.add("time");
  return node;
}

// A date and a time in the browser's time zone. Once both are set, the value is in seconds since 1970.
export function momentField({ held, shown, changed }) {
  const start = held ? new Date(held * 1000) : null;
  let last = held || "";
  const value = () => (day.read() && time.read() ? Math.floor(new Date(`${day.read()}T${time.read()}`).getTime() / 1000) : "");
  const news = () => {
    if (value() === last) return;
    last = value();
    changed(last);
  };
  const day = dayField({ held: start ? iso(start) : "", shown, changed: news });
  const time = timeField({ held: start ? `${two(start.getHours())}:${two(start.getMinutes())}` : "", shown: "Time", changed: news });
  time.entry.setAttribute("aria-label", "Time");
  const node = h("div", { class: "moment" }, day, time);
  node.entry = day.entry;
  node.read = value;
  return node;
}

// Slack's mrkdwn as DOM nodes: links, mentions, dates, bold, italic, strikethrough, code, quotes and common emoji.

import { h } from "./dom.js";

const EMOJI = {
  tada: "🎉", rocket: "🚀", white_check_mark: "✅", heavy_check_mark: "✔️", x: "❌", warning: "⚠️",
  hourglass: "⌛", hourglass_flowing_sand: "⏳", zzz: "💤", fire: "🔥", eyes: "👀", wave: "👋", bulb: "💡",
  information_source: "ℹ️", question: "❓", exclamation: "❗", link: "🔗", lock: "🔒", unlock: "🔓", key: "🔑",
  computer: "💻", desktop_computer: "🖥️", package: "📦", gear: "⚙️", wrench: "🔧", hammer: "🔨", bell: "🔔",
  no_bell: "🔕", clock1: "🕐", stopwatch: "⏱️", alarm_clock: "⏰", calendar: "📅", chart_with_upwards_trend: "📈",
  memo: "📝", pencil: "✏️", wastebasket: "🗑️", recycle: "♻️", arrows_counterclockwise: "🔄", play_or_pause_button: "⏯️",
  arrow_forward: "▶️", black_square_for_stop: "⏹️", double_vertical_bar: "⏸️", red_circle: "🔴",
  large_green_circle: "🟢", large_yellow_circle: "🟡", large_blue_circle: "🔵", white_circle: "⚪", black_circle: "⚫",
  thumbsup: "👍", "+1": "👍", thumbsdown: "👎", "-1": "👎", smile: "😄", slightly_smiling_face: "🙂", thinking_face: "🤔",
  cry: "😢", sob: "😭", pray: "🙏", clap: "👏", star: "⭐", sparkles: "✨", heart: "❤️", no_entry: "⛔",
  no_entry_sign: "🚫", construction: "🚧", snail: "🐌", turtle: "🐢", robot_face: "🤖", books: "📚", mortar_board: "🎓",
};

const context = { people: new Map(), channels: new Map(), me: "" };

export function know(state) {
  context.people = new Map(state.people.map((person) => [person.id, person]));
  context.channels = new Map(state.channels.map((channel) => [channel.id, channel]));
  context.me = state.me;
}

// Like Slack, use the reader's time zone, not the browser's.
const local = (style) => ({ ...style, timeZone: context.people.get(context.me)?.tz });
export const clock = (moment, style = {}) => moment.toLocaleTimeString(undefined, local({ hour: "numeric", minute: "2-digit", ...style }));
export const full = (moment) => moment.toLocaleString(undefined, local({}));

export const plain = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

export function emoji(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => EMOJI[name] ?? whole);
}

function ago(seconds) {
  const age = Math.round(Date.now() / 1000 - seconds);
  const size = Math.abs(age);
  const [count, unit] = size < 60 ? [size, "second"] : size < 3600 ? [Math.round(size / 60), "minute"]
    : size < 86400 ? [Math.round(size / 3600), "hour"] : [Math.round(size / 86400), "day"];
  return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(age < 0 ? count : -count, unit);
}

function day(moment, style, pretty) {
  const start = (date) => Date.parse(date.toLocaleDateString("en-CA", local({})));
  const distance = Math.round((start(moment) - start(new Date())) / 86400000);
  if (pretty && Math.abs(distance) <= 1) return ["yesterday", "today", "tomorrow"][distance + 1];
  if (style === "long") {
    return moment.toLocaleDateString(undefined, local({ weekday: "long", year: "numeric", month: "long", day: "numeric" }));
  }
  const month = style === "short" ? "short" : "long";
  return moment.toLocaleDateString(undefined, local({ year: "numeric", month, day: "numeric" }));
}

export function date(seconds, format) {
  const moment = new Date(seconds * 1000);
  const tokens = {
    date_num: () => moment.toLocaleDateString("en-CA", local({})),
    date: () => day(moment, "", false),
    date_pretty: () => day(moment, "", true),
    date_short: () => day(moment, "short", false),
    date_short_pretty: () => day(moment, "short", true),
    date_long: () => day(moment, "long", false),
    date_long_pretty: () => day(moment, "long", true),
    time: () => clock(moment),
    time_secs: () => clock(moment, { second: "2-digit" }),
    ago: () => ago(seconds),
  };
  return format.replace(/\{(\w+)\}/g, (whole, name) => (tokens[name] ? tokens[name]() : whole));
}

export function address(url, label) {
  const safe = /^(https?:|mailto:)/i.test(url);
  const words = plain(label ?? url);
  return safe ? h("a", { href: plain(url), target: "_blank", rel: "noopener noreferrer" }, words) : words;
}

export function entity(inner) {
  const [target, label] = [inner.split("|")[0], inner.includes("|") ? inner.slice(inner.indexOf("|") + 1) : undefined];
  if (target.startsWith("@")) {
    const person = context.people.get(target.slice(1));
    const mine = target.slice(1) === context.me ? " mine" : "";
    return h("span", { class: `mention${mine}` }, `@${person?.name ?? label ?? target.slice(1)}`);
  }
  if (target.startsWith("#")) {
    return h("span", { class: "mention" }, `#${context.channels.get(target.slice(1))?.name ?? label ?? target.slice(1)}`);
  }
  if (target.startsWith("!date^")) {
    const [, seconds, format, link] = target.split("^");
    const words = date(Number(seconds), plain(format));
    const when = full(new Date(Number(seconds) * 1000));
    return h("time", { title: when }, link ? address(link, words) : words);
  }
  if (target.startsWith("!")) return h("span", { class: "mention" }, label ?? `@${target.slice(1).split("^")[0]}`);
  return address(target, label);
}

const INLINE = /(`[^`\n]+`)|<([^<>\n]+)>|(?<![\w*])\*(?=\S)([^*\n]*?\S)\*(?![\w*])|(?<![\w_])_(?=\S)([^_\n]*?\S)_(?![\w_])|(?<![\w~])~(?=\S)([^~\n]*?\S)~(?![\w~])/;

export function inline(text) {
  const nodes = [];
  let rest = text;
  for (let found = INLINE.exec(rest); found; found = INLINE.exec(rest)) {
    if (found.index) nodes.push(emoji(plain(rest.slice(0, found.index))));
    if (found[1]) nodes.push(h("code", {}, plain(found[1].slice(1, -1))));
    else if (found[2]) nodes.push(entity(found[2]));
    else if (found[3]) nodes.push(h("b", {}, inline(found[3])));
    else if (found[4]) nodes.push(h("i", {}, inline(found[4])));
    else nodes.push(h("s", {}, inline(found[5])));
    rest = rest.slice(found.index + found[0].length);
  }
  if (rest) nodes.push(emoji(plain(rest)));
  return nodes;
}

export function mrkdwn(text) {
  const nodes = [];
  for (const [number, part] of text.split("```").entries()) {
    if (number % 2) {
      nodes.push(h("pre", {}, plain(part.replace(/^\n/, "").replace(/\n$/, ""))));
      continue;
    }
    const lines = (number ? part.replace(/^\n/, "") : part).split("\n");
    for (const [row, line] of lines.entries()) {
      const quoted = /^(>|&gt;)\s?/.exec(line);
      if (quoted) nodes.push(h("blockquote", {}, inline(line.slice(quoted[0].length))));
      else nodes.push(...inline(line));
      if (row < lines.length - 1 && !quoted) nodes.push(h("br"));
    }
  }
  return nodes;
}

export function text(object) {
  if (!object) return [];
  if (object.type === "mrkdwn") return mrkdwn(object.text);
  const words = plain(object.emoji === false ? object.text : emoji(object.text));
  return words.split("\n").flatMap((line, row) => (row ? [h("br"), line] : [line]));
}

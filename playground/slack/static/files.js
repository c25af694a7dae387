// Files in messages: their descriptions, previews and downloads.

import { h, showDialog } from "./dom.js";

const MOST = 200_000;
const viewer = document.getElementById("viewer");

function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

const about = (file) => `${file.name} · ${size(file.size)}`;
const hrefOf = (file, me) => `/_page/file/${file.id}?${new URLSearchParams({ as: me })}`;
const download = (file, me) => h("a", { class: "button", href: hrefOf(file, me), download: file.name, "aria-label": `Download ${file.name}` }, "Download");
const picture = (file, me) => h("img", { src: hrefOf(file, me), alt: file.alt_txt || file.title });

async function inside(file, me) {
  if (file.mimetype.startsWith("image/")) return picture(file, me);
  if (!file.mimetype.startsWith("text/")) return h("p", { class: "empty" }, "There’s no preview of this kind of file. Download it to open it.");
  const answer = await fetch(hrefOf(file, me));
  if (!answer.ok) return h("p", { class: "empty" }, "This file is no longer there.");
  const words = await answer.text();
  const rest = words.length > MOST ? h("p", { class: "more" }, "This is the beginning. Download the file to see all of it.") : null;
  return h("div", {}, h("pre", { tabindex: "0", "aria-label": `Text of ${file.name}` }, words.slice(0, MOST)), rest);
}

export async function view(file, me) {
  const body = h("div", { class: "body" });
  viewer.replaceChildren(
    h("header", { role: "none" }, h("div", { class: "place-about" }, h("h2", { id: "viewer-name" }, file.title), h("p", {}, about(file))),
      download(file, me),
      h("button", { type: "button", class: "icon", "aria-label": "Close the file", onclick: () => viewer.close() }, "×")),
    body);
  showDialog(viewer);
  body.replaceChildren(await inside(file, me));
  body.querySelector("pre")?.focus();
}

viewer.addEventListener("click", (event) => { if (event.target === viewer) viewer.close(); });

export function attached(file, me) {
  const open = () => view(file, me);
  const lines = file.lines_more ? h("p", { class: "more" }, `${file.lines_more.toLocaleString()} more ${file.lines_more === 1 ? "line" : "lines"} in the file`) : null;
  const image = file.mimetype.startsWith("image/")
    ? h("button", { type: "button", class: "picture", "aria-label": `Open ${file.name}`, onclick: open }, picture(file, me)) : null;
  return h("div", { class: "file" },
    h("div", { class: "about" },
      h("span", { class: "kind", "aria-hidden": "true" }, (file.filetype || "file").slice(0, 4)),
      h("button", { type: "button", class: "title", onclick: open }, h("b", {}, file.title), h("small", {}, about(file))),
      download(file, me)),
    image,
    file.preview ? h("pre", {}, file.preview) : null,
    file.preview ? lines : null);
}

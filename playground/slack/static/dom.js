// Small helpers: make elements without ever parsing HTML, and talk to the server.

export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "class") node.className = value;
    else if (key === "value") node.value = value;
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

// Put nodes into a box in this order; those that stand right already are not touched, so they keep the focus.
export function settle(box, nodes) {
  const wanted = new Set(nodes);
  for (const old of [...box.childNodes]) if (!wanted.has(old)) old.remove();
  nodes.forEach((node, place) => {
    if (box.childNodes[place] !== node) box.insertBefore(node, box.childNodes[place] ?? null);
  });
}

let toastTimer = 0;

export function toast(text) {
  const place = document.getElementById("toast");
  place.textContent = text;
  place.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { place.hidden = true; }, 5000);
}

export async function post(path, told) {
  const answer = await fetch(`/_page/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(told),
  });
  return answer.json();
}

export async function get(path, query, signal) {
  const answer = await fetch(`/_page/${path}?${new URLSearchParams(query)}`, { signal });
  return answer.json();
}

export function confirmed(dialogText) {
  const dialog = document.getElementById("ask");
  const { title, text, confirm, deny, style } = dialogText;
  return new Promise((resolve) => {
    const end = (answer) => { dialog.close(); resolve(answer); };
    dialog.replaceChildren(
      h("header", {}, h("h2", {}, title)),
      h("div", { class: "body" }, text),
      h("footer", {},
        h("button", { type: "button", class: "button", onclick: () => end(false) }, deny),
        h("button", { type: "button", class: `button ${style || "primary"}`, onclick: () => end(true) }, confirm)),
    );
    dialog.oncancel = () => resolve(false);
    dialog.showModal();
  });
}

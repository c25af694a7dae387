// Small helpers, which create elements without ever parsing HTML, and send requests to the server.

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

// Put nodes into a box in this order. Nodes that are already in the right place aren't touched, so they keep the focus.
export function settle(box, nodes) {
  const wanted = new Set(nodes);
  for (const old of [...box.childNodes]) if (!wanted.has(old)) old.remove();
  nodes.forEach((node, place) => {
    if (box.childNodes[place] !== node) box.insertBefore(node, box.childNodes[place] ?? null);
  });
}

// Remember which node has the focus. The returned function restores a lost focus, even if the node has been redrawn.
export function focusKept() {
  const node = document.activeElement;
  if (!node || node === document.body) return () => {};
  const { block, action } = node.closest("[data-action]")?.dataset ?? {};
  const box = node.closest("[data-ts], #home");
  const row = box && (box.id ? `#${box.id}` : `#${box.parentElement.id} [data-ts="${box.dataset.ts}"]`);
  return () => {
    if (document.activeElement && document.activeElement !== document.body) return;
    const within = row && document.querySelector(row);
    const same = [...(within?.querySelectorAll("[data-action]") ?? [])].filter((one) => one.dataset.action === action);
    // If the app doesn't set block ids, they are different each time, so compare the text.
    const again = same.find((one) => one.dataset.block === block) ?? same.find((one) => one.textContent === node.textContent);
    const found = node.isConnected ? node : again?.entry ?? again ?? within;
    [found, document.getElementById("text"), document.querySelector("#tabs [aria-selected=true]")]
      .find((one) => one?.checkVisibility() && (one.focus(), document.activeElement === one));
  };
}

// Show a dialog. When it is closed in any way, the focus returns to where it was.
export function showDialog(dialog) {
  if (dialog.open) return;
  const back = focusKept();
  dialog.addEventListener("close", back, { once: true });
  dialog.showModal();
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
    dialog.setAttribute("aria-labelledby", "ask-title");
    dialog.replaceChildren(
      h("header", { role: "none" }, h("h2", { id: "ask-title" }, title)),
      h("div", { class: "body" }, text),
      h("footer", {},
        h("button", { type: "button", class: "button", onclick: () => end(false) }, deny),
        h("button", { type: "button", class: `button ${style || "primary"}`, onclick: () => end(true) }, confirm)),
    );
    dialog.oncancel = () => resolve(false);
    showDialog(dialog);
  });
}

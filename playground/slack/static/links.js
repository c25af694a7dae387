// Links leave by the address where people sign in, which notes in the new tab for whom it was opened.

let current = null;

export function linksFor(state) {
  current = state;
}

export function openLink(url) {
  const to = new URL(url, location.href);
  if (to.protocol !== "http:" && to.protocol !== "https:") return;
  const by = new URL("/openid/tab", current.sign_in_at);
  by.hash = new URLSearchParams({ as: current.me, to: to.href });
  open(by, "_blank", "noopener");
}

// The addresses of links stay what they are, for copying; only following them is different.
function follow(event) {
  const link = event.target.closest?.("a[target=_blank]");
  if (!link || !current || event.button > 1 || event.defaultPrevented) return;
  event.preventDefault();
  openLink(link.href);
}

document.addEventListener("click", follow);
document.addEventListener("auxclick", follow);

// Links open through a page of the sign-in server, which stores in the new tab the person that it was opened for.

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

// Links keep their addresses, so that people can copy them. Only following a link is different.
function follow(event) {
  const link = event.target.closest?.("a[target=_blank]");
  if (!link || !current || event.button > 1 || event.defaultPrevented) return;
  event.preventDefault();
  openLink(link.href);
}

document.addEventListener("click", follow);
document.addEventListener("auxclick", follow);

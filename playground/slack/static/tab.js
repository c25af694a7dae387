// The person of this tab. Slack's page opens its links here first, and says for whom; when the same tab comes by to sign in
// with Slack, it's still that person's. Each tab of a browser has a memory of its own for this.

if (location.pathname === "/openid/tab") {
  const asked = new URLSearchParams(location.hash.slice(1));
  const to = new URL(asked.get("to"));
  if (to.protocol === "http:" || to.protocol === "https:") {
    sessionStorage.setItem("person", asked.get("as"));
    location.replace(to);
  }
} else {
  const person = sessionStorage.getItem("person");
  const mine = [...document.links].find((link) => person && new URL(link.href).searchParams.get("as") === person);
  if (mine) location.replace(mine.href);
}

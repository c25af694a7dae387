// The person of this tab. Slack's page opens its links here first, and says for whom; when the same tab comes by to sign in
// with Slack, it's still that person's. Each tab of a browser has a memory of its own for this.

// What providers remember, they remember for all tabs: whoever comes after somebody else has to sign in there as themselves.
async function goOn(person, to) {
  const last = localStorage.getItem("last-person") ?? person;
  localStorage.setItem("last-person", person);
  if (last !== person) {
    const places = await (await fetch("/openid/sign-outs")).json();
    await Promise.allSettled(places.map(([method, url]) => fetch(url, { method, mode: "no-cors", credentials: "include" })));
  }
  location.replace(to);
}

if (location.pathname === "/openid/tab") {
  const asked = new URLSearchParams(location.hash.slice(1));
  const to = new URL(asked.get("to"));
  if (to.protocol === "http:" || to.protocol === "https:") {
    sessionStorage.setItem("person", asked.get("as"));
    await goOn(asked.get("as"), to);
  }
} else {
  const person = sessionStorage.getItem("person");
  const mine = [...document.links].find((link) => person && new URL(link.href).searchParams.get("as") === person);
  if (mine) await goOn(person, mine.href);
}

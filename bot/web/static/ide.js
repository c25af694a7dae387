// The pages of a workspace follow how it stands. One has its buttons and leads, once it runs, to the other, which
// loads the vendor's SDK as its guide says (docs/internals/providers/sphere.md) and opens it. Nothing that opens it is in a page:
// that is asked for by POST.
(function (d, s, id) {
  "use strict";

  const about = d.body.dataset;
  const NAME = "usher";
  const LOOK_MS = 3000;
  const BUSY_MS = 2000;
  const SDK_MS = 20000;
  const ENTRY_TRIES = 12;
  const shows = Boolean(about.mark);
  let phase = about.phase;
  let opening = false;
  let broken = false;
  let left = false;
  let timer = 0;

  window.SE_BASE = about.sdk;
  window.SE_HTTPS = about.https === "true";
  window.SE = window.SE || [];
  window.SE.ready = function (f) {
    if (d.readyState != "loading" && d.readyState != "interactive") f();
    else window.addEventListener("load", f);
  };

  const part = (name) => d.getElementById(name);
  const said = (name) => part("said").dataset[name];
  const pause = (ms) => new Promise((done) => window.setTimeout(done, ms));

  // Once, right after <body>; and only when there is something to show.
  let sdk = null;
  function loadSdk() {
    if (sdk) return sdk;
    sdk = new Promise((done, failed) => {
      const js = d.createElement(s);
      const fjs = d.getElementsByTagName(s)[0];
      js.id = id;
      js.src = (window.SE_HTTPS ? "https" : "http") + "://" + window.SE_BASE + "/static/sdk/sdk.min.js";
      js.addEventListener("load", done);
      js.addEventListener("error", failed);
      window.setTimeout(failed, SDK_MS);
      fjs.parentNode.insertBefore(js, fjs);
    });
    return sdk;
  }

  // Nothing of the workspace stays on a page that is somebody else's by now.
  function leave() {
    left = true;
    window.clearTimeout(timer);
    d.body.hidden = true;
    window.location.replace(about.home);
  }

  // The vendor's script is let in by the policy of one document, which is there while the workspace runs.
  function lead() {
    if (shows) {
      leave();
      return;
    }
    left = true;
    window.clearTimeout(timer);
    instead(said("loading"), "", { busy: true });
    part("open").submit();
  }

  async function ask(path, options) {
    const headers = shows ? { "X-Usher-Mark": about.mark } : {};
    const answer = await fetch(about.page + path, { cache: "no-store", redirect: "error", headers, ...options });
    if (answer.status === 401 || answer.status === 403 || answer.status === 404) {
      leave();
      return null;
    }
    if (!answer.ok) throw new Error("no answer");
    return answer.json();
  }

  async function entry() {
    for (let tries = 1; tries <= ENTRY_TRIES && phase === "running" && !left; tries++) {
      const path = tries < ENTRY_TRIES ? "/entry" : "/entry?late=1";
      const given = await ask(path, { method: "POST" }).catch(() => null);
      if (given && given.workspace) return given;
      await pause(1000);
    }
    return null;
  }

  // What the policy of this page keeps from loading is told to its owner and to the log, once for each.
  const blocked = new Set();
  d.addEventListener("securitypolicyviolation", (event) => {
    const address = /^(https?|wss?):\/\/([^/]+)/.exec(event.blockedURI);
    const source = address ? address[2] : event.blockedURI;
    const directive = event.effectiveDirective;
    if (left || !/^(inline|eval)$/.test(source) && !address) return;
    if (blocked.has(directive + source) || blocked.size >= 20) return;
    blocked.add(directive + source);
    const told = part("blocked");
    if (address) told.textContent = told.dataset.host.replace("{host}", source);
    else if (told.hidden && directive.startsWith("style-src")) told.textContent = told.dataset.inline;
    told.hidden = !told.textContent;
    const reported = new URLSearchParams({ directive, source });
    ask("/blocked?" + reported, { method: "POST" }).catch(() => {});
  });

  function instead(heading, text, offers) {
    part("instead").hidden = false;
    part("heading").textContent = heading;
    part("text").textContent = text;
    part("busy").hidden = !offers.busy;
    part("again").hidden = !offers.again;
    if (!part("start")) return;
    part("start").hidden = !offers.start;
    if (offers.start) part("start-label").textContent = offers.start;
  }

  function fail(heading, text) {
    broken = true;
    close();
    instead(heading, text, { again: true });
  }

  async function open() {
    if (opening || broken || left) return;
    opening = true;
    instead(said("loading"), "", { busy: true });
    const loaded = loadSdk().then(() => true, () => false);
    const given = await entry();
    if (left || phase !== "running") {
      opening = false;
      return;
    }
    if (!given) {
      fail(said("notGivenTitle"), said("notGiven"));
      return;
    }
    if (!(await loaded)) {
      fail(said("unreachableTitle"), said("unreachable"));
      return;
    }
    if (left || phase !== "running") {
      opening = false;
      return;
    }
    const element = d.createElement("div");
    element.id = "frame";
    element.setAttribute("data-id", NAME);
    element.setAttribute("data-workspace", given.workspace);
    if (given.token) element.setAttribute("data-workspace-token", given.token);
    element.setAttribute("data-features", "fullscreenmode");
    part("instead").hidden = true;
    part("place").appendChild(element);
    window.SE.ready(() => window.SE.workspace(NAME));
  }

  // End the view, not the workspace.
  function close() {
    opening = false;
    if (!part("frame")) return;
    const workspace = window.SE.workspace && window.SE.workspace(NAME);
    if (workspace && workspace.destroy) workspace.destroy();
    if (part("frame")) part("frame").remove();
  }

  // A time of day is written as this browser writes others, like those in Slack: 6:00 PM or 18:00.
  function inOwnForm(line, { clock, at, zone }) {
    if (!clock) return line;
    try {
      const form = new Intl.DateTimeFormat([], { hour: "numeric", minute: "2-digit", timeZone: zone });
      return line.replace(clock, form.format(new Date(at * 1000)));
    } catch {
      return line; // The browser doesn't know the zone.
    }
  }

  function show(seen) {
    phase = seen.phase;
    d.body.dataset.phase = phase;
    const line = inOwnForm(seen.line, seen);
    if (part("line").textContent !== line) part("line").textContent = line;
    part("stop").hidden = part("later").hidden = !seen.stops;
    if ((phase === "running") !== shows) lead();
    else if (shows) open();
    else instead(seen.heading, seen.text, seen);
  }

  async function look() {
    window.clearTimeout(timer);
    if (left || d.visibilityState === "hidden") return;
    try {
      const seen = await ask("/state");
      if (seen && !left) show(seen);
    } catch {
      part("line").textContent = said("lost");
    }
    if (!left) timer = window.setTimeout(look, phase === "running" ? LOOK_MS : BUSY_MS);
  }

  d.addEventListener("visibilitychange", look);
  // A page that comes back from the browser's memory may be of somebody who has signed out since.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) leave();
  });
  d.addEventListener("DOMContentLoaded", () => {
    part("line").textContent = inOwnForm(part("line").textContent, part("line").dataset);
    // Whoever reloads comes by the page that leads here: this one was asked for by a form.
    if (shows) window.history.replaceState(null, "", about.page);
    if (phase === "running" && shows) open();
    else if (phase === "running") lead();
    if (!left) timer = window.setTimeout(look, phase === "running" ? LOOK_MS : BUSY_MS);
  });
})(document, "script", "sphere-engine-jssdk");

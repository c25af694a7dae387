// The two pages of a workspace, which follow its state. The first page has the buttons. Once the workspace is running,
// it leads to the second page, which loads the vendor's SDK as the vendor's guide says (see
// docs/internals/providers/sphere.md) and opens the workspace. The secret that opens the workspace isn't part of a
// page. It is requested with a POST.
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

  // Load the SDK only when the workspace is opened, only once, and right after <body>.
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

  // The person may have signed out, or somebody else may have signed in, so remove everything about the workspace.
  function leave() {
    left = true;
    window.clearTimeout(timer);
    d.body.hidden = true;
    window.location.replace(about.home);
  }

  // Go to the other page. Only the second page's policy allows the vendor's script, and that page is shown only while
  // the workspace is running.
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

  // If the page's policy blocks something, tell the owner, and report it to the log, once for each source.
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

  // Close the view without stopping the workspace.
  function close() {
    opening = false;
    if (!part("frame")) return;
    const workspace = window.SE.workspace && window.SE.workspace(NAME);
    if (workspace && workspace.destroy) workspace.destroy();
    if (part("frame")) part("frame").remove();
  }

  // Format a time of day as this browser does (6:00 PM or 18:00), so that it looks like the times in Slack.
  function inOwnForm(line, { clock, at, zone }) {
    if (!clock) return line;
    try {
      const form = new Intl.DateTimeFormat([], { hour: "numeric", minute: "2-digit", timeZone: zone });
      return line.replace(clock, form.format(new Date(at * 1000)));
    } catch {
      return line; // The browser doesn't know the time zone.
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
  // The browser may restore this page from its cache after the person has signed out.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) leave();
  });
  d.addEventListener("DOMContentLoaded", () => {
    part("line").textContent = inOwnForm(part("line").textContent, part("line").dataset);
    // This page was requested by submitting a form. Change its address, so that a reload requests the first page
    // instead.
    if (shows) window.history.replaceState(null, "", about.page);
    if (phase === "running" && shows) open();
    else if (phase === "running") lead();
    if (!left) timer = window.setTimeout(look, phase === "running" ? LOOK_MS : BUSY_MS);
  });
})(document, "script", "sphere-engine-jssdk");

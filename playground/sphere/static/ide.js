// The stand-in IDE. It waits until the workspace is running. It then has a file, runs scenarios, and reports to the
// page that embeds it.
(function () {
  "use strict";

  const { workspace, ticket } = document.body.dataset;
  const part = (id) => document.getElementById(id);
  const LOOK_MS = 300;
  const TEXTS = {
    starting: "Loading the workspace…",
    stopped: "This workspace is stopped",
    removed: "This workspace has been removed",
    denied: "Access denied",
  };
  let outside = null;
  const untold = [];

  function tell(event, data) {
    if (outside === null) untold.push([event, data]);
    else outside.source.postMessage({ se: "event", event, data }, outside.origin);
  }

  window.addEventListener("message", (message) => {
    if (message.source !== window.parent || !message.data || message.data.se !== "hello") return;
    outside = { source: message.source, origin: message.origin };
    for (const [event, data] of untold.splice(0)) tell(event, data);
  });

  function show(seen) {
    const isRunning = seen.state === "running";
    part("ide").hidden = !isRunning;
    part("notice").hidden = isRunning && !seen.init_failed;
    if (isRunning) part("notice").textContent = seen.init_failed ? "The initialisation has failed" : "";
    else if (seen.state === "error") part("notice").textContent = "This workspace has failed: " + seen.reason;
    else part("notice").textContent = TEXTS[seen.state] || "Please wait…";
  }

  const address = location.origin.replace(/^http/, "ws") + "/sdk/live/" + workspace;
  const socket = new WebSocket(address);
  const look = () => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ ticket }));
  };
  socket.addEventListener("open", () => {
    look();
    window.setInterval(look, LOOK_MS);
  });
  socket.addEventListener("message", (message) => show(JSON.parse(message.data)));
  socket.addEventListener("close", () => {
    part("ide").hidden = true;
    part("notice").hidden = false;
    part("notice").textContent = "The connection to the workspace was lost";
  });

  async function run(scenario) {
    part("output").textContent = "…";
    const answer = await fetch("/workspace/" + workspace + "/run", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ticket, scenario, source: part("file").value }),
    });
    const told = await answer.json();
    if (!answer.ok) {
      part("output").textContent = told.message;
      return;
    }
    part("output").textContent = told.result.status.name + ": " + told.output;
    tell("stageStream", { scenario, stage: "run", stream: "stdout", content: told.output });
    tell("afterScenarioExecution", { scenario });
    tell("afterScenarioExecutionExt", { scenario, result: told.result });
  }

  // Try the browser features that an IDE needs, and that the embedding page may deny.
  async function uses() {
    const name = "se-" + workspace;
    localStorage.setItem(name, "kept");
    sessionStorage.setItem(name, "kept");
    document.cookie = name + "=kept; SameSite=None; Secure; Partitioned; Path=/";
    const answer = await fetch("/workspace/" + workspace + "/run", { method: "POST", body: "{}" });
    const popup = window.open("about:blank", "_blank", "width=300,height=200");
    const found = {
      storage: localStorage.getItem(name) === "kept" && sessionStorage.getItem(name) === "kept",
      cookies: document.cookie.includes(name + "=kept"),
      fetch: answer.status === 403,
      popup: popup !== null && popup.opener === window,
    };
    if (popup) popup.close();
    const lacks = Object.keys(found).filter((one) => !found[one]);
    part("output").textContent = lacks.length ? "Lacks " + lacks.join(", ") : "Has all that it needs";
  }

  part("uses").addEventListener("click", () => uses().catch((error) => {
    part("output").textContent = "Lacks something: " + error.message;
  }));
  // This needs its own button, because browsers allow only one such request per click.
  part("whole").addEventListener("click", () => {
    document.documentElement.requestFullscreen().then(
      () => (part("output").textContent = "Has the whole screen"),
      (error) => (part("output").textContent = "Lacks full screen: " + error.message),
    );
  });
  part("run").addEventListener("click", () => run("run"));
  part("test").addEventListener("click", () => run("test"));
  part("save").addEventListener("click", () => {
    tell("fileContent", { path: "main.py", content: part("file").value });
  });
})();

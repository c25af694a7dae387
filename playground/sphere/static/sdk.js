// A stand-in for the vendor's SDK, with the globals, elements, calls and events that the vendor's documents describe.
// Styles are set one property at a time, because a strict style-src allows that.
(function () {
  "use strict";

  const base = (window.SE_HTTPS ? "https://" : "http://") + window.SE_BASE;
  const socketBase = (window.SE_HTTPS ? "wss://" : "ws://") + window.SE_BASE;
  const queued = window.SE || [];
  const SE = (window.SE = queued);
  const known = new Map();
  const LOOK_MS = 500;

  function styled(element, properties) {
    for (const [name, value] of Object.entries(properties)) element.style.setProperty(name, value);
    return element;
  }

  // Request admission. The token is sent in the body, never in a URL.
  async function admission(id, token) {
    const form = new URLSearchParams({ workspace: id });
    if (token) form.set("token", token);
    const answer = await fetch(base + "/sdk/enter", { method: "POST", body: form, credentials: "omit" });
    return answer.ok ? (await answer.json()).ticket : null;
  }

  class Workspace {
    constructor(name, element) {
      this.name = name;
      this.element = element;
      this.id = element.getAttribute("data-workspace");
      this.listeners = new Map();
      this.events = {
        subscribe: (event, callback) => this.heard(event).add(callback),
        unsubscribe: (event, callback) => this.heard(event).delete(callback),
      };
      this.receive = this.receive.bind(this);
      window.addEventListener("message", this.receive);
      this.render();
    }

    heard(event) {
      if (!this.listeners.has(event)) this.listeners.set(event, new Set());
      return this.listeners.get(event);
    }

    async render() {
      const element = this.element;
      styled(element, { position: "relative", "min-height": "24rem" });
      this.notice = element.appendChild(document.createElement("p"));
      this.notice.className = "se-notice";
      this.notice.setAttribute("role", "status");
      this.notice.textContent = "Loading…";
      let ticket = null;
      try {
        ticket = await admission(this.id, element.getAttribute("data-workspace-token"));
      } catch {
        this.notice.textContent = "Sphere Engine cannot be reached.";
        return;
      }
      if (this.destroyed) return;
      this.notice.remove();
      const frame = (this.frame = document.createElement("iframe"));
      frame.title = "Workspace";
      frame.allow = "fullscreen; clipboard-read; clipboard-write";
      frame.addEventListener("load", () => this.post({ se: "hello" }));
      // If admission was refused, there is no ticket, and the workspace's page says why.
      frame.src = base + "/workspace/" + encodeURIComponent(this.id) +
        (ticket ? "?ticket=" + encodeURIComponent(ticket) : "");
      styled(frame, { width: "100%", height: "100%", "min-height": "24rem", border: "0", display: "block" });
      element.appendChild(frame);
      if ((element.getAttribute("data-features") || "").split(",").includes("fullscreenmode")) {
        this.addFullScreen();
      }
      if (ticket) this.watch(ticket);
    }

    post(message) {
      if (this.frame && this.frame.contentWindow) this.frame.contentWindow.postMessage(message, base);
    }

    // Keep a socket open as long as the view exists. The embedding page has to allow this.
    watch(ticket) {
      const socket = (this.socket = new WebSocket(socketBase + "/sdk/live/" + encodeURIComponent(this.id)));
      const lost = () => {
        window.clearInterval(this.timer);
        this.element.setAttribute("data-se-state", "unreachable");
      };
      const look = () => {
        if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ ticket }));
      };
      socket.addEventListener("open", () => {
        this.timer = window.setInterval(look, LOOK_MS);
        look();
      });
      socket.addEventListener("message", (message) => {
        this.element.setAttribute("data-se-state", JSON.parse(message.data).state);
      });
      socket.addEventListener("close", lost);
      // If the page's policy blocks the socket, it never opens, so there is no close event either.
      socket.addEventListener("error", lost);
    }

    addFullScreen() {
      const button = (this.button = document.createElement("button"));
      button.type = "button";
      button.className = "se-fullscreen";
      button.textContent = "Full screen";
      styled(button, { position: "absolute", top: "8px", right: "8px", "z-index": "1" });
      button.addEventListener("click", () => (this.isFull ? this.exitFullScreen() : this.enterFullScreen()));
      this.element.appendChild(button);
    }

    enterFullScreen() {
      if (!this.button) return;
      this.isFull = true;
      this.button.textContent = "Leave full screen";
      this.element.setAttribute("data-se-fullscreen", "true");
      styled(this.element, { position: "fixed", inset: "0", "z-index": "2147483647", background: "#fff" });
    }

    exitFullScreen() {
      if (!this.button) return;
      this.isFull = false;
      this.button.textContent = "Full screen";
      this.element.removeAttribute("data-se-fullscreen");
      for (const name of ["inset", "z-index", "background"]) this.element.style.removeProperty(name);
      styled(this.element, { position: "relative" });
    }

    receive(message) {
      if (message.origin !== base || !this.frame || message.source !== this.frame.contentWindow) return;
      const told = message.data;
      if (!told || told.se !== "event") return;
      for (const callback of this.heard(told.event)) callback({ event: told.event, data: told.data });
    }

    // Close the view without stopping the workspace.
    destroy() {
      this.destroyed = true;
      window.removeEventListener("message", this.receive);
      window.clearInterval(this.timer);
      if (this.socket) this.socket.close();
      this.listeners.clear();
      this.element.remove();
      if (known.get(this.name) === this) known.delete(this.name);
    }
  }

  SE.create = function (name, element) {
    if (known.has(name)) known.get(name).destroy();
    const workspace = new Workspace(name, element);
    known.set(name, workspace);
    return workspace;
  };

  SE.workspace = function (name) {
    if (known.has(name)) return known.get(name);
    const found = [...document.querySelectorAll("[data-id][data-workspace]")];
    const element = found.find((one) => one.getAttribute("data-id") === name);
    return element ? SE.create(name, element) : undefined;
  };

  if (!SE.ready) {
    SE.ready = function (callback) {
      if (document.readyState === "complete") callback();
      else window.addEventListener("load", callback);
    };
  }

  function renderAll() {
    for (const element of document.querySelectorAll(".se-workspace[data-workspace]")) {
      new Workspace("", element);
    }
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", renderAll);
  else renderAll();
})();

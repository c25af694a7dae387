// Follow what a person sees. The server tells the page that something has changed, and the page requests the new state.

import { get, toast } from "./dom.js";

const AGAIN = 2000;
// Milliseconds between two requests of a tab in the background.
const BEHIND = 1000;
const pause = (time) => new Promise((done) => { setTimeout(done, time); });

// Call `seen` with each state until the returned function is called.
export function follow(me, seen) {
  const ended = new AbortController();
  let version;
  let wanted = false;
  let busy = false;
  let socket;

  async function look() {
    wanted = true;
    if (busy) return;
    busy = true;
    try {
      while (wanted && !ended.signal.aborted) {
        wanted = false;
        const state = await get("state", { as: me }, ended.signal);
        if (!state.ok) throw new Error(state.error);
        if (state.version !== version) {
          version = state.version;
          seen(state);
        }
        if (document.hidden) await pause(BEHIND);
      }
    } catch (error) {
      if (!ended.signal.aborted) socket.close();
    } finally {
      busy = false;
    }
  }

  function open() {
    if (ended.signal.aborted) return;
    socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/_page/changes`);
    socket.onmessage = look;
    socket.onclose = async () => {
      if (ended.signal.aborted) return;
      toast("The local Slack does not answer. Trying again.");
      await pause(AGAIN);
      open();
    };
  }

  open();
  return () => {
    ended.abort();
    socket.close();
  };
}

#!/usr/bin/env bash
# jupyter-server 2.21.1: requesting the list of kernels keeps the server running
#
# Expected: shutdown_no_activity_timeout shuts "down the server after N seconds with no
#   kernels running and no activity". Requesting the list of kernels, to see whether
#   anything is still running, isn't activity, because this is how clients find out that
#   nothing is running.
# Seen: GET requests for /api/kernels, /api/sessions, /api/terminals, /api/kernelspecs
#   and /api/me change last_activity, even if the response is 404, and the server never
#   shuts down. /api/status also returns the number of kernels and the last activity,
#   but doesn't change it.
# Why it matters: A monitor or bot that checks for idle kernels every minute keeps every
#   server running all night. On a hub it does so in two ways, because the server also
#   reports this time to the hub, where the culler reads it. Request /api/status
#   instead.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  jupyter_server==2.21.1 jupyter_client==8.10.0 tornado==6.6.1

cat >"$work/look.py" <<'PYTHON'
import os
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from socket import socket

# The server checks once a minute whether it may shut down.
TIMEOUT, ALL = 10, 75
work = sys.argv[1]
PATHS = ("/api/status", "/api/kernels", "/api/me")


def look(path):
    """Return after how long a server that is asked once a second has shut down, or that it hasn't."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    homes = ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    options = ["--allow-root", "--no-browser", f"--port={port}", "--IdentityProvider.token=example"]
    options += [f"--ServerApp.root_dir={work}", f"--ServerApp.shutdown_no_activity_timeout={TIMEOUT}"]
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyter_server", *options],
        env=os.environ | dict.fromkeys(homes, work),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", headers={"Authorization": "token example"}
    )
    answered = 0
    try:
        while answered < ALL and server.poll() is None:
            try:
                urllib.request.urlopen(asked, timeout=5).read()
                answered += 1
            except OSError:
                pass
            time.sleep(1)
    finally:
        server.terminate()
        server.wait(20)
    return "still running" if answered == ALL else "shut down"


with ThreadPoolExecutor() as pool:
    for path, came in zip(PATHS, pool.map(look, PATHS), strict=True):
        print(f"asked for {path} each second: {came}")
PYTHON
seen="$("$work/venv/bin/python" "$work/look.py" "$work")"

echo "jupyter-server 2.21.1, without a kernel, shutdown_no_activity_timeout of 10 seconds"
echo "Expected: it has shut down after 75 seconds, whatever is requested."
echo "Seen:"
echo "$seen"
wanted="asked for /api/status each second: shut down
asked for /api/kernels each second: still running
asked for /api/me each second: still running"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi

#!/usr/bin/env bash
# JupyterHub 6.1.1: an empty JSON body starts a server with its previous options
#
# Expected: According to the REST API document (ServerRequest, since 6.0), if neither
#   user_options nor display_name is defined, the whole JSON body is passed as
#   user_options, as before version 6. The options of the previous launch are used only
#   if the body is null, or if there is no JSON body at all. So {} starts the server
#   with no options.
# Seen: {} is treated like a missing body. A server that was started with a GPU profile
#   is started with that profile again. {"user_options": {}} does clear the options.
# Why it matters: A client that sends {} for "the default size" worked before 6.0. Since
#   6.0, it starts an expensive server. From version 6 on, always send user_options.
set -euo pipefail
work="$(mktemp -d)"
hub=""
trap 'if [ -n "$hub" ]; then kill "$hub" 2>/dev/null || true; wait "$hub" 2>/dev/null || true; fi; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  jupyterhub==6.1.1 tornado==6.6.1 sqlalchemy==2.1.9 alembic==1.20.1 traitlets==5.16.1 \
  pydantic==2.14.4 oauthlib==4.0.1 jupyter-events==0.12.1 certipy==0.2.3

port="$("$work/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
cat >"$work/workspace.py" <<'PYTHON'
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlparse


class Server(BaseHTTPRequestHandler):
    """Answer everything, which is all that the hub waits for."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


address = urlparse(os.environ["JUPYTERHUB_SERVICE_URL"])
HTTPServer((address.hostname, address.port), Server).serve_forever()
PYTHON
cat >"$work/jupyterhub_config.py" <<PYTHON
from jupyterhub.proxy import Proxy


class NoProxy(Proxy):
    """Keep routes in memory: only the port of the hub itself is used."""

    should_start = False

    def __init__(self, **options):
        super().__init__(**options)
        self.routes = {}

    async def add_route(self, routespec, target, data):
        self.routes[routespec] = {"routespec": routespec, "target": target, "data": data}

    async def delete_route(self, routespec):
        self.routes.pop(routespec, None)

    async def get_all_routes(self):
        return self.routes


c = get_config()
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.bind_url = "http://127.0.0.1:$port"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:$port"
c.JupyterHub.db_url = "sqlite://"
c.JupyterHub.cookie_secret_file = "$work/cookie_secret"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.Authenticator.allow_all = True
c.JupyterHub.services = [{"name": "example", "api_token": "example-token-0123456789"}]
c.JupyterHub.load_roles = [{"name": "example", "services": ["example"], "scopes": ["admin:users", "admin:servers"]}]
c.Spawner.cmd = ["$work/venv/bin/python", "$work/workspace.py"]
PYTHON
cd "$work"
"$work/venv/bin/python" -m jupyterhub -f "$work/jupyterhub_config.py" >"$work/log" 2>&1 &
hub=$!

cat >"$work/starts.py" <<'PYTHON'
import json
import sys
import time
from urllib.request import ProxyHandler, Request, build_opener

API = f"http://127.0.0.1:{sys.argv[1]}/hub/api"
HEADERS = {"Authorization": "token example-token-0123456789", "Content-Type": "application/json"}
opener = build_opener(ProxyHandler({}))


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with opener.open(Request(API + path, data, HEADERS, method=method), timeout=60) as response:
        text = response.read()
    return json.loads(text) if text else None


def wait_for(condition):
    for attempt in range(120):
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.5)
    sys.exit("The hub, or its server, didn't get ready.")


def read_server():
    servers = call("GET", "/users/ada?include_stopped_servers")["servers"]
    return servers.get("", {"ready": False, "stopped": True})


wait_for(lambda: call("GET", "/"))
call("POST", "/users/ada", {})
print("hub", call("GET", "/")["version"])
for body in ({"profile": "gpu"}, {}, {"user_options": {}}):
    call("POST", "/users/ada/server", body)
    wait_for(lambda: read_server()["ready"])
    print(json.dumps(body), "starts with", json.dumps(read_server()["user_options"]))
    call("DELETE", "/users/ada/server")
    wait_for(lambda: read_server()["stopped"])
PYTHON
seen="$("$work/venv/bin/python" "$work/starts.py" "$port")"

echo "jupyterhub 6.1.1, three starts of one server, one after the other"
echo "Expected: {} starts with {}."
echo "Seen:"
echo "$seen"
wanted='hub 6.1.1
{"profile": "gpu"} starts with {"profile": "gpu"}
{} starts with {"profile": "gpu"}
{"user_options": {}} starts with {}'
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi

#!/usr/bin/env bash
# JupyterHub 6.1.1: sharing the scope servers doesn't let a token do anything
#
# Expected: The scope servers includes starting, stopping and reading servers, and a
#   person's own token with this scope can do all three. So if POST /shares/bob/lab with
#   servers!server=bob/lab is answered with 200, alice's tokens can do these things with
#   bob's server. GET /user lists the scope among her scopes.
# Seen: Reading, starting and stopping get a 404, even with a token that has all of
#   alice's permissions, although GET /user lists servers!server=bob/lab. A share of
#   start:servers does allow starting. On 5.4.6, servers is the only scope that allows
#   starting, so a share that works there is useless after an upgrade.
# Why it matters: A program that shares servers through the API has to name
#   start:servers, delete:servers and read:servers separately. A program that reads the
#   scopes of a share must not assume that servers includes these three.
set -euo pipefail
work="$(mktemp -d)"
hub=""
trap 'if [ -n "$hub" ]; then kill "$hub" 2>/dev/null || true; wait "$hub" 2>/dev/null || true; fi; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  jupyterhub==6.1.1 tornado==6.6.1 sqlalchemy==2.1.9 alembic==1.20.1 traitlets==5.16.1 \
  pydantic==2.14.4 oauthlib==4.0.1 jupyter-events==0.12.1 certipy==0.2.3

port="$("$work/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
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
c.JupyterHub.allow_named_servers = True
c.JupyterHub.services = [{"name": "example", "api_token": "example-token-0123456789"}]
c.JupyterHub.load_roles = [{"name": "example", "services": ["example"], "scopes": ["admin:users", "tokens", "shares", "servers", "read:users:name"]}]
PYTHON
cd "$work"
"$work/venv/bin/python" -m jupyterhub -f "$work/jupyterhub_config.py" >"$work/log" 2>&1 &
hub=$!

cat >"$work/share.py" <<'PYTHON'
import json
import sys
import time
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

API = f"http://127.0.0.1:{sys.argv[1]}/hub/api"
opener = build_opener(ProxyHandler({}))


def call(method, path, body=None, token="example-token-0123456789"):
    headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    try:
        with opener.open(Request(API + path, data, headers, method=method), timeout=10) as response:
            text = response.read()
            return response.status, json.loads(text) if text else None
    except HTTPError as error:
        return error.code, None


for attempt in range(120):
    try:
        version = call("GET", "/")[1]["version"]
        break
    except OSError:
        time.sleep(0.5)
else:
    sys.exit("The hub didn't start.")
print("hub", version)
call("POST", "/users", {"usernames": ["alice", "bob"]})
alice = call("POST", "/users/alice/tokens", {})[1]["token"]
for scopes in (["servers"], ["read:servers"]):
    name = f"lab{len(scopes[0])}"
    call("PUT", f"/users/bob/servers/{name}", {})
    named = [f"{scope}!server=bob/{name}" for scope in scopes]
    given = call("POST", f"/shares/bob/{name}", {"user": "alice", "scopes": named})[0]
    held = set(named) <= set(call("GET", "/user", token=alice)[1]["scopes"])
    read = call("GET", f"/users/bob/servers/{name}", token=alice)[0]
    print(f"share of {scopes[0]}: {given}; among her scopes: {held}; GET the server: {read}")
PYTHON
seen="$("$work/venv/bin/python" "$work/share.py" "$port")"

echo "jupyterhub 6.1.1, one of bob's servers is shared with alice, and read with her token"
echo "Expected: 200 for both, because servers includes reading."
echo "Seen:"
echo "$seen"
wanted="hub 6.1.1
share of servers: 200; among her scopes: True; GET the server: 404
share of read:servers: 200; among her scopes: True; GET the server: 200"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi

#!/usr/bin/env bash
# JupyterHub 6.1.1: a share of servers gives a token nothing
#
# Expected: the scope servers stands for starting, stopping and reading servers: a
#   person's own token with it does all three. So POST /shares/bob/lab with
#   servers!server=bob/lab, which is answered 200, lets alice's tokens do that
#   with bob's server, and GET /user lists the scope among hers.
# Seen: reading is 404, as are starting and stopping, with a token that has all of
#   alice's permissions, though GET /user lists servers!server=bob/lab. A share of
#   start:servers does start. On 5.4.6, servers is the only scope that starts, so
#   the share that works there is of no use after an upgrade.
# Why it matters: whoever shares by the API has to name start:servers,
#   delete:servers and read:servers one by one, and whoever reads the scopes of a
#   share mustn't take servers for the three.
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

echo "jupyterhub 6.1.1, a server of bob's shared with alice, read with her token"
echo "Expected: 200 for both, as servers stands for reading, too."
echo "Seen:"
echo "$seen"
wanted="hub 6.1.1
share of servers: 200; among her scopes: True; GET the server: 404
share of read:servers: 200; among her scopes: True; GET the server: 200"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi

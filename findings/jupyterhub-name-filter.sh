#!/usr/bin/env bash
# JupyterHub 6.1.1: name_filter=_ lists everybody
#
# Expected: GET /users accepts name_filter, which the hub's own admin page sends for its
#   search by name. The hub's tests expect the names that contain the text. The REST API
#   document doesn't describe the parameter. Underscores are common in user names, so
#   a_b finds a_b but not axb, and _ finds names that contain an underscore.
# Seen: The text is put into a LIKE pattern unchanged, where an underscore matches any
#   character. So a_b also finds axb, and a single underscore finds everybody. Upper and
#   lower case aren't distinguished either, although GET /users/NAME is exact.
# Why it matters: A program that looks up a person with limit=1, or takes a single
#   result as proof that there is only one match, may get another person's servers.
#   Compare the names in the response, or request GET /users/NAME.
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
c.JupyterHub.services = [{"name": "example", "api_token": "example-token-0123456789"}]
c.JupyterHub.load_roles = [{"name": "example", "services": ["example"], "scopes": ["admin:users"]}]
PYTHON
cd "$work"
"$work/venv/bin/python" -m jupyterhub -f "$work/jupyterhub_config.py" >"$work/log" 2>&1 &
hub=$!

cat >"$work/filter.py" <<'PYTHON'
import json
import sys
import time
from urllib.request import ProxyHandler, Request, build_opener

API = f"http://127.0.0.1:{sys.argv[1]}/hub/api"
HEADERS = {"Authorization": "token example-token-0123456789", "Content-Type": "application/json"}
opener = build_opener(ProxyHandler({}))


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with opener.open(Request(API + path, data, HEADERS, method=method), timeout=10) as response:
        return json.load(response)


for attempt in range(120):
    try:
        version = call("GET", "/")["version"]
        break
    except OSError:
        time.sleep(0.5)
else:
    sys.exit("The hub didn't start.")
call("POST", "/users", {"usernames": ["a_b", "axb", "carol"]})
print("hub", version)
for text in ("a_b", "_", "CAR"):
    print(f"name_filter={text}:", ", ".join(user["name"] for user in call("GET", f"/users?name_filter={text}")))
PYTHON
seen="$("$work/venv/bin/python" "$work/filter.py" "$port")"

echo "jupyterhub 6.1.1, GET /users with people a_b, axb and carol"
echo "Expected: a_b for both a_b and _."
echo "Seen:"
echo "$seen"
wanted="hub 6.1.1
name_filter=a_b: a_b, axb
name_filter=_: a_b, axb, carol
name_filter=CAR: carol"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi

#!/usr/bin/env bash
# JupyterHub 6.1.1: the API creates an account that nobody can sign in to
#
# Expected: User names are normalized: Authenticator.normalize_username converts them to
#   lower case before anything else. POST /users (several names) and signing in do this.
#   So POST /users/Ada creates ada, answers 409 if ada exists, or refuses the name.
# Seen: POST /users/Ada creates a second account, Ada, next to ada. GET /users/Ada
#   returns 404 if only ada exists. Signing in as Ada leads to ada, so nobody can ever
#   reach the servers of Ada, although they can be started.
# Why it matters: A bot that knows people by their name in another service ("Ada")
#   creates an account and starts a server for it, but the person never sees that
#   server. Create accounts with POST /users and a list of one name, and use the name in
#   the response.
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
c.Authenticator.allow_all = True
c.JupyterHub.services = [{"name": "example", "api_token": "example-token-0123456789"}]
c.JupyterHub.load_roles = [{"name": "example", "services": ["example"], "scopes": ["admin:users"]}]
PYTHON
cd "$work"
"$work/venv/bin/python" -m jupyterhub -f "$work/jupyterhub_config.py" >"$work/log" 2>&1 &
hub=$!

cat >"$work/accounts.py" <<'PYTHON'
import json
import sys
import time
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

HUB = f"http://127.0.0.1:{sys.argv[1]}/hub"
HEADERS = {"Authorization": "token example-token-0123456789", "Content-Type": "application/json"}
opener = build_opener(ProxyHandler({}))


def call(method, path, body=None):
    """Return the status and the document of one call."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with opener.open(Request(f"{HUB}/api{path}", data, HEADERS, method=method), timeout=60) as response:
            return response.status, json.loads(response.read())
    except HTTPError as error:
        return error.code, None


def wait_for_hub():
    for attempt in range(240):
        try:
            return call("GET", "/")[1]["version"]
        except OSError:
            time.sleep(0.5)
    sys.exit("The hub didn't get ready.")


def sign_in(name):
    """Return the name of the account that the form of the hub leads to."""
    jar = CookieJar()
    browser = build_opener(ProxyHandler({}), HTTPCookieProcessor(jar))
    browser.open(f"{HUB}/login", timeout=60).read()
    token = next(cookie.value for cookie in jar if cookie.name == "_xsrf")
    form = urlencode({"username": name, "password": "example", "_xsrf": token}).encode()
    browser.open(f"{HUB}/login?next=%2Fhub%2Fhome", form, timeout=60).read()
    token = next(cookie.value for cookie in jar if cookie.name == "_xsrf")
    request = Request(f"{HUB}/api/user", headers={"X-XSRFToken": token, "Referer": f"{HUB}/home"})
    return json.loads(browser.open(request, timeout=60).read())["name"]


print("hub", wait_for_hub())
status, people = call("POST", "/users", {"usernames": ["Ada"]})
print("POST /users with Ada:", status, [person["name"] for person in people])
print("GET /users/Ada:", call("GET", "/users/Ada")[0])
status, person = call("POST", "/users/Ada", {})
print("POST /users/Ada:", status, person and person["name"])
print("accounts:", sorted(person["name"] for person in call("GET", "/users")[1]))
print("signing in as Ada:", sign_in("Ada"))
PYTHON
seen="$("$work/venv/bin/python" "$work/accounts.py" "$port")"

echo "jupyterhub 6.1.1, REST API"
echo "Expected: 409 for POST /users/Ada, and one account."
echo "Seen:"
echo "$seen"
wanted="hub 6.1.1
POST /users with Ada: 201 ['ada']
GET /users/Ada: 404
POST /users/Ada: 201 Ada
accounts: ['Ada', 'ada']
signing in as Ada: ada"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi

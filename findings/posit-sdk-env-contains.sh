#!/usr/bin/env bash
# posit-sdk 0.17.0: "is this variable set?" raises NotImplementedError
#
# Expected: The environment variables of content are a MutableMapping. Their names can
#   be listed, while their values stay secret. According to the documentation of
#   collections.abc.Mapping, "name in mapping" and get(name, default) tell whether a
#   name exists. That doesn't require the value.
# Seen: The class has __iter__, but inherits "in" from Mapping, which asks for the
#   value, and that raises NotImplementedError. get(), pop() and setdefault() do the
#   same before they send any request, even for a name that isn't set.
# Why it matters: "Set it unless it exists" reads naturally and passes a type checker,
#   but fails the first time it runs. Use "name in env.find()".
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  posit-sdk==0.17.0 requests==2.34.2 packaging==26.4

cat >"$work/variables.py" <<'PYTHON'
import json
from collections.abc import MutableMapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from posit.connect.client import Client
from posit.connect.context import Context
from posit.connect.env import EnvVars


class Server(BaseHTTPRequestHandler):
    """Answer with the names of two variables."""

    def do_GET(self):
        content = json.dumps(["DATABASE_URL", "TZ"]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


def attempt(label, action):
    try:
        print(f"{label}: {action()}")
    except Exception as error:
        print(f"{label}: {type(error).__name__}")


server = HTTPServer(("127.0.0.1", 0), Server)
Thread(target=server.serve_forever, daemon=True).start()
client = Client(url=f"http://127.0.0.1:{server.server_port}", api_key="example-key")
variables = EnvVars(Context(client), "0123")
attempt("a MutableMapping", lambda: isinstance(variables, MutableMapping))
attempt("list(variables)", lambda: list(variables))
attempt("'TZ' in variables.find()", lambda: "TZ" in variables.find())
attempt("'TZ' in variables", lambda: "TZ" in variables)
attempt("variables.get('NEW')", lambda: variables.get("NEW"))
attempt("variables.setdefault('NEW', 'x')", lambda: variables.setdefault("NEW", "x"))
server.shutdown()
PYTHON
seen="$(env -u http_proxy -u HTTP_PROXY -u all_proxy -u ALL_PROXY timeout 60 "$work/venv/bin/python" "$work/variables.py")"

echo "posit-sdk 0.17.0, environment variables of content"
echo "Expected: 'TZ' in variables is True, get('NEW') is None."
echo "Seen:"
echo "$seen"
wanted="a MutableMapping: True
list(variables): ['DATABASE_URL', 'TZ']
'TZ' in variables.find(): True
'TZ' in variables: NotImplementedError
variables.get('NEW'): NotImplementedError
variables.setdefault('NEW', 'x'): NotImplementedError"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi

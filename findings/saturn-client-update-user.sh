#!/usr/bin/env bash
# saturn-client 2026.2.1: correcting an email address also says "not an administrator"
#
# Expected: SaturnConnection.update_user declares every field as Optional, and sends a
#   PATCH with the fields that aren't None. saturn-api, which is generated from the same
#   vendor's API document, sends only the fields that were set. So a call with an email
#   changes only the email.
# Seen: The defaults of admin and locked are False instead of None, so every call sends
#   both as false. If an administrator's address is corrected, a server that follows the
#   request takes the administrator role away.
# Why it matters: A script that renames people, or an integration that follows a
#   directory, demotes administrators one by one. Pass admin=None and locked=None, or
#   send the PATCH yourself.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  saturn-client==2026.2.1 requests==2.34.2 urllib3==2.8.0

cat >"$work/update_user.py" <<'PYTHON'
import json
import logging
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from saturn_client import SaturnConnection

logging.disable()


class Server(BaseHTTPRequestHandler):
    """Answer the version, and print the body of a PATCH."""

    def do_GET(self):
        self.answer({"version": "2026.02.01"})

    def do_PATCH(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        print(json.dumps(body, sort_keys=True))
        self.answer({})

    def answer(self, document):
        content = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


server = HTTPServer(("127.0.0.1", 0), Server)
Thread(target=server.serve_forever, daemon=True).start()
connection = SaturnConnection(f"http://127.0.0.1:{server.server_port}", "example-token")
connection.update_user("0123456789abcdef", email="ada@example.org")
server.shutdown()
PYTHON
seen="$(env -u http_proxy -u HTTP_PROXY -u all_proxy -u ALL_PROXY timeout 60 "$work/venv/bin/python" "$work/update_user.py")"

echo "saturn-client 2026.2.1, update_user(user_id, email=...)"
echo 'Expected body: {"email": "ada@example.org"}'
echo "Seen: $seen"
wanted='{"admin": false, "email": "ada@example.org", "locked": false}'
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi

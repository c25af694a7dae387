#!/usr/bin/env bash
# configurable-http-proxy 0.4.0 (PyPI): %2F in an address reaches the server behind it as a slash
#
# Expected: A proxy that chooses the target by the path's beginning forwards the path as
#   it came. The original configurable-http-proxy (npm) does: /services/files/a%2Fb stays
#   /services/files/a%2Fb. The package on PyPI is "a python implementation" of it.
# Seen: The path is decoded and encoded again, so %2F becomes a slash, and the server
#   gets /services/files/a/b. In the other direction, @ and : become %40 and %3A. The
#   query stays as it is.
# Why it matters: An API that has an id or a file's name in one segment of its path
#   answers 404 behind this proxy, or about something else, and works when called
#   directly. A signature that covers the path no longer fits, either.
set -euo pipefail
work="$(mktemp -d)"
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  configurable-http-proxy==0.4.0 tornado==6.6.1 traitlets==5.16.1 python-dateutil==4.0.0
npm install --silent --no-audit --no-fund --prefix "$work" configurable-http-proxy@5.2.0

cat >"$work/server.py" <<'PYTHON'
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Echo(BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


HTTPServer(("127.0.0.1", int(sys.argv[1])), Echo).serve_forever()
PYTHON
cat >"$work/ask.py" <<'PYTHON'
import http.client
import sys
import time

for port in map(int, sys.argv[2:]):
    for path in ("/services/files/a%2Fb", "/services/files/a@b:c", "/services/files/x?name=a%2Fb"):
        for attempt in range(100):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                connection.request("GET", path)
                response = connection.getresponse()
                break
            except OSError:
                time.sleep(0.1)
        print(sys.argv[1], path, "->", response.read().decode())
PYTHON
free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
target="$(free)" pypi="$(free)" pypi_api="$(free)" npm="$(free)" npm_api="$(free)"
"$work/venv/bin/python" "$work/server.py" "$target" &
"$work/venv/bin/configurable-http-proxy" --ip 127.0.0.1 --port "$pypi" --api-ip 127.0.0.1 --api-port "$pypi_api" \
  --default-target "http://127.0.0.1:$target" >/dev/null 2>&1 &
"$work/node_modules/.bin/configurable-http-proxy" --ip 127.0.0.1 --port "$npm" --api-ip 127.0.0.1 \
  --api-port "$npm_api" --default-target "http://127.0.0.1:$target" >/dev/null 2>&1 &
seen="$(python3 "$work/ask.py" PyPI "$pypi"; python3 "$work/ask.py" npm "$npm")"

echo "configurable-http-proxy 0.4.0 (PyPI) and 5.2.0 (npm)"
echo "Expected: every path as it was requested."
echo "Seen:"
echo "$seen"
wanted="PyPI /services/files/a%2Fb -> /services/files/a/b
PyPI /services/files/a@b:c -> /services/files/a%40b%3Ac
PyPI /services/files/x?name=a%2Fb -> /services/files/x?name=a%2Fb
npm /services/files/a%2Fb -> /services/files/a%2Fb
npm /services/files/a@b:c -> /services/files/a@b:c
npm /services/files/x?name=a%2Fb -> /services/files/x?name=a%2Fb"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi

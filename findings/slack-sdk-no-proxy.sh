#!/usr/bin/env bash
# slack-sdk 3.48.0: WebClient respects NO_PROXY, AsyncWebClient doesn't
#
# Expected: Both clients take the proxy from HTTPS_PROXY or HTTP_PROXY, and differ only
#   in being synchronous or asynchronous. So for a host in NO_PROXY, either both make
#   direct calls, as curl does, or neither does.
# Seen: WebClient passes the proxy to urllib, which checks NO_PROXY for each call.
#   AsyncWebClient passes it to aiohttp as the proxy of each call, for which aiohttp
#   doesn't read NO_PROXY, even with trust_env_in_session=True. WebhookClient and
#   AsyncWebhookClient differ in the same way. proxy="" doesn't help, because it counts
#   as "not given".
# Why it matters: If a bot that uses a gateway to Slack, or a test server in the
#   internal network, is changed to the async client, its calls are sent to the external
#   proxy. aiohttp reads both variables if the client has its own session,
#   aiohttp.ClientSession(trust_env=True), and client.proxy is set to None after the
#   client has been created.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check slack-sdk==3.48.0 aiohttp==3.14.5

cat >"$work/calls.py" <<'PYTHON'
import asyncio
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import aiohttp
from slack_sdk import WebClient, WebhookClient
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
    os.environ.pop(name, None)


class Answer(BaseHTTPRequestHandler):
    """Answer as Slack does: a proxy is asked for a whole address, Slack for a path."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.dumps({"ok": True, "asked": "proxy" if self.path.startswith("http") else "Slack"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def serve():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


async def ask():
    """Return who is asked by WebClient, WebhookClient and their async namesakes."""
    def read(response):
        return json.loads(response.body)["asked"]

    sync = WebClient("xoxb-example", base_url=slack).auth_test()["asked"]
    sync_webhook = read(WebhookClient(slack).send(text="hi"))
    asynchronous = (await AsyncWebClient("xoxb-example", base_url=slack, trust_env_in_session=True).auth_test())["asked"]
    async_webhook = read(await AsyncWebhookClient(slack, trust_env_in_session=True).send(text="hi"))
    async with aiohttp.ClientSession(trust_env=True) as session:
        client = AsyncWebClient("xoxb-example", base_url=slack, session=session)
        client.proxy = None
        own = (await client.auth_test())["asked"]
    return f"sync {sync}, {sync_webhook}; async {asynchronous}, {async_webhook}; async with an own session {own}"


slack, proxy = serve(), serve()
print("no proxy:", asyncio.run(ask()))
os.environ["HTTP_PROXY"] = proxy
print("HTTP_PROXY:", asyncio.run(ask()))
os.environ["NO_PROXY"] = "127.0.0.1"
print("HTTP_PROXY and NO_PROXY:", asyncio.run(ask()))
PYTHON
seen="$("$work/venv/bin/python" -W ignore "$work/calls.py")"

echo "slack-sdk 3.48.0, which server receives the requests of the web client and the webhook client"
echo "Expected: Slack receives both if NO_PROXY contains its host."
echo "Seen:"
echo "$seen"
wanted="no proxy: sync Slack, Slack; async Slack, Slack; async with an own session Slack
HTTP_PROXY: sync proxy, proxy; async proxy, proxy; async with an own session proxy
HTTP_PROXY and NO_PROXY: sync Slack, Slack; async proxy, proxy; async with an own session Slack"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi

#!/usr/bin/env bash
# slack-bolt 1.30.0: a listener for direct messages is also called for channels
#
# Expected: app.event accepts a dict of constraints, as app.action and app.view do, and
#   Slack's reference of the message event has channel_type ("im", "channel", "group",
#   "mpim"). So {"type": "message", "channel_type": "im"} matches direct messages, or is
#   refused when the listener is registered.
# Seen: type and subtype are compared, and every other key of the dict is silently
#   ignored. So that listener is also called for messages in channels and groups. A
#   wrong subtype in the same place does prevent it from being called.
# Why it matters: A bot answers in public although the listener was meant for direct
#   messages, and a test with a direct message passes. Check event["channel_type"] in a
#   matcher (matchers=[...]), which is called with the event.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check slack-bolt==1.30.0 slack-sdk==3.48.0

cat >"$work/events.py" <<'PYTHON'
import json
import logging

from slack_bolt import App, BoltRequest
from slack_bolt.authorization import AuthorizeResult

logging.disable()

LISTENERS = {
    "channel_type im": ({"type": "message", "channel_type": "im"}, None),
    "subtype me_message": ({"type": "message", "subtype": "me_message"}, None),
    "matcher": ("message", [lambda event: event["channel_type"] == "im"]),
}


def authorize(**arguments):
    return AuthorizeResult(enterprise_id=None, team_id="T0EXAMPLE", bot_id="B0EXAMPLE", bot_token="xoxb-example")


def is_called(constraint, matchers, channel_type):
    """Return whether a listener is called for a message of that kind of channel."""
    calls = []
    app = App(
        signing_secret="example",
        authorize=authorize,
        request_verification_enabled=False,
        process_before_response=True,
    )
    app.event(constraint, matchers=matchers)(lambda event: calls.append(event))
    event = {"type": "message", "channel_type": channel_type, "channel": "C0EXAMPLE", "user": "U0EXAMPLE", "text": "hi"}
    body = {"type": "event_callback", "team_id": "T0EXAMPLE", "api_app_id": "A0EXAMPLE", "event_id": "Ev1", "event": event}
    app.dispatch(BoltRequest(body=json.dumps(body), headers={"content-type": ["application/json"]}))
    return bool(calls)


for label, (constraint, matchers) in LISTENERS.items():
    heard = [kind for kind in ("im", "channel", "mpim") if is_called(constraint, matchers, kind)]
    print(f"{label}: hears {heard}")
PYTHON
seen="$("$work/venv/bin/python" "$work/events.py")"

echo "slack-bolt 1.30.0, app.event with a dict"
echo "Expected: the listener for channel_type im is called for ['im']."
echo "Seen:"
echo "$seen"
wanted="channel_type im: hears ['im', 'channel', 'mpim']
subtype me_message: hears []
matcher: hears ['im']"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi

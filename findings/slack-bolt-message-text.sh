#!/usr/bin/env bash
# slack-bolt 1.30.0: a plain string for app.message is a regular expression
#
# Expected: app.message accepts a str or a re.Pattern. A str is compared literally, as
#   in app.action, app.command and app.view (and as Bolt for JavaScript searches for a
#   string in the message): "resize (gpu)" matches that text, "+1" matches a vote, and
#   "v1.0" matches that version.
# Seen: The str is used as a regular expression. "resize (gpu)" matches "resize gpu" but
#   not its own text, and "v1.0" matches "v120". "+1" is accepted when the listener is
#   registered, but isn't a valid regular expression: from then on, every message is
#   answered with status 500, and the listeners after that one aren't called for any
#   text.
# Why it matters: A listener whose text comes from a setting or a name doesn't work for
#   some values, and a single value can stop the whole bot from responding, without an
#   error until a message arrives. Use re.escape(text), or a re.Pattern.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check slack-bolt==1.30.0 slack-sdk==3.48.0

cat >"$work/texts.py" <<'PYTHON'
import functools
import json
import logging
import re

from slack_bolt import App, BoltRequest
from slack_bolt.authorization import AuthorizeResult

logging.disable()


def authorize(**arguments):
    return AuthorizeResult(enterprise_id=None, team_id="T0EXAMPLE", bot_id="B0EXAMPLE", bot_token="xoxb-example")


def send(keywords, text):
    """Return the status of the answer to a message, and the keywords whose listeners are called."""
    calls = []
    app = App(
        signing_secret="example",
        authorize=authorize,
        request_verification_enabled=False,
        process_before_response=True,
    )
    for keyword in keywords:
        app.message(keyword)(functools.partial(lambda called, message: calls.append(called), keyword))
    event = {"type": "message", "channel_type": "im", "channel": "D0EXAMPLE", "user": "U0EXAMPLE", "text": text, "ts": "1.2"}
    body = {"type": "event_callback", "team_id": "T0EXAMPLE", "api_app_id": "A0EXAMPLE", "event_id": "Ev1", "event": event}
    response = app.dispatch(BoltRequest(body=json.dumps(body), headers={"content-type": ["application/json"]}))
    return f"status {response.status}, called {calls}"


for keywords, text in [
    (["resize"], "please resize"),
    (["resize (gpu)"], "resize (gpu)"),
    (["resize (gpu)"], "resize gpu"),
    (["v1.0"], "v120"),
    (["+1", "hello"], "+1"),
    (["+1", "hello"], "hello"),
    ([re.escape("+1"), "hello"], "hello"),
]:
    print(f"listeners {keywords}, message {text!r}: {send(keywords, text)}")
PYTHON
seen="$("$work/venv/bin/python" "$work/texts.py")"

echo "slack-bolt 1.30.0, app.message with a str"
echo "Expected: each keyword matches only the message that contains it."
echo "Seen:"
echo "$seen"
wanted="$(cat <<'TEXT'
listeners ['resize'], message 'please resize': status 200, called ['resize']
listeners ['resize (gpu)'], message 'resize (gpu)': status 404, called []
listeners ['resize (gpu)'], message 'resize gpu': status 200, called ['resize (gpu)']
listeners ['v1.0'], message 'v120': status 200, called ['v1.0']
listeners ['+1', 'hello'], message '+1': status 500, called []
listeners ['+1', 'hello'], message 'hello': status 500, called []
listeners ['\\+1', 'hello'], message 'hello': status 200, called ['hello']
TEXT
)"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi

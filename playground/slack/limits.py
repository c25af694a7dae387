"""Rate limits per method and workspace: those in ``docs/internals/slack.md``, or else Slack's tiers."""

from __future__ import annotations

import math
from collections import defaultdict

from playground.harness import Harness
from playground.slack.errors import SlackError

#: Limits per Slack workspace, in calls per minute. Slack publishes none for other methods.
PER_MINUTE = {
    "chat.update": 50, "conversations.open": 50, "conversations.history": 50, "chat.postEphemeral": 100,
    "users.info": 100, "views.open": 100, "views.publish": 100, "users.list": 20, "chat.postMessage": 500,
    "chat.delete": 50, "conversations.info": 50, "conversations.members": 100, "conversations.list": 20,
    "conversations.replies": 50, "views.update": 100, "views.push": 100, "bots.info": 50, "auth.revoke": 50,
    "files.getUploadURLExternal": 100, "files.completeUploadExternal": 100, "files.info": 100,
    "openid.connect.token": 100, "openid.connect.userInfo": 50, "apps.connections.open": 50,
    "apps.uninstall": 1, "usergroups.users.list": 20,
}  # fmt: skip

WINDOW = 60.0
#: Minimum seconds between two messages in a channel. Slack's limit is one per second; the difference allows
#: for jitter.
CHANNEL_GAP = 0.9


class Budgets:
    """Counts calls by their time of arrival on the server's clock, and refuses those over the limit with 429.

    If the server is told to act late on a call, the call may be counted after later ones.
    """

    def __init__(self, harness: Harness, *, on: bool = True) -> None:
        self.on = on
        self._harness = harness
        self._calls: defaultdict[str, list[float]] = defaultdict(list)
        self._posted: defaultdict[str, list[float]] = defaultdict(list)

    def method(self, method: str, came: float) -> None:
        """Count a call of a method; raise ``ratelimited`` with Retry-After if it exceeds the limit."""
        budget = PER_MINUTE.get(method)
        if budget is None or not self.on:
            return
        calls = self._calls[method] = [at for at in self._calls[method] if at > came - WINDOW]
        if len(calls) >= budget:
            self._refuse(f"{method}: more than {budget} calls a minute", min(calls) + WINDOW - came)
        calls.append(came)

    def post(self, channel: str, came: float) -> None:
        """Count a message in a channel; raise ``ratelimited`` if the last one was less than a second ago."""
        if not self.on:
            return
        posted = self._posted[channel] = [at for at in self._posted[channel] if at > came - WINDOW]
        if any(abs(came - at) < CHANNEL_GAP for at in posted):
            self._refuse(f"chat.postMessage: more than one message a second to {channel}", 1.0)
        posted.append(came)

    def forget(self) -> None:
        """Start counting again."""
        self._calls.clear()
        self._posted.clear()

    def _refuse(self, detail: str, wait: float) -> None:
        self._harness.violation("rate_limit", detail)
        retry_after = str(max(1, math.ceil(wait)))
        raise SlackError("ratelimited", status=429, headers={"Retry-After": retry_after})

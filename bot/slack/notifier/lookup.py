"""Find out whether a message of unknown outcome has arrived, by the key in its metadata.

A file's message carries no key, so it is recognised by the file's id.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from bot.domain.models import Notice, NoticeKind
from bot.slack import methods as slack_methods
from bot.slack.calls import AnySlack
from bot.store.store import Store
from bot.support.errors import SlackUnknownOutcome

PAGE: Final = 200
EVENT_TYPE: Final = "usher_notice"


def metadata(notice: Notice) -> dict[str, Any]:
    """Return what marks a message as a notice's, to be found again."""
    return {"event_type": EVENT_TYPE, "event_payload": {"key": notice.key}}


class Lookup:
    """Read the direct message with a person, or a thread in it, back to a time."""

    def __init__(self, store: Store, slack: AnySlack) -> None:
        self._store = store
        self._slack = slack

    async def find(
        self, notice: Notice, oldest: float, thread_ts: str | None = None
    ) -> tuple[str, str] | None:
        """Return where the notice's message is (channel, ts), or None; raises SlackFailed.

        ``oldest`` is by our clock, and is corrected by how far that is ahead of Slack's, which is known from
        the first page's response at the latest: so the search starts with the newest. A thread is short, and
        Slack returns it from its beginning, so it is read whole.
        """
        slack, channel = self._slack.to(notice.principal), await self.channel(notice)
        method, within = slack_methods.CONVERSATIONS_HISTORY, {}
        if thread_ts is not None:
            method, within = slack_methods.CONVERSATIONS_REPLIES, {"ts": thread_ts}
        cursor = ""
        while True:
            answer = await slack.call(
                method,
                {"channel": channel, "limit": PAGE, "include_all_metadata": True, "cursor": cursor, **within},
            )
            messages = [each for each in answer.data.get("messages") or () if isinstance(each, dict)]
            ts = _of_notice(messages, notice)
            if ts is not None:
                return channel, ts
            cursor = str((answer.data.get("response_metadata") or {}).get("next_cursor") or "")
            if not messages or not cursor:
                return None
            back_to = oldest - slack.behind
            if thread_ts is None and float(messages[-1].get("ts") or 0.0) < back_to:
                return None

    async def channel(self, notice: Notice) -> str:
        """Return the direct message's id, from an earlier send or by asking Slack; raises SlackFailed."""
        known = notice.channel_id or await self._store.known_channel(notice.principal)
        if known:
            return known
        whom = notice.principal
        answer = await self._slack.to(whom).call(slack_methods.CONVERSATIONS_OPEN, {"users": whom.user_id})
        channel = (answer.data.get("channel") or {}).get("id")
        if not channel:
            raise SlackUnknownOutcome(slack_methods.CONVERSATIONS_OPEN, "malformed_answer")
        return str(channel)


def _of_notice(messages: Iterable[dict[str, Any]], notice: Notice) -> str | None:
    file_id = str(notice.body.get("file") or "") if notice.kind is NoticeKind.JOB_FILE else ""
    for message in messages:
        payload = (message.get("metadata") or {}).get("event_payload") or {}
        files = {each.get("id") for each in message.get("files") or () if isinstance(each, dict)}
        if (payload.get("key") == notice.key or (file_id and file_id in files)) and message.get("ts"):
            return str(message["ts"])
    return None

"""Finds messages that may have been sent, by searching Slack for the keys in their metadata."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from bot.domain.notices import FILE_KINDS, Answer, Mark, Notice, NoticeKind
from bot.slack import methods
from bot.slack.installed import AnySlack
from bot.store import notices as notice_rows
from bot.store.store import Store
from bot.support import errors

MESSAGES_PER_PAGE: Final = 200
EVENT_TYPE: Final = "usher_notice"


def build_metadata(notice: Notice) -> dict[str, Any]:
    """Return the metadata that lets a search recognise a notice's message."""
    return {"event_type": EVENT_TYPE, "event_payload": {"key": notice.key}}


class PostedMessage(NamedTuple):
    """A message in Slack and its text."""

    channel: str
    ts: str
    said: Answer


class Lookup:
    """Searches a person's direct messages, or one of their threads, back to a given time."""

    def __init__(self, store: Store, slack: AnySlack) -> None:
        self._store = store
        self._slack = slack

    # guards: No notice is lost or sent twice
    async def find(
        self, notices: Sequence[Notice], oldest: float, thread_ts: str | None = None
    ) -> dict[str, PostedMessage]:
        """Return the messages found for one person's notices, by notice id. Raises SlackFailed.

        ``oldest`` is a time by Usher's clock. The search starts with the newest message, because the first
        response shows how far Usher's clock is ahead of Slack's. Threads are short, and are read in full.
        """
        slack, channel = self._slack.find_client(notices[0].principal), await self.find_channel(notices[0])
        method, within = methods.CONVERSATIONS_HISTORY, {}
        if thread_ts is not None:
            method, within = methods.CONVERSATIONS_REPLIES, {"ts": thread_ts}
        cursor = ""
        messages_by_id: dict[str, PostedMessage] = {}
        while True:
            answer = await slack.call(
                method,
                {
                    "channel": channel,
                    "limit": MESSAGES_PER_PAGE,
                    "include_all_metadata": True,
                    "cursor": cursor,
                    **within,
                },
            )
            messages = [each for each in answer.data.get("messages") or () if isinstance(each, dict)]
            for notice in notices:
                message = _find_message(messages, notice)
                if message is not None:
                    messages_by_id[notice.id] = PostedMessage(
                        channel, str(message["ts"]), _read_answer(message)
                    )
            cursor = str((answer.data.get("response_metadata") or {}).get("next_cursor") or "")
            if not messages or not cursor or len(messages_by_id) == len(notices):
                return messages_by_id
            back_to = oldest - slack.clock_lag
            if thread_ts is None and float(messages[-1].get("ts") or 0.0) < back_to:
                return messages_by_id

    async def find_channel(self, notice: Notice) -> str:
        """Return the id of a person's direct message channel, stored or from Slack. Raises SlackFailed."""
        channel = notice.channel_id or await self._store.read(
            notice_rows.find_direct_channel, notice.principal
        )
        if channel:
            return channel
        whom = notice.principal
        answer = await self._slack.find_client(whom).call(methods.CONVERSATIONS_OPEN, {"users": whom.user_id})
        channel = (answer.data.get("channel") or {}).get("id")
        if not channel:
            raise errors.SlackUnknownOutcome(methods.CONVERSATIONS_OPEN, "malformed_answer")
        return str(channel)


def _read_answer(message: Mapping[str, Any]) -> Answer:
    blocks = [block for block in message.get("blocks") or () if isinstance(block, dict) and block.get("type")]
    return Answer(str(message.get("text") or ""), tuple(blocks))


def _find_message(messages: Iterable[dict[str, Any]], notice: Notice) -> dict[str, Any] | None:
    file_id = str(notice.body.get("file") or "") if notice.kind in FILE_KINDS else ""
    for message in messages:
        payload = (message.get("metadata") or {}).get("event_payload") or {}
        files = {each.get("id") for each in message.get("files") or () if isinstance(each, dict)}
        is_its_own = _is_key_of(str(payload.get("key")), notice) or (file_id and file_id in files)
        if is_its_own and message.get("ts"):
            return message
    return None


def _is_key_of(key: str, notice: Notice) -> bool:
    """Return whether the key found in a message belongs to a notice.

    If the notice says how an operation or run ended, any message about the end matches. After a failover, the
    database may have lost the row of the message that was sent, and may say that the work ended differently.
    """
    if Mark.END not in notice.kind.marks:
        return key == notice.key
    return any(key.startswith(f"{notice.subject}/{kind}/") for kind in NoticeKind if Mark.END in kind.marks)

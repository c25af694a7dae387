"""A message that promised an answer ("Checking …") becomes that answer, where it can be edited."""

from __future__ import annotations

from typing import Final

from bot.domain.models import Answer, Notice, NoticeState
from bot.slack.calls import AnySlack
from bot.slack.errors import meaning
from bot.slack.notifier.drawing import edit, update
from bot.slack.notifier.lookup import metadata
from bot.store.store import Store
from bot.support.errors import SlackLimited, SlackPermanent

#: An edit notifies nobody: after so many seconds the answer is a message of its own.
BECOMES_WITHIN: Final = 120.0
#: Seconds until a reply that is just being sent is checked again.
SOON: Final = 1.0
#: For how many seconds an answer waits until Slack has room for an edit; then it is a message of its own.
LONGEST_WAIT: Final = 5.0


class Promises:
    """Find the message that promised an answer, and edit it."""

    def __init__(self, store: Store, slack: AnySlack) -> None:
        self._store = store
        self._slack = slack

    async def keep(self, notice: Notice, answer: Answer) -> bool:
        """Let the answer replace its promise; return False if it has to be sent as a message.

        A promise that wasn't sent yet never is. Raises SlackFailed.
        """
        interaction = str(notice.body.get("becomes") or "")
        promise = await self._store.reply_to(interaction) if interaction else None
        if promise is None:
            return False
        if promise.state is NoticeState.LEASED:
            await self._store.notice_retry(notice, SOON, error="promise under way")
            return True
        if promise.state is not NoticeState.SENT:
            await self._store.notice_dead(promise.id, "superseded")
            return False
        channel, ts = promise.channel_id or "", promise.message_ts
        is_recent = await self._store.now() - promise.created_at <= BECOMES_WITHIN
        if not ts or not channel.startswith("D") or not is_recent:
            return False
        try:
            # With the key, so that an edit of unknown outcome is found like any message.
            message = update(channel, ts, answer) | {"metadata": metadata(notice)}
            await edit(self._slack.to(notice.principal), message)
        except SlackLimited as error:
            if error.retry_after <= LONGEST_WAIT:
                raise
            # Updates of cards have used up what fits into the minute; somebody waits for this.
            return False
        except SlackPermanent as error:
            if meaning(error).is_shut_out:
                raise
            return False
        await self._store.notice_sent(notice.id, channel, ts)
        return True

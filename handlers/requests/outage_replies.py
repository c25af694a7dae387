"""Replies to messages that the database couldn't record. Each message gets one reply, posted directly."""

import asyncio
from typing import Any, Final

import structlog

from bot.domain.people import Principal
from bot.domain.surfaces import Surface, Where
from bot.messages.blocks import replies
from bot.messages.texts import problems
from bot.slack.installed import AnySlack
from bot.slack.methods import CHAT_POST_EPHEMERAL, CHAT_POST_MESSAGE
from bot.slack.notifier.rendering import POST_OPTIONS
from bot.support.clock import Ids
from bot.support.errors import SlackFailed, SlackUnknownOutcome, StoreError

log = structlog.get_logger(__name__)

#: Timeout for Slack to accept a reply, in seconds. An ack is due within 3 s, and most of this time has
#: already passed when the database fails.
SEND_SECONDS: Final = 0.8
#: Maximum number of messages for which Usher remembers whether Slack accepted the reply.
MAX_REMEMBERED_MESSAGES: Final = 1000


class Unanswered(StoreError):
    """Raised if the answer to a message couldn't be stored.

    The changes that the message requested may not have been stored, either.
    """

    def __init__(self, cause: StoreError, principal: Principal, surface: Surface) -> None:
        super().__init__(str(cause))
        self.principal = principal
        self.surface = surface


class OutageReplies:
    """Replies once to each message whose first delivery fails.

    Slack will redeliver the message, so the reply has to be true even if the second delivery succeeds.
    Messages that got a reply are remembered only by this process. But Slack marks redeliveries, so a message
    doesn't get a second reply even after a restart.
    """

    def __init__(self, slack: AnySlack, ids: Ids) -> None:
        self._slack = slack
        self._ids = ids
        #: Maps a message's channel and ts to whether Slack accepted the reply. If it didn't, another reply
        #: may be sent when the message is delivered again.
        self._sent: dict[tuple[str | None, str | None], bool] = {}

    async def send(self, unanswered: Unanswered, *, is_redelivery: bool) -> None:
        """Post the reply, unless the message already has one. This never raises."""
        principal, surface = unanswered.principal, unanswered.surface
        key = surface.channel_id, surface.message_ts
        if self._sent.get(key, is_redelivery):
            return
        self._sent[key] = True
        if len(self._sent) > MAX_REMEMBERED_MESSAGES:
            del self._sent[next(iter(self._sent))]
        reference = self._ids.reference()
        logger = log.bind(reference=reference, principal=principal.key)
        try:
            async with asyncio.timeout(SEND_SECONDS):
                method, message = _call_for(principal, surface, reference)
                channel = principal.user_id if method == CHAT_POST_MESSAGE else None
                slack = self._slack.find_client(principal)
                await slack.call(method, message, channel=channel, must_count=False)
        except (SlackUnknownOutcome, TimeoutError) as error:
            logger.warning("outage reply not confirmed", problem=error)
        except (SlackFailed, StoreError) as error:
            logger.warning("outage reply not sent", problem=error)
            self._sent[key] = False
        except Exception:
            # Whatever happens to the reply, the event has to be redelivered.
            logger.exception("outage reply failed")
        else:
            logger.info("outage reply sent")


def _call_for(principal: Principal, surface: Surface, reference: str) -> tuple[str, dict[str, Any]]:
    """Return the API method and its arguments for a reply in the place where the person expects it."""
    answer = replies.plain_problem(problems.MESSAGE_NOT_RECORDED, reference)
    message = {"channel": surface.channel_id or principal.user_id, "text": answer.text, **POST_OPTIONS}
    message |= {"blocks": list(answer.blocks)}
    message |= {"thread_ts": surface.thread_ts} if surface.thread_ts else {}
    if surface.where is Where.DIRECT:
        return CHAT_POST_MESSAGE, message
    return CHAT_POST_EPHEMERAL, message | {"user": principal.user_id}

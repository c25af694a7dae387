"""Replies to clicks, events and mentions: sent right away or not at all, and never twice (ADR 4).

A message that promised an answer ("Checking …") becomes that answer, where it can be edited.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import structlog

from bot.domain.notices import Notice
from bot.domain.surfaces import Where
from bot.messages.blocks import kit
from bot.messages.texts import notices as notice_words
from bot.slack import methods
from bot.slack.calls import AnySlack, leads_to_slack
from bot.slack.errors import Meaning, meaning
from bot.slack.notifier.drawing import AS_WRITTEN
from bot.slack.notifier.lookup import metadata
from bot.slack.notifier.timing import Timing
from bot.store.store import Store
from bot.support import errors
from bot.support.http import Http

log = structlog.get_logger(__name__)


#: What an answer in a channel is refused with where a direct message may work.
_CLOSED: Final = frozenset({Meaning.PLACE, Meaning.PERSON, Meaning.THREAD})


class Replies:
    """Send replies to where they belong.

    A reply's body holds the Answer (``text``, ``blocks``, ``replaces``, ``in_channel``) and where to send it:
    ``response_url``, or ``channel_id``, ``thread_ts`` and ``where`` it is read; without either, the person.
    With ``view`` it redraws a form.
    """

    def __init__(self, store: Store, slack: AnySlack, http: Http, timing: Timing, api_url: str) -> None:
        self._api_url = api_url
        self._store = store
        self._slack = slack
        self._http = http
        self._timing = timing

    async def send(self, notice: Notice, *, is_try: bool = False) -> None:
        """Send a reply once; one that is too late is given up, and so is one that may have been sent.

        While Slack is away it waits, unless it has an address of its own, or is what is tried.
        """
        left = notice.created_at + self._timing.reply_lives - await self._store.now()
        if notice.unknown_since is not None or left <= 0:
            await self._dead(notice, "expired" if left <= 0 else "outcome_unknown")
            return
        if self._slack.to(notice.principal).is_away and not is_try and not notice.body.get("response_url"):
            await self._again(notice, 1.0, left, "away")
            return
        try:
            await self._deliver(notice)
        except (errors.SlackLimited, errors.RateLimited) as error:
            # It was not delivered, so it may be tried again while it is still useful.
            await self._again(notice, error.retry_after or 1.0, left, "ratelimited")
        except errors.Unreachable:
            await self._again(notice, 1.0, left, "unreachable")
        except (errors.SlackFailed, errors.ProviderError) as error:
            await self._dead(notice, getattr(error, "code", type(error).__name__))

    async def _deliver(self, notice: Notice) -> None:
        body = notice.body
        if body.get("view"):
            await self._redraw(notice)
            return
        message: dict[str, Any] = {"text": body.get("text") or ""}
        message |= {"blocks": list(body["blocks"])} if body.get("blocks") else {}
        thread = {"thread_ts": body["thread_ts"]} if body.get("thread_ts") else {}
        if body.get("response_url"):
            await self._respond(notice, message)
        elif body.get("channel_id") and body.get("where") != Where.DIRECT:
            try:
                await self._in_channel(notice, message | thread)
            except errors.SlackPermanent as error:
                if meaning(error) not in _CLOSED:
                    raise
                # The channel doesn't take it, but they are waiting for it.
                await self._post(notice, _moved(body), notice.principal.user_id)
        else:
            target = body.get("channel_id") or notice.principal.user_id
            await self._post(notice, message | thread, str(target))

    async def _redraw(self, notice: Notice) -> None:
        """Redraw an open form; one that was closed or changed in the meantime doesn't need it."""
        body = notice.body
        place = {key: body[key] for key in ("view_id", "hash", "external_id") if body.get(key)}
        await self._slack.to(notice.principal).call(methods.VIEWS_UPDATE, {"view": body["view"], **place})
        await self._store.notice_sent(notice.id, "", "")

    async def _respond(self, notice: Notice, message: dict[str, Any]) -> None:
        url = str(notice.body["response_url"])
        if not leads_to_slack(url, self._api_url):
            raise errors.SlackFailed(methods.RESPONSE_URL, "strange_address")
        replaces = bool(notice.body.get("replaces"))
        message |= {"replace_original": replaces, "unfurl_links": False, "unfurl_media": False}
        if not replaces:
            message["response_type"] = "in_channel" if notice.body.get("in_channel") else "ephemeral"
        total = self._timing.send_timeout
        answer = await self._http.request("POST", url, json_body=message, total=total, max_bytes=100_000)
        if answer.status == 429:
            raise errors.RateLimited(retry_after=answer.retry_after())
        if answer.status >= 300:
            raise errors.SlackFailed(methods.RESPONSE_URL, f"status_{answer.status}")
        channel, over = (str(notice.body.get(name) or "") for name in ("channel_id", "over"))
        await self._store.notice_sent(notice.id, channel, over, in_place=True)

    async def _in_channel(self, notice: Notice, message: dict[str, Any]) -> None:
        """Answer in a channel: visible only to this person, unless they asked to share it."""
        channel = str(notice.body["channel_id"])
        if notice.body.get("in_channel"):
            await self._post(notice, message, channel)
            return
        message |= {"channel": channel, "user": notice.principal.user_id}
        await self._slack.to(notice.principal).call(methods.CHAT_POST_EPHEMERAL, message)
        await self._store.notice_sent(notice.id, channel, "")

    async def _post(self, notice: Notice, message: dict[str, Any], channel: str) -> None:
        message |= {"channel": channel, **AS_WRITTEN}
        # A person's direct message goes by two ids; its budget goes by the person.
        direct = channel.startswith("D") or channel == notice.principal.user_id
        paced = notice.principal.user_id if direct else channel
        if direct:
            message["metadata"] = metadata(notice)
        answer = await self._slack.to(notice.principal).call(
            methods.CHAT_POST_MESSAGE, message, channel=paced
        )
        data = answer.data
        await self._store.notice_sent(notice.id, str(data.get("channel") or ""), str(data.get("ts") or ""))

    async def _again(self, notice: Notice, wait: float, left: float, error: str) -> None:
        if wait >= left:
            await self._dead(notice, error)
        else:
            await self._store.notice_retry(notice, wait, error=error)

    async def _dead(self, notice: Notice, error: str) -> None:
        log.info("reply given up", notice=notice.id, problem=error)
        await self._store.notice_dead(notice.id, error)


def _moved(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of an answer that says why it isn't in its channel."""
    said = notice_words.NOT_IN_CHANNEL.format(channel=body["channel_id"])
    blocks = body.get("blocks") or [kit.section(str(body.get("text") or ""))]
    moved = kit.answer([kit.context(said), *blocks])
    return {"text": moved.text, "blocks": list(moved.blocks)}

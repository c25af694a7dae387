"""Sends replies to commands, clicks and mentions: each once, within a minute, or not at all (ADR 88)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from bot.domain.notices import Answer, NewNotice, Notice, NoticeKind
from bot.domain.plan import backoff
from bot.domain.surfaces import Where
from bot.messages.blocks import kit, plain, stored
from bot.messages.texts import notices as notice_words
from bot.slack import methods
from bot.slack.calls import UNREACHABLE_CODE, is_slack_address
from bot.slack.errors import Meaning, classify, is_content_refused
from bot.slack.installed import AnySlack
from bot.slack.notifier.lookup import build_metadata
from bot.slack.notifier.rendering import (
    POST_OPTIONS,
    build_edit,
    digest,
    make_message_content,
)
from bot.slack.notifier.results import Results
from bot.slack.notifier.timing import Timing
from bot.slack.response_urls import to_slack_error
from bot.store import notices
from bot.store.store import Store
from bot.support import errors
from bot.support.http import Http

log = structlog.get_logger(__name__)

#: A reply can take several routes, such as its ``response_url`` or a direct message. After a temporary error,
#: Usher retries the same route later. After this many attempts, it tries the next route at once instead.
MAX_ATTEMPTS_PER_WAY: Final = 2
#: Minimum time, in seconds, between two messages that tell a person that they may have missed answers.
UNSURE_PERIOD_SECONDS: Final = 600
#: A function that sends a reply by one route and records that the reply was sent. Raises SlackFailed.
Way = Callable[[Notice], Awaitable[None]]


class Replies:
    """Sends replies, each by the best route that still reaches its recipient.

    A reply's body contains the Answer (``text``, ``blocks``, ``replaces``) and a ``response_url``, or a
    ``channel_id`` with ``thread_ts`` and ``where`` (the kind of place). If it contains neither, the reply is
    sent to the person. A body with a ``view`` redraws an open form. A body without text deletes the message
    that the reply replaces.
    """

    def __init__(
        self, store: Store, slack: AnySlack, http: Http, results: Results, timing: Timing, api_url: str
    ) -> None:
        self._api_url = api_url
        self._store = store
        self._results = results
        self._slack = slack
        self._http = http
        self._timing = timing
        #: Ids of replies that are sent outside their thread because Slack refused the thread.
        self._alone: set[str] = set()

    async def send(self, notice: Notice, *, is_try: bool = False) -> None:
        """Send a reply once. Give up if it is too late, or if the reply may already have been sent.

        If Slack refuses the blocks, send text. While Slack is down, a reply waits, unless it has a
        ``response_url`` or is the message that is being retried (``is_try``).
        """
        seconds_left = notice.created_at + self._timing.reply_lives - await self._store.now()
        if notice.unknown_since is not None or seconds_left <= 0:
            await self._give_up(notice, "expired" if seconds_left <= 0 else "outcome_unknown")
            return
        try:
            await self._deliver(notice, seconds_left, is_try=is_try)
        except errors.SlackLimited as error:
            # The reply wasn't delivered, so try again while it is still useful.
            await self._retry(notice, error.retry_after, seconds_left, error.code)
        except errors.SlackFailed as error:
            if not isinstance(error, errors.SlackPermanent | errors.SlackUnknownOutcome):
                await self._retry(
                    notice, backoff(notice.attempts, 0.5, longest=2.0), seconds_left, error.code
                )
            elif _can_be_text(notice, error):
                log.warning("slack refused blocks", notice=notice.id, problem=error.code)
                await self._results.retry_as_text(notice, error.code)
            elif self._can_leave_thread(notice, error):
                self._alone.add(notice.id)
                await self._retry(notice, 0.0, seconds_left, error.code)
            else:
                await self._give_up(notice, error.code)
                if isinstance(error, errors.SlackUnknownOutcome):
                    await self._say_unsure(notice)

    async def _deliver(self, notice: Notice, seconds_left: float, *, is_try: bool) -> None:
        """Try each route to the person until one works. Raise the last SlackFailed if none does.

        Try the next route only after a definite refusal.
        """
        ways = self._list_ways_back(notice)
        for way in ways:
            is_away = self._slack.find_client(notice.principal).is_away and not is_try
            if is_away and way != self._respond:
                raise errors.SlackFailed(methods.CHAT_POST_MESSAGE, UNREACHABLE_CODE)
            try:
                await way(notice)
            except errors.SlackFailed as error:
                is_last = way == ways[-1] or self._can_leave_thread(notice, error)
                if is_last or not _should_try_next_way(notice, error, seconds_left):
                    raise
                log.info("reply sent another way", notice=notice.id, problem=error.code)
            else:
                self._alone.discard(notice.id)
                return

    def _list_ways_back(self, notice: Notice) -> list[Way]:
        """Return the routes to a person, best first. Only replies by the first may be visible to others."""
        body = notice.body
        if body.get("replaces") and not body.get("text"):
            return [self._respond]
        if body.get("view"):
            return [self._update_view, self._post_to_person] if body.get("blocks") else [self._update_view]
        is_in_channel = bool(body.get("channel_id")) and body.get("where") != Where.DIRECT
        ways: list[Way] = [self._respond] if body.get("response_url") else []
        return [*ways, *([self._post_ephemeral] if is_in_channel else []), self._post_to_person]

    async def _update_view(self, notice: Notice) -> None:
        body = notice.body
        view_fields = {key: body[key] for key in ("view_id", "hash", "external_id") if body.get(key)}
        view = plain.make_plain_view(body["view"]) if notice.is_text else body["view"]
        await self._slack.find_client(notice.principal).call(
            methods.VIEWS_UPDATE, {"view": view, **view_fields}
        )
        await self._results.write_sent(notice, "", "")

    async def _respond(self, notice: Notice) -> None:
        url, body = str(notice.body["response_url"]), notice.body
        if not is_slack_address(url, self._api_url):
            # Slack never supplies such a URL, so don't send the reply by any route.
            raise errors.SlackUnknownOutcome(methods.RESPONSE_URL, "strange_address")
        replaces = bool(body.get("replaces"))
        message = _make_content(notice) | {
            "replace_original": replaces,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if replaces and not body.get("text"):
            message = {"delete_original": True}
        if not replaces:
            message["response_type"] = "ephemeral"
        total = self._timing.send_timeout
        try:
            answer = await self._http.request("POST", url, json_body=message, total=total, max_bytes=100_000)
        except (errors.Unreachable, errors.SentTooLate):
            raise errors.SlackFailed(methods.RESPONSE_URL, UNREACHABLE_CODE) from None
        except errors.ProviderError as error:
            raise errors.SlackUnknownOutcome(methods.RESPONSE_URL, type(error).__name__) from None
        pause = answer.retry_after()
        pause = backoff(notice.attempts, 0.5, longest=30.0) if pause is None else pause
        if (failed := to_slack_error(answer.status, answer.body, pause=pause)) is not None:
            raise failed
        channel, over = (str(body.get(name) or "") for name in ("channel_id", "over"))
        await self._results.write_sent(notice, channel, over, in_place=True)

    async def _post_ephemeral(self, notice: Notice) -> None:
        channel = str(notice.body["channel_id"])
        message = (
            _make_content(notice)
            | self._make_thread_fields(notice)
            | {"channel": channel, "user": notice.principal.user_id}
        )
        await self._slack.find_client(notice.principal).call(methods.CHAT_POST_EPHEMERAL, message)
        await self._results.write_sent(notice, channel, "")

    async def _post_to_person(self, notice: Notice) -> None:
        """Answer by direct message. If the person asked in a channel, explain why."""
        body = notice.body
        channel = body.get("channel_id")
        if channel and body.get("where") == Where.DIRECT:
            await self._post(notice, _make_content(notice) | self._make_thread_fields(notice), str(channel))
        else:
            is_named = bool(channel) and not str(channel).startswith("D")
            message = _make_content(notice, moved_from=str(channel) if is_named else "")
            await self._post(notice, message, notice.principal.user_id)

    async def _post(self, notice: Notice, message: dict[str, Any], channel: str) -> None:
        message |= {"channel": channel, **POST_OPTIONS}
        # For the rate limit, count direct messages under the person's id, even if the channel's id is given.
        direct = channel.startswith("D") or channel == notice.principal.user_id
        paced = notice.principal.user_id if direct else channel
        if direct:
            message["metadata"] = build_metadata(notice)
        answer = await self._slack.find_client(notice.principal).call(
            methods.CHAT_POST_MESSAGE, message, channel=paced
        )
        channel_id, ts = str(answer.data.get("channel") or ""), str(answer.data.get("ts") or "")
        is_rendered_again = bool(notice.body.get("shows")) and not notice.is_text
        rendered = digest(build_edit(channel_id, ts, _to_answer(notice, ""))) if is_rendered_again else ""
        await self._results.write_sent(notice, channel_id, ts, rendered_digest=rendered)

    def _make_thread_fields(self, notice: Notice) -> dict[str, Any]:
        thread_ts = notice.body.get("thread_ts")
        return {"thread_ts": thread_ts} if thread_ts and notice.id not in self._alone else {}

    def _can_leave_thread(self, notice: Notice, error: errors.SlackFailed) -> bool:
        """Return whether Slack may accept a reply outside its thread, where nobody else would see it."""
        is_refused = isinstance(error, errors.SlackPermanent) and classify(error) is Meaning.THREAD
        return is_refused and bool(self._make_thread_fields(notice))

    async def _retry(self, notice: Notice, wait: float, seconds_left: float, error: str) -> None:
        if wait >= seconds_left:
            await self._give_up(notice, error)
        else:
            await self._results.retry(notice, wait, error=error)

    async def _say_unsure(self, notice: Notice) -> None:
        """Tell a person that they may have missed an answer, at most once per ``UNSURE_PERIOD_SECONDS``."""
        period = int(await self._store.now() // UNSURE_PERIOD_SECONDS)
        person, body = notice.principal, stored.to_body(Answer(notice_words.NOT_CONFIRMED))
        await self._store.write(
            notices.add_notices, [NewNotice(person.key, NoticeKind.MESSAGE, f"unsure:{period}", person, body)]
        )

    async def _give_up(self, notice: Notice, error: str) -> None:
        log.info("reply given up", notice=notice.id, problem=error)
        self._alone.discard(notice.id)
        await self._results.write_dead(notice, error)


def _should_try_next_way(notice: Notice, error: errors.SlackFailed, seconds_left: float) -> bool:
    """Return whether to try another route, because the same one won't deliver the reply in time.

    Never do so if the reply may already have been shown, or if the person has changed a form since. After a
    temporary error, try the same route again first.
    """
    if isinstance(error, errors.SlackLimited):
        return error.retry_after >= seconds_left
    if isinstance(error, errors.SlackRefusedHere):
        return True
    if isinstance(error, errors.SlackUnknownOutcome) or classify(error).is_shut_out:
        return False
    if not isinstance(error, errors.SlackPermanent):
        return notice.attempts > MAX_ATTEMPTS_PER_WAY
    return classify(error) is not Meaning.STALE and not _can_be_text(notice, error)


def _can_be_text(notice: Notice, error: errors.SlackFailed) -> bool:
    has_blocks = bool(notice.body.get("blocks") or notice.body.get("view"))
    return has_blocks and not notice.is_text and is_content_refused(error)


def _make_content(notice: Notice, *, moved_from: str = "") -> dict[str, Any]:
    return make_message_content(_to_answer(notice, moved_from), is_text=notice.is_text)


def _to_answer(notice: Notice, moved_from: str) -> Answer:
    answer = stored.read(notice.body, notice.created_at)
    if not moved_from:
        return answer
    said = f"I can't post in <#{moved_from}>, so here is my answer."
    return kit.answer([kit.context(said), *(answer.blocks or [kit.section(answer.text)])])

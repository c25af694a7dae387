"""The outbox, which sends notices: messages that must be delivered.

It claims due notices, which keeps other processes from sending them. It renders each notice from its rows,
sends it once, and records the result.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

import structlog

from bot.domain.notices import UNPOSTED, Answer, Mark, NewNotice, Notice, NoticeError, NoticeKind, NoticeState
from bot.domain.people import Principal
from bot.domain.plan import backoff
from bot.messages.blocks import kit, stored
from bot.messages.blocks.usage_picture import render_in_words
from bot.messages.texts import notices as notice_words
from bot.services.context import Context
from bot.services.message_context import Gatherer
from bot.slack import calls, methods
from bot.slack.calls import NOT_INSTALLED_CODE, PacedSlack
from bot.slack.errors import Meaning, classify, is_content_refused
from bot.slack.installed import AnySlack
from bot.slack.notifier.destinations import Destination, Destinations
from bot.slack.notifier.files import PICTURE_NAME, upload_picture
from bot.slack.notifier.lookup import Lookup, build_metadata
from bot.slack.notifier.rendering import (
    MAX_PAUSE_SECONDS,
    POST_OPTIONS,
    NoticeRenderer,
    RenderedNotice,
    build_edit,
    digest,
    edit,
    make_message_content,
)
from bot.slack.notifier.replies import Replies
from bot.slack.notifier.results import Results
from bot.slack.notifier.timing import Timing
from bot.store import notices as notice_rows
from bot.store import slack_rate_limits
from bot.support import errors
from bot.support.pool import Pool, contain_errors, count_free_slots, run_all
from bot.support.windows import Window, limit_departures

log = structlog.get_logger(__name__)


#: Maps a notice's urgency (0 is the highest) to the share of Slack's rate limit that it may use.
BUDGET_SHARES: Final = {0: 1.0, 1: 1.0, 2: 0.9, 3: 0.8}
_REPLIES_ONLY: Final = {0: 1.0}
#: Kinds of Slack errors after which Usher can't send the person any direct messages.
_NO_DIRECT_MESSAGE: Final = frozenset({Meaning.PLACE, Meaning.PERSON})
#: Kinds of Slack errors that prevent files from being sent. Messages can still be sent.
_NO_FILE: Final = frozenset({Meaning.FILE, Meaning.SETUP, Meaning.REQUEST})
#: Prefix of the ``occasion`` (part of the unique key) of a notice about an undelivered message.
_MISSING: Final = "missing:"
#: Error code recorded for a card that may or may not have been posted.
_UNKNOWN_OUTCOME: Final = "outcome_unknown"
#: A reply that promised an answer is edited to show the answer only if the reply is at most this many seconds
#: old. After that, the answer is sent as a new message, because Slack doesn't notify people of edits.
MAX_PROMISE_AGE_SECONDS: Final = 120.0
#: How often to check, in seconds, whether the reply that promised an answer has been sent. Until then, the
#: answer can't replace it.
PROMISE_CHECK_SECONDS: Final = 1.0
#: Maximum time, in seconds, that Usher waits for Slack's rate limit to allow an edit. If it would take
#: longer, the answer is sent as a new message.
MAX_EDIT_WAIT_SECONDS: Final = 5.0
#: Error recorded for a message that was being sent when the process ended. ``_BROKEN`` is recorded after a
#: bug in Usher.
_STOPPED: Final = errors.SlackUnknownOutcome(methods.CHAT_POST_MESSAGE, "stopped")
_BROKEN: Final = errors.SlackFailed(methods.CHAT_POST_MESSAGE, "internal")


class Outbox:
    """Sends due notices within Slack's rate limits, the most urgent ones first."""

    def __init__(
        self,
        context: Context,
        slack: AnySlack,
        gatherer: Gatherer,
        replies: Replies,
        results: Results,
        timing: Timing,
    ) -> None:
        self._store = context.store
        self._destinations = Destinations(self._store)
        self._slack = slack
        self._replies = replies
        self._results = results
        self._clock = context.clock
        self._ids = context.ids
        self._owners = context.owners
        self._timing = timing
        self._last_start = timing.last_start
        self._lookup = Lookup(self._store, slack)
        self._renderer = NoticeRenderer(context, self._destinations, gatherer, timing)

    async def step(self, pool: Pool | None = None) -> int:
        """Claim due notices and send them. Return how many notices were claimed or retried.

        If ``pool`` is given, send them in the pool without waiting.
        """
        limit = count_free_slots(pool, self._timing.batch)
        if limit <= 0:
            return 0
        installed = self._slack.list_clients()
        tries = [self._try(slack) for slack in installed if slack.claim_try()]
        await run_all(tries, pool)
        for slack in installed:
            if slack.claim_release():
                await self._store.perform(
                    notice_rows.release_notices, slack.budget.installation.id, self._timing.settles
                )
        shares = _REPLIES_ONLY if installed and all(slack.is_away for slack in installed) else BUDGET_SHARES
        # Notices beyond the budget aren't claimed, so they keep their place in the queue.
        quota = self._slack.get_quota(methods.CHAT_POST_MESSAGE)
        claimed_at = self._clock.monotonic()
        notices = await self._store.perform(
            notice_rows.claim_notices, limit, self._timing.lease, shares, self._owners.name, quota
        )
        await run_all(self._plan_sends(notices, claimed_at), pool, is_full=len(notices) >= limit)
        return len(notices) + len(tries)

    async def _try(self, slack: PacedSlack) -> None:
        """Retry one of an installation's pending messages, to find out whether Slack is still down.

        If a send gets no response, Usher has to search for that message later. So while there are messages to
        search for, most retries are searches, and only the 1st, 3rd, 7th, 15th … retry sends a message. Some
        retries must be sends, because searches may fail for other reasons.
        """
        installation_id, is_send = slack.budget.installation.id, slack.tries & (slack.tries + 1) == 0
        async with contain_errors("try", self._ids, installation=installation_id):
            claimed_at, lease, owner = self._clock.monotonic(), self._timing.lease, self._owners.name
            notices = await self._store.claim(
                notice_rows.claim_pending, installation_id, lease, owner, is_send=is_send
            )
            if not notices:
                slack.note_nothing_pending(self._timing.settles)
            elif is_send and notices[0].unknown_since is not None:
                # No message could be sent, so this retry searches for one that may have been. It isn't
                # counted, so that the next retry tries to send a message again.
                slack.tries -= 1
            await run_all(self._plan_sends(notices, claimed_at, is_try=True), None)

    def _plan_sends(
        self, notices: Sequence[Notice], claimed_at: float, *, is_try: bool = False
    ) -> list[Coroutine[Any, Any, None]]:
        """Return coroutines that send the notices or search for those that may already have been sent."""
        unsure: dict[Principal, list[Notice]] = {}
        for notice in notices:
            if notice.unknown_since is not None and _is_searchable(notice.kind):
                unsure.setdefault(notice.principal, []).append(notice)
        others = [item for item in notices if item not in unsure.get(item.principal, ())]
        searches = [self._search_person(of_person) for of_person in unsure.values()]
        return [*searches, *(self._isolate_errors(notice, claimed_at, is_try) for notice in others)]

    async def _isolate_errors(self, notice: Notice, claimed_at: float, is_try: bool) -> None:
        # The notice may have been sent, so search for it before sending it again.
        back = partial(self._record_unknown, notice, _STOPPED)
        failed = partial(self._postpone, notice, _BROKEN, is_unknown=True)
        # `Results` handles database errors after a send, so an error here means that nothing was sent.
        unwritten = partial(self._put_back, [notice])
        hands_back = {"back": back, "failed": failed, "unwritten": unwritten}
        async with contain_errors("notice", self._ids, **hands_back, notice=notice.id):
            # Don't start a call that could outlast the lease, because another process may send the notice
            # once the lease has expired.
            with limit_departures(Window(claimed_at + self._last_start)):
                if notice.kind is NoticeKind.REPLY:
                    await self._replies.send(notice, is_try=is_try)
                else:
                    await self._send_one(notice, is_try)

    async def _put_back(self, notices: Sequence[Notice]) -> None:
        """Requeue claimed notices that weren't sent because the database failed."""
        for notice in notices:
            await self._results.retry(notice, 0.0, error=NoticeError.NOT_WRITTEN)

    async def _send_one(self, notice: Notice, is_try: bool) -> None:
        try:
            if not is_try and self._slack.find_client(notice.principal).is_away:
                raise errors.SlackFailed(methods.CHAT_POST_MESSAGE, calls.UNREACHABLE_CODE)
            if notice.kind in UNPOSTED and notice.unknown_since is not None:
                # The card may be in the channel, but Usher never reads channels. Ask the card's author
                # whether to post it again.
                await self._ask_poster(notice, _UNKNOWN_OUTCOME)
                return
            rendered = await self._renderer.render(notice, is_try=is_try)
            if rendered is not None:
                await self._hand_over(notice, rendered)
        except errors.SlackFailed as error:
            await self._record_failure(notice, error)

    async def _record_failure(
        self, notice: Notice, error: errors.SlackFailed, *, is_search: bool = False
    ) -> None:
        if isinstance(error, errors.SlackLimited):
            await self._postpone_limited(notice, error)
        elif isinstance(error, errors.SlackUnknownOutcome) and not is_search:
            await self._record_unknown(notice, error)
        elif isinstance(error, errors.SlackPermanent) and not classify(error).is_shut_out:
            if classify(error) is Meaning.THREAD and Mark.THREADED in notice.kind.marks:
                self._destinations.leave_thread(notice)
                await self._results.retry(notice, 0.0, error=error.code)
            else:
                await self._give_up(notice, error)
        else:
            if isinstance(error, errors.SlackRefusedHere):
                await self._say_in_channel(notice)
            await self._postpone(notice, error)

    async def _hand_over(self, notice: Notice, rendered: RenderedNotice) -> None:
        if rendered.is_plain and notice.kind in UNPOSTED:
            await self._ask_poster(notice, NoticeError.UNDRAWABLE)
        elif notice.kind is NoticeKind.CARD_UPDATE:
            await self._update(notice, rendered)
        elif notice.kind is NoticeKind.JOB_FILE and not rendered.is_plain:
            await self._share_file(notice, rendered.answer, rendered.destination)
        elif notice.kind is NoticeKind.USAGE_PICTURE and not rendered.is_plain:
            await self._share_picture(notice, rendered)
        elif not (notice.body.get("becomes") and await self._replace_promised_answer(notice, rendered)):
            await self._send(notice, rendered)

    # guards: No notice is lost or sent twice
    async def _replace_promised_answer(self, notice: Notice, rendered: RenderedNotice) -> bool:
        """Replace the message that promised this answer. Return False if the answer must be sent on its own.

        If the promise is still being sent, requeue the notice, and return True. Raises SlackFailed.
        """
        promise = await self._find_promise(notice)
        if promise is None:
            return False
        if promise.state is NoticeState.LEASED:
            await self._results.retry(notice, PROMISE_CHECK_SECONDS, error=NoticeError.PROMISED)
            return True
        channel, ts = promise.channel_id or "", promise.message_ts
        is_recent = await self._store.now() - promise.created_at <= MAX_PROMISE_AGE_SECONDS
        if not ts or not channel.startswith("D") or not is_recent:
            return False
        try:
            # Put the key into the metadata, so that Usher can search for the edited message if the outcome is
            # unknown.
            message = build_edit(channel, ts, rendered.answer) | {"metadata": build_metadata(notice)}
            await edit(self._slack.find_client(notice.principal), message)
        except errors.SlackLimited as error:
            if error.retry_after <= MAX_EDIT_WAIT_SECONDS:
                raise
            # Card updates have used up this minute's edits, and a person is waiting, so send a new message.
            return False
        except errors.SlackPermanent as error:
            if classify(error).is_shut_out:
                raise
            return False
        await self._results.write_sent(notice, channel, ts, said=rendered.said, in_place=True)
        return True

    async def _find_promise(self, notice: Notice) -> Notice | None:
        """Return the message that a notice should replace, or None if there is none.

        If that message is a promise that hasn't been sent yet, drop the promise, and return the message that
        it would have replaced.
        """
        passed = [notice.id]
        while interaction := str(notice.body.get("becomes") or ""):
            promise = await self._store.read(notice_rows.reply_to, interaction, passed)
            if promise is None or promise.state in {NoticeState.LEASED, NoticeState.SENT}:
                return promise
            await self._results.write_dead(promise, "superseded")
            notice = promise
            passed.append(notice.id)
        return None

    async def _search_person(self, notices: Sequence[Notice]) -> None:
        broken = errors.SlackFailed(methods.CONVERSATIONS_HISTORY, "internal")
        postpone, of = partial(self._postpone_all, notices, broken), notices[0].principal.key
        unwritten = partial(self._put_back, notices)
        async with contain_errors(
            "search", self._ids, back=postpone, failed=postpone, unwritten=unwritten, principal=of
        ):
            threads: dict[str | None, list[Notice]] = {}
            for notice in notices:
                destination = await self._destinations.find(notice)
                threads.setdefault(destination.thread_ts if destination is not None else None, []).append(
                    notice
                )
            for thread_ts, of_person in threads.items():
                await self._search(of_person, thread_ts)

    async def _search(self, notices: Sequence[Notice], thread_ts: str | None) -> None:
        since = min(notice.unknown_since or 0.0 for notice in notices)
        try:
            async with asyncio.timeout(self._last_start / 2):
                found = await self._lookup.find(notices, since - self._timing.looks_back, thread_ts)
        except TimeoutError:
            for notice in notices:
                await self._results.retry(notice, self._timing.settles, error=NoticeError.NOT_LOOKED_UP)
        except errors.SlackFailed as error:
            await self._postpone_all(notices, error)
        else:
            for notice in notices:
                if (there := found.get(notice.id)) is not None:
                    said = await self._renderer.draw_found(notice, there.said)
                    await self._results.write_sent(notice, there.channel, there.ts, said=said, in_place=True)
            await self._results.write_not_sent([item for item in notices if item.id not in found])

    async def _postpone_all(self, notices: Sequence[Notice], error: errors.SlackFailed) -> None:
        for notice in notices:
            await self._record_failure(notice, error, is_search=True)

    async def _update(self, notice: Notice, rendered: RenderedNotice) -> None:
        """Update a card in place. A card in a channel stays unchanged if it can't be rendered."""
        if rendered.is_plain and notice.body["card"] in UNPOSTED:
            await self._results.write_dead(notice, NoticeError.UNDRAWABLE)
            return
        channel, ts = rendered.destination.channel, str(notice.body["message_ts"])
        await edit(self._slack.find_client(notice.principal), build_edit(channel, ts, rendered.answer))
        await self._results.write_sent(notice, channel, ts, said=rendered.said)

    async def _share_file(self, notice: Notice, answer: Answer, destination: Destination) -> None:
        channel = destination.channel
        if destination.thread_ts is None:
            channel = await self._lookup.find_channel(notice)
        message: dict[str, Any] = {
            "files": [{"id": notice.body.get("file"), "title": notice.body.get("name")}],
            "channel_id": channel,
            "initial_comment": answer.text,
        }
        if destination.thread_ts is not None:
            message["thread_ts"] = destination.thread_ts
        await self._slack.find_client(notice.principal).call(methods.FILES_COMPLETE_UPLOAD, message)
        await self._results.write_sent(notice, channel, "")

    async def _share_picture(self, notice: Notice, rendered: RenderedNotice) -> None:
        try:
            if "file" not in notice.body:
                slack, body = self._slack.find_client(notice.principal), notice.body
                file = await upload_picture(slack, body["svg"], body["alt_text"])
                body |= {"file": file, "name": PICTURE_NAME}
                await self._store.write(notice_rows.keep_body, notice, body)
                notice = replace(notice, body=body)
            await self._share_file(notice, rendered.answer, rendered.destination)
        except (errors.PictureError, errors.SlackPermanent) as error:
            if isinstance(error, errors.SlackPermanent) and classify(error) not in _NO_FILE:
                raise
            log.warning("picture not sent", notice=notice.id, problem=error)
            words = render_in_words(notice.body["alt_text"])
            await self._send(notice, rendered._replace(answer=words, said=stored.to_said(words, notice.body)))

    async def _send(self, notice: Notice, rendered: RenderedNotice) -> None:
        destination, is_text = rendered.destination, notice.is_text
        content = make_message_content(rendered.answer, is_text=is_text)
        message: dict[str, Any] = {
            "channel": destination.channel,
            **content,
            "metadata": build_metadata(notice),
            **POST_OPTIONS,
        }
        if destination.thread_ts is not None:
            message["thread_ts"] = destination.thread_ts
        try:
            sent = await self._post(notice, message)
        except errors.SlackPermanent as error:
            is_kept = notice.kind in UNPOSTED
            if not is_content_refused(error) or "blocks" not in message or is_kept:
                raise
            log.warning("slack refused blocks", notice=notice.id, kind=str(notice.kind), problem=error.code)
            await self._results.retry_as_text(notice, error.code)
            return
        rendered_digest = "" if is_text else digest(content)
        await self._results.write_sent(notice, *sent, rendered_digest=rendered_digest, said=rendered.said)

    async def _post(self, notice: Notice, message: dict[str, Any]) -> tuple[str, str]:
        method = methods.CHAT_POST_MESSAGE
        share = BUDGET_SHARES[notice.kind.urgency]
        answer = await self._slack.find_client(notice.principal).call(
            method, message, channel=_find_pacing_key(notice), share=share
        )
        channel, ts = answer.data.get("channel"), answer.data.get("ts")
        if not channel or not ts:
            raise errors.SlackUnknownOutcome(method, "malformed_answer")
        return str(channel), str(ts)

    async def _record_unknown(self, notice: Notice, error: errors.SlackUnknownOutcome) -> None:
        log.info("outcome of a send unknown", notice=notice.id, problem=error.code)
        await self._results.write(notice.id, partial(self._write_unknown, notice, error.code))

    async def _write_unknown(self, notice: Notice, code: str) -> None:
        # Read the time in this function, because ``Results.write`` repeats it if the database fails. If the
        # time were read by the caller, the database error would be taken to mean that the notice wasn't sent.
        since = await self._store.now()
        await self._store.write(
            notice_rows.retry_notice, notice, self._timing.settles, error=code, unknown_since=since
        )

    async def _postpone_limited(self, notice: Notice, error: errors.SlackLimited) -> None:
        """Return a rate-limited notice to the queue until the pause ends.

        If only Usher's own budget has run out, the notice keeps its place in the queue.
        """
        wait = min(error.retry_after, MAX_PAUSE_SECONDS)
        quota, share = self._slack.get_quota(methods.CHAT_POST_MESSAGE), BUDGET_SHARES[notice.kind.urgency]
        if not await self._store.read(slack_rate_limits.count_remaining_calls, quota, share):
            wait = min(notice.created_at - await self._store.now(), 0.0)
        await self._results.retry(notice, wait, error=error.code)

    async def _postpone(self, notice: Notice, error: errors.SlackFailed, *, is_unknown: bool = False) -> None:
        now = await self._store.now()
        is_let_in = self._slack.find_client(notice.principal).lockout_code in (None, NOT_INSTALLED_CODE)
        max_age = self._timing.gives_up_after
        if notice.kind in UNPOSTED and classify(error) is Meaning.UNKNOWN:
            max_age = self._timing.gives_up_in_channel
        if now - notice.created_at > max_age and is_let_in:
            await self._give_up(notice, error)
            return
        # The budget already spreads out the sends, so no jitter is needed.
        wait = backoff(notice.attempts, 0.5, longest=MAX_PAUSE_SECONDS)
        min_wait, since = (self._timing.settles, now) if is_unknown else (0.0, None)
        if isinstance(error, errors.SlackRefusedHere):
            min_wait = error.retry_after
        log.info("notice not sent yet", notice=notice.id, kind=str(notice.kind), problem=error.code)
        await self._results.retry(notice, max(wait, min_wait), error=error.code, unknown_since=since)

    async def _ask_poster(self, notice: Notice, error: str) -> None:
        """Give up on a card in a channel, and ask the card's author what to do.

        The question is written first. If giving up then fails, both steps are repeated, but the question is
        asked only once.
        """
        body = {
            "connection": notice.body.get("connection"),
            "is_unsure": error == _UNKNOWN_OUTCOME,
            "cause": error,
        }
        kind, occasion = UNPOSTED[notice.kind], f"posted:{notice.occasion}"
        await self._store.write(
            notice_rows.add_notices, [NewNotice(notice.subject, kind, occasion, notice.principal, body)]
        )
        log.info("card not posted", notice=notice.id, problem=error)
        await self._results.write_dead(notice, error)

    async def _give_up(self, notice: Notice, error: errors.SlackFailed) -> None:
        """Give up on a notice that Slack refuses, and try to reach the person by other means."""
        if notice.kind in UNPOSTED:
            await self._ask_poster(notice, error.code)
            return
        if classify(error) not in _NO_DIRECT_MESSAGE:
            await self._say_missing(notice, error)
            await self._write_dead(notice, error)
            return
        await self._write_dead(notice, error)
        channel = notice.body.get("channel_id")
        if not channel or str(channel).startswith("D"):
            return
        message = {"channel": channel, "user": notice.principal.user_id, "text": notice_words.NOT_DIRECT}
        try:
            await self._slack.find_client(notice.principal).call(methods.CHAT_POST_EPHEMERAL, message)
        except errors.SlackFailed as failed:
            log.info("person not reached", notice=notice.id, problem=failed.code)

    async def _say_in_channel(self, notice: Notice) -> None:
        """Tell a person, in the channel where they wrote, that Slack rejects direct messages to them.

        The same person is told at most once a day in each channel.
        """
        channel = str(notice.body.get("channel_id") or "")
        if Mark.IN_CHANNEL in notice.kind.marks or not channel or channel.startswith("D"):
            return
        day = int(await self._store.now() // 86_400)
        body = {**stored.to_body(Answer(notice_words.NOT_DIRECT)), "channel_id": channel}
        person = notice.principal
        waiting = NewNotice(person.key, NoticeKind.REPLY, f"not_direct:{channel}:{day}", person, body)
        await self._store.write(notice_rows.add_notices, [waiting])

    async def _say_missing(self, notice: Notice, error: errors.SlackFailed) -> None:
        """Tell a person that they missed a message, at most once a day for each cause."""
        is_hopeless = classify(error) is Meaning.SETUP or notice.occasion.startswith(_MISSING)
        if is_hopeless or notice.kind is NoticeKind.CARD_UPDATE:
            return
        day = int(await self._store.now() // 86_400)
        code = kit.safe(error.code, kit.MAX_NAME_LENGTH)
        body = stored.to_body(Answer(notice_words.NOT_DELIVERED.format(code=code)))
        missing = NewNotice(
            notice.principal.key, NoticeKind.MESSAGE, f"{_MISSING}{error.code}:{day}", notice.principal, body
        )
        await self._store.write(notice_rows.add_notices, [missing])

    async def _write_dead(self, notice: Notice, error: errors.SlackFailed) -> None:
        log.error("notice given up", notice=notice.id, kind=str(notice.kind), problem=error.code)
        await self._results.write_dead(notice, error.code)


def _is_searchable(kind: NoticeKind) -> bool:
    """Return whether Usher can search Slack to find out whether a notice of this kind was sent.

    It can't search for a message in a channel, because it never reads channels. It needn't search for a
    reply, because it never sends a reply twice.
    """
    return Mark.IN_CHANNEL not in kind.marks and kind is not NoticeKind.REPLY


def _find_pacing_key(notice: Notice) -> str:
    """Return the id of the notice's channel or recipient, to which Slack's limit per conversation applies."""
    if Mark.IN_CHANNEL in notice.kind.marks:
        return str(notice.body.get("channel_id") or "")
    return notice.principal.user_id

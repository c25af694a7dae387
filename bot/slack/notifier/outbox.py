"""Send notices: claim, draw from rows, send once, and write the result back into the row."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final

import structlog

from bot.domain.models import Answer, Mark, NewNotice, Notice, NoticeKind
from bot.domain.plan import backoff
from bot.messages.blocks import limits
from bot.messages.texts import notices as words
from bot.output import Board
from bot.services.context import Context
from bot.services.gather import Gatherer
from bot.slack import methods as slack_methods
from bot.slack.calls import NOT_INSTALLED, AnySlack
from bot.slack.errors import Meaning, meaning
from bot.slack.notifier.drawing import LONGEST_PAUSE, Drawing, Drawings, digest, edit, update
from bot.slack.notifier.lookup import Lookup, metadata
from bot.slack.notifier.places import Place, Places
from bot.slack.notifier.promises import Promises
from bot.slack.notifier.replies import Replies
from bot.slack.notifier.timing import Timing
from bot.support.errors import SlackFailed, SlackLimited, SlackPermanent, SlackUnknownOutcome
from bot.support.pool import Pool, contained, pool_room, run_all

log = structlog.get_logger(__name__)

#: The share of the budget that each class may use; the rest is reserved for more urgent ones.
SHARES: Final = {0: 1.0, 1: 1.0, 2: 0.9, 3: 0.8}
#: The person can't receive direct messages.
_NO_DIRECT_MESSAGE: Final = frozenset({Meaning.PLACE, Meaning.PERSON})
#: How the occasion of what says that a message is missing begins.
_MISSING: Final = "missing:"
#: Nobody knows whether a class card was posted.
_UNSURE: Final = "outcome_unknown"


class Outbox:
    """Send what is due, by class and within the budget."""

    def __init__(
        self,
        context: Context,
        slack: AnySlack,
        gatherer: Gatherer,
        replies: Replies,
        timing: Timing,
        board: Board,
    ) -> None:
        self._board = board
        self._store = context.store
        self._places = Places(self._store)
        self._slack = slack
        self._replies = replies
        self._clock = context.clock
        self._ids = context.ids
        self._owners = context.owners
        self._timing = timing
        self._lookup = Lookup(self._store, slack)
        self._promises = Promises(self._store, slack)
        self._drawings = Drawings(context, self._places, gatherer, timing)
        #: Notices whose blocks Slack rejected; only their text is sent.
        self._plain: set[str] = set()

    async def step(self, pool: Pool | None = None) -> int:
        """Claim due notices and handle each, in the pool or at once; return how many there were."""
        most = pool_room(pool, self._timing.batch)
        if most <= 0:
            return 0
        for slack in self._slack.all():
            if slack.is_back():
                await self._store.release_notices(slack.budget.installation.id, self._timing.settles)
        room = await self._slack.room(slack_methods.CHAT_POST_MESSAGE)
        # Replies don't use this budget; notices that don't fit keep their place because they aren't claimed.
        classes = [number for number, share in SHARES.items() if number == 0 or room.within(share)]
        limit = min(most, room.within()) or most
        claimed_at = self._clock.monotonic()
        notices = await self._store.claim_notices(limit, self._timing.lease, classes, self._owners.name)
        await run_all([self._guarded(notice, claimed_at) for notice in notices], pool)
        return len(notices)

    async def _guarded(self, notice: Notice, claimed_at: float) -> None:
        """Keep one notice's failure from affecting the others; once its lease ends it is tried again."""
        method = slack_methods.CHAT_POST_MESSAGE
        # It may have been sent, or have failed somewhere on the way: that is looked up, at growing intervals.
        back = partial(self._unknown, notice, SlackUnknownOutcome(method, "stopped"))
        failed = partial(self._later, notice, SlackFailed(method, "internal"), is_unknown=True)
        async with contained("notice", self._ids, back=back, failed=failed, notice=notice.id):
            if notice.kind is NoticeKind.REPLY:
                await self._replies.send(notice)
            else:
                await self._one(notice, claimed_at)

    async def _one(self, notice: Notice, claimed_at: float) -> None:
        try:
            # Repeating an update does no harm, so it is sent again whatever became of it.
            is_looked_for = notice.unknown_since is not None and notice.kind is not NoticeKind.CARD_UPDATE
            if is_looked_for and await self._is_there(notice, notice.unknown_since or 0.0):
                return
            drawing = await self._drawings.of(notice)
            if drawing is None:
                return
            if self._clock.monotonic() - claimed_at > self._timing.last_start:
                await self._store.notice_retry(notice, 0.0, error="late")
            else:
                await self._hand_over(notice, drawing)
        except SlackLimited as error:
            await self._limited(notice, error)
        except SlackUnknownOutcome as error:
            await self._unknown(notice, error)
        except SlackPermanent as error:
            if meaning(error).is_shut_out:
                await self._later(notice, error)
            elif meaning(error) is Meaning.THREAD and Mark.THREADED in notice.kind.marks:
                self._places.leave_thread(notice)
                await self._store.notice_retry(notice, 0.0, error=error.code)
            else:
                await self._undeliverable(notice, error)
        except SlackFailed as error:
            await self._later(notice, error)

    async def _hand_over(self, notice: Notice, drawing: Drawing) -> None:
        if drawing.is_plain and notice.kind is NoticeKind.CLASS_CARD:
            await self._ask_poster(notice, "undrawable")
        elif notice.kind is NoticeKind.CARD_UPDATE:
            await self._update(notice, drawing)
        elif notice.kind is NoticeKind.JOB_FILE and not drawing.is_plain:
            await self._complete(notice, drawing.answer, drawing.place)
        elif not await self._promises.keep(notice, drawing.answer):
            await self._send(notice, drawing.answer, drawing.place)
            if drawing.output is not None:
                self._board.drawn(notice.subject, drawing.output)

    async def _is_there(self, notice: Notice, since: float) -> bool:
        """Look for a message that may have been sent; return True if there is nothing left to do now."""
        if notice.kind is NoticeKind.CLASS_CARD:
            # Channel history is never read: the poster is asked, and says whether to send it again.
            await self._ask_poster(notice, _UNSURE)
            return True
        try:
            async with asyncio.timeout(self._timing.last_start / 2):
                place = await self._places.of(notice)
                thread_ts = place.thread_ts if place is not None else None
                found = await self._lookup.find(notice, since - self._timing.looks_back, thread_ts)
        except TimeoutError:
            await self._store.notice_retry(notice, self._timing.settles, error="not looked up")
            return True
        except SlackUnknownOutcome as error:
            # Only the search went unanswered.
            await self._later(notice, error)
            return True
        if found is None:
            return False
        await self._store.notice_sent(notice.id, *found)
        return True

    async def _update(self, notice: Notice, drawing: Drawing) -> None:
        """Correct a card in place; a class card keeps its button and is given up instead."""
        if drawing.is_plain and notice.body["card"] == NoticeKind.CLASS_CARD:
            await self._store.notice_dead(notice.id, "undrawable")
            return
        channel, ts = drawing.place.channel, str(notice.body["message_ts"])
        await edit(self._slack.to(notice.principal), update(channel, ts, drawing.answer))
        await self._store.notice_sent(notice.id, channel, ts)

    async def _complete(self, notice: Notice, answer: Answer, place: Place) -> None:
        """Share a file that was uploaded earlier: the only step that people see."""
        channel = place.channel
        if place.thread_ts is None:
            channel = await self._lookup.channel(notice)
        message: dict[str, Any] = {
            "files": [{"id": notice.body.get("file"), "title": notice.body.get("name")}],
            "channel_id": channel,
            "initial_comment": answer.text,
        }
        if place.thread_ts is not None:
            message["thread_ts"] = place.thread_ts
        await self._slack.to(notice.principal).call(slack_methods.FILES_COMPLETE_UPLOAD, message)
        await self._store.notice_sent(notice.id, channel, "")

    async def _send(self, notice: Notice, answer: Answer, place: Place) -> None:
        message: dict[str, Any] = {
            "channel": place.channel,
            "text": answer.text,
            "metadata": metadata(notice),
            "unfurl_links": False,
            "unfurl_media": False,
            "link_names": False,
        }
        if place.thread_ts is not None:
            message["thread_ts"] = place.thread_ts
        if answer.blocks and notice.id not in self._plain:
            message["blocks"] = list(answer.blocks)
        try:
            sent = await self._post(notice, message)
        except SlackPermanent as error:
            is_kept = notice.kind is NoticeKind.CLASS_CARD
            if meaning(error) is not Meaning.BLOCKS or "blocks" not in message or is_kept:
                raise
            log.warning("slack refused blocks", notice=notice.id, kind=str(notice.kind), problem=error.code)
            self._plain.add(notice.id)
            await self._store.notice_retry(notice, 0.0, error=error.code)
            return
        drawn = "" if notice.id in self._plain else digest(update(*sent, answer))
        self._plain.discard(notice.id)
        await self._store.notice_sent(notice.id, *sent, drawn)

    async def _post(self, notice: Notice, message: dict[str, Any]) -> tuple[str, str]:
        method = slack_methods.CHAT_POST_MESSAGE
        share = SHARES[notice.kind.urgency]
        answer = await self._slack.to(notice.principal).call(
            method, message, channel=_paced_as(notice), share=share
        )
        stands_in, ts = answer.data.get("channel"), answer.data.get("ts")
        if not stands_in or not ts:
            raise SlackUnknownOutcome(method, "malformed_answer")
        return str(stands_in), str(ts)

    async def _unknown(self, notice: Notice, error: SlackUnknownOutcome) -> None:
        """Record since when the outcome is unknown; the search follows once it has settled."""
        since = await self._store.now()
        log.info("outcome of a send unknown", notice=notice.id, problem=error.code)
        await self._store.notice_retry(notice, self._timing.settles, error=error.code, unknown_since=since)

    async def _limited(self, notice: Notice, error: SlackLimited) -> None:
        """Put back what Slack has no room for: at its old place, or until its person can be reached."""
        wait = error.retry_after
        room = await self._slack.room(slack_methods.CHAT_POST_MESSAGE)
        if not room.within(SHARES[notice.kind.urgency]):
            wait = min(notice.created_at - await self._store.now(), 0.0)
        await self._store.notice_retry(notice, wait, error=error.code)

    async def _later(self, notice: Notice, error: SlackFailed, *, is_unknown: bool = False) -> None:
        now = await self._store.now()
        is_let_in = self._slack.to(notice.principal).shut_out in (None, NOT_INSTALLED)
        longest = self._timing.gives_up_after
        if notice.kind is NoticeKind.CLASS_CARD and meaning(error) is Meaning.UNKNOWN:
            longest = self._timing.gives_up_in_channel
        if now - notice.created_at > longest and is_let_in:
            await self._undeliverable(notice, error)
            return
        # The middle of the jitter range, because the budget spreads sends anyway.
        wait = backoff(notice.attempts, 0.5, longest=LONGEST_PAUSE)
        least, since = (self._timing.settles, now) if is_unknown else (0.0, None)
        await self._store.notice_retry(notice, max(wait, least), error=error.code, unknown_since=since)

    async def _ask_poster(self, notice: Notice, error: str) -> None:
        """Give up a class card and ask its poster; the question comes first, as it is written only once."""
        body = {"connection": notice.body.get("connection"), "is_unsure": error == _UNSURE, "cause": error}
        kind, occasion = NoticeKind.CLASS_POSTED, f"posted:{notice.occasion}"
        await self._store.add_notices([NewNotice(notice.subject, kind, occasion, notice.principal, body)])
        log.info("class card not posted", notice=notice.id, problem=error)
        await self._store.notice_dead(notice.id, error)

    async def _undeliverable(self, notice: Notice, error: SlackFailed) -> None:
        """Give up what Slack won't take, and tell its person where that may work."""
        if notice.kind is NoticeKind.CLASS_CARD:
            await self._ask_poster(notice, error.code)
            return
        if meaning(error) not in _NO_DIRECT_MESSAGE:
            await self._say_missing(notice, error)
            await self._dead(notice, error)
            return
        await self._dead(notice, error)
        channel = notice.body.get("channel_id")
        if not channel or str(channel).startswith("D"):
            return
        message = {"channel": channel, "user": notice.principal.user_id, "text": words.NOT_DIRECT}
        try:
            await self._slack.to(notice.principal).call(slack_methods.CHAT_POST_EPHEMERAL, message)
        except SlackFailed as failed:
            log.info("person not reached", notice=notice.id, problem=failed.code)

    async def _say_missing(self, notice: Notice, error: SlackFailed) -> None:
        """Tell a person that they missed a message, in one as plain as can be; once a day for each cause."""
        is_hopeless = meaning(error) is Meaning.SETUP or notice.occasion.startswith(_MISSING)
        if is_hopeless or notice.kind is NoticeKind.CARD_UPDATE:
            return
        day = int(await self._store.now() // 86_400)
        body = Answer(words.NOT_DELIVERED.format(code=limits.safe(error.code, limits.NAME))).as_body()
        missing = NewNotice(
            notice.principal.key, NoticeKind.MESSAGE, f"{_MISSING}{error.code}:{day}", notice.principal, body
        )
        await self._store.add_notices([missing])

    async def _dead(self, notice: Notice, error: SlackFailed) -> None:
        log.error("notice given up", notice=notice.id, kind=str(notice.kind), problem=error.code)
        await self._store.notice_dead(notice.id, error.code)


def _paced_as(notice: Notice) -> str:
    """Return the key that paces a message: its person, or the channel of a class card."""
    if notice.kind is NoticeKind.CLASS_CARD:
        return str(notice.body.get("channel_id") or "")
    return notice.principal.user_id

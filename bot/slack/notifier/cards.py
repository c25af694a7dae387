"""Updates dirty cards: messages in Slack that no longer show the latest state."""

from functools import partial

import structlog

from bot.domain.notices import Answer, Card, Mark, NewNotice, NoticeKind
from bot.domain.plan import backoff
from bot.messages.blocks import kit, stored
from bot.messages.texts import notices as notice_words
from bot.services.context import Context
from bot.services.message_context import Gatherer
from bot.slack import methods
from bot.slack.calls import PacedSlack
from bot.slack.errors import Meaning, classify, find_retry_delay
from bot.slack.installed import AnySlack
from bot.slack.notifier.rendering import (
    MAX_PAUSE_SECONDS,
    NOT_READY_SECONDS,
    build_edit,
    digest,
    edit,
    render_update,
)
from bot.slack.notifier.results import Results
from bot.slack.notifier.timing import Timing
from bot.store import cards as card_rows
from bot.store import notices
from bot.support import errors
from bot.support.pool import Pool, contain_errors, count_free_slots, run_all
from bot.support.windows import Window, limit_departures

log = structlog.get_logger(__name__)


class CardUpdates:
    """Updates dirty cards in place."""

    def __init__(
        self, context: Context, slack: AnySlack, gatherer: Gatherer, results: Results, timing: Timing
    ) -> None:
        self._results = results
        self._store = context.store
        self._clock = context.clock
        self._owners = context.owners
        self._slack = slack
        self._gatherer = gatherer
        self._ids = context.ids
        self._timing = timing

    async def step(self, pool: Pool | None = None) -> int:
        """Claim as many cards as the budget allows and update them. Return how many were claimed."""
        limit = count_free_slots(pool, self._timing.batch)
        if limit <= 0:
            return 0
        updates, owner = self._slack.get_quota(methods.CHAT_UPDATE), self._owners.name
        claimed_at = self._clock.monotonic()
        cards = await self._store.claim(card_rows.claim_cards, limit, self._timing.lease, updates, owner)
        # Several cards may share a message. Render each message only once.
        messages = {(card.channel_id, card.message_ts): card for card in cards}
        for card in cards:
            if messages[card.channel_id, card.message_ts] is not card:
                await self._store.write(card_rows.finish_update, card.id, card)
        works = [self._isolate_errors(card, claimed_at) for card in messages.values()]
        await run_all(works, pool, is_full=len(cards) >= limit)
        return len(cards)

    async def _isolate_errors(self, card: Card, claimed_at: float) -> None:
        # Repeating an update is harmless.
        delay, failed = backoff(4, 0.5), partial(self._hand_over, card)
        back = partial(self._store.write, card_rows.retry_card, card.id, delay)
        unwritten = partial(self._results.write, card.id, back)
        async with contain_errors(
            "card", self._ids, back=back, failed=failed, unwritten=unwritten, card=card.id
        ):
            try:
                # After the lease has expired, the content may be out of date, so don't start sending it.
                with limit_departures(Window(claimed_at + self._timing.last_start)):
                    await self._update_card(card)
            except errors.SlackFailed as error:
                seconds = find_retry_delay(error, delay)
                if seconds is not None:
                    await self._store.write(card_rows.retry_card, card.id, min(seconds, MAX_PAUSE_SECONDS))
                    return
                log.info("card lost", card=card.id, problem=error.code)
                if Mark.IN_CHANNEL in card.kind.marks and classify(error) is Meaning.PLACE:
                    await self._store.write(card_rows.pause_card, card.id, card.channel_id or "")
                    await self._tell_author(card, error.code)
                    return
                await self._store.write(notices.queue_lost_card, card.id)

    async def _tell_author(self, card: Card, code: str) -> None:
        """Tell a card's author, at most once a day, that Slack doesn't let Usher edit the card."""
        day = int(await self._store.now() // 86_400)
        words = notice_words.CARD_NOT_UPDATED.format(
            channel=card.channel_id, code=kit.safe(code, kit.MAX_NAME_LENGTH)
        )
        told = NewNotice(
            card.id, NoticeKind.MESSAGE, f"not_updated:{day}", card.principal, stored.to_body(Answer(words))
        )
        await self._store.write(notices.add_notices, [told])

    async def _hand_over(self, card: Card) -> None:
        """Pass a card to the outbox, which retries at increasing intervals and finally sends plain text."""
        body = {"channel_id": card.channel_id, "message_ts": card.message_ts, "card": card.kind}
        occasion = f"update:{card.updated_at:.3f}"
        notice = NewNotice(card.id, NoticeKind.CARD_UPDATE, occasion, card.principal, body)
        await self._store.write(notices.add_notices, [notice])
        await self._store.write(card_rows.forget_location, card.id)

    async def _delete_message(self, slack: PacedSlack, card: Card) -> bool:
        """Delete a card's message, so that searches for the card's key don't find it.

        Return False if Slack refuses.
        """
        try:
            await slack.call(methods.CHAT_DELETE, {"channel": card.channel_id, "ts": card.message_ts})
        except errors.SlackPermanent as error:
            if classify(error).is_shut_out:
                raise
            return False
        return True

    async def _update_card(self, card: Card) -> None:
        slack = self._slack.find_client(card.principal)
        if Mark.OUTPUT in card.kind.marks:
            # Keep the message, because a run's output isn't stored anywhere else.
            await self._store.write(card_rows.finish_update, card.id, card, card.claimed_digest)
            return
        updated = await render_update(self._gatherer, card)
        if updated is None or card.channel_id is None or card.message_ts is None:
            await self._store.write(notices.queue_lost_card, card.id)
            return
        if updated.goes and await self._delete_message(slack, card):
            await self._store.write(notices.queue_lost_card, card.id)
            return
        if updated.waits:
            await self._store.write(card_rows.retry_card, card.id, NOT_READY_SECONDS)
            return
        message = build_edit(card.channel_id, card.message_ts, updated.answer)
        rendered = digest(message)
        said = updated.get_lasting_text(card)
        if rendered != card.claimed_digest and said != card.body:
            await edit(slack, message)
        await self._store.write(
            card_rows.finish_update, card.id, card, rendered, said, is_over=updated.is_over
        )

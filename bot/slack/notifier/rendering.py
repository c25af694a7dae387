"""Renders notices and cards from database rows.

A notice stores only the keys of its recipient and of other rows. When Usher sends the notice, it renders
these rows as they are then. A notice that isn't needed any more is marked as sent without being sent. If
rendering fails, Usher tries again at increasing intervals, and finally sends plain text.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import structlog

from bot.domain.markup import Part, list_parts
from bot.domain.message_context import Facts, HeldFacts, RunFacts, WorkspaceFacts
from bot.domain.notices import Answer, Card, Mark, Notice, NoticeError, NoticeKind
from bot.domain.operations import Operation
from bot.domain.plan import backoff
from bot.domain.runs import Run
from bot.messages.blocks import kit, plain, replies, stored
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.buttons import BACK, still_applies
from bot.messages.blocks.cards import LINKING
from bot.messages.blocks.kit import Element
from bot.messages.blocks.notices import is_true, keep_current_buttons, render, render_pending
from bot.messages.blocks.outcomes import is_ready_over
from bot.services.context import Context
from bot.services.message_context import Gatherer
from bot.slack import methods
from bot.slack.calls import PacedSlack
from bot.slack.errors import is_content_refused
from bot.slack.notifier.destinations import Destination, Destinations
from bot.slack.notifier.timing import Timing
from bot.store import cards, gates
from bot.store import notices as notice_rows
from bot.store.cards import SentText
from bot.store.notices import SILENCE_SECONDS
from bot.support.errors import SlackPermanent, StoreError

log = structlog.get_logger(__name__)


#: Delay, in seconds, before a notice that wasn't ready is rendered again.
NOT_READY_SECONDS: Final = 2.0
#: A message that was delayed by a Slack outage is sent only if the workspace's last read is at most this many
#: seconds old. If the read is older, the workspace is read again first.
MAX_READ_AGE_SECONDS: Final = 30.0
#: Maximum pause, in seconds, between two attempts to send a notice or update a card.
MAX_PAUSE_SECONDS: Final = 300.0
#: Options for every message: links have no previews, and names aren't turned into mentions.
POST_OPTIONS: Final = {"unfurl_links": False, "unfurl_media": False, "link_names": False}


def make_message_content(answer: Answer, *, is_text: bool = False) -> dict[str, Any]:
    """Return an answer as the content of a message, with its blocks or as text only."""
    if is_text or not answer.blocks:
        return {"text": plain.make_plain_text(answer)}
    return {"text": plain.make_fallback_text(answer), "blocks": list(answer.blocks)}


class RenderedNotice(NamedTuple):
    """A message to be sent, and where to send it.

    ``is_plain`` means that rendering failed and the message is a plain sentence. ``said`` is the text to
    store as sent, or None if the message should be rendered again from its rows.
    """

    destination: Destination
    answer: Answer
    is_plain: bool = False
    said: SentText = None


class NoticeRenderer:
    """Renders notices. A notice that can't be rendered yet is returned to the queue."""

    def __init__(
        self, context: Context, destinations: Destinations, gatherer: Gatherer, timing: Timing
    ) -> None:
        self._store = context.store
        self._destinations = destinations
        self._gatherer = gatherer
        self._ids = context.ids
        self._timing = timing

    async def render(self, notice: Notice, *, is_try: bool = False) -> RenderedNotice | None:
        """Render a notice. Return None if it shouldn't be sent now or is no longer needed.

        ``is_try`` means that this is a retry while Slack is down.
        """
        try:
            destination = await self._destinations.find(notice)
            if notice.kind is NoticeKind.CARD_UPDATE and destination is not None:
                return await self._update(notice, destination)
            facts = await self._gatherer.describe_notice(notice)
            end = await self._gatherer.read_end_state(notice, facts) if Mark.CARD in notice.kind.marks else ""
            if end == "sent":
                # The message about the end was sent while this card was waiting.
                await self._store.write(notice_rows.mark_notice_sent, notice, "", "")
                return None
            if destination is None or end == "pending":
                await self._put_back(notice)
                return None
            is_new = facts.now - notice.created_at < SILENCE_SECONDS and not isinstance(facts, HeldFacts)
            if not is_new and await self._is_read_first(notice, facts, is_try=is_try):
                return None
            answer = render_pending(notice.kind, facts)
            if answer is None:
                await self._store.write(notice_rows.mark_notice_sent, notice, "", "")
                return None
            stays = _is_history(notice.kind, facts)
            return RenderedNotice(
                destination, answer, said=stored.to_said(answer, notice.body) if stays else None
            )
        except StoreError:
            raise
        except Exception:
            reference = self._ids.reference()
            log.exception("notice not drawn", notice=notice.id, kind=str(notice.kind), reference=reference)
        if await self._store.now() - notice.created_at < self._timing.plain_text_after:
            wait = backoff(notice.attempts, 0.5, longest=MAX_PAUSE_SECONDS)
            await self._store.write(notice_rows.retry_notice, notice, wait, error=NoticeError.UNDRAWABLE)
            return None
        text = (
            "I have a message for you, but something broke while I was putting it together. "
            f"Type `list` to see where things stand. Reference {reference}"
        )
        is_update = notice.kind is NoticeKind.CARD_UPDATE
        destination = Destination(str(notice.body["channel_id"]) if is_update else notice.principal.user_id)
        return RenderedNotice(destination, Answer(text), is_plain=True)

    async def draw_found(self, notice: Notice, found: Answer) -> SentText:
        """Return the text to store for a message found in Slack, or None if it should be rendered again.

        The text is rendered from the notice's rows. If the rows no longer need a message, or the workspace's
        row has been deleted, the text found in Slack is kept.
        """
        if Mark.CARD in notice.kind.marks or not _is_history(notice.kind, None):
            return None
        facts = await self._gatherer.describe_notice(notice)
        is_deleted = "workspace" in notice.body and getattr(facts, "workspace", None) is None
        drawn = None if is_deleted else render_pending(notice.kind, facts)
        if drawn is None:
            return notice.body | {"text": found.text, "blocks": list(found.blocks), stored.UNDATED: True}
        return stored.to_said(drawn, notice.body) | {stored.FOUND: True}

    async def _is_read_first(self, notice: Notice, facts: Facts, *, is_try: bool) -> bool:
        """Return whether a notice delayed by a Slack outage has to wait until its workspaces are reread.

        If so, request the reads and requeue the notice. It waits at most ``SILENCE_SECONDS``. Each read must
        have begun after the wait did, and be at most ``MAX_READ_AGE_SECONDS`` old. If the last attempt to
        send the notice was long ago, the wait starts again.
        """
        now = facts.now
        found = [one for _, one in facts.held] if isinstance(facts, HeldFacts) else [facts]
        if all(now - _find_news_time(notice, one) < SILENCE_SECONDS for one in found):
            return False
        rows = [one.workspace for one in found if isinstance(one, WorkspaceFacts) and not one.is_refused]
        read_at = {row.id: row.observed_at or 0.0 for row in rows if row is not None}
        began_at, try_at = now, now
        if notice.read_since is not None:
            # If the last attempt to send was long ago, the wait starts again below, so that newer reads are
            # needed. Without an attempt, it doesn't.
            began_at, try_at = notice.read_since, math.inf if notice.tried_at is None else notice.tried_at
        if now - try_at > SILENCE_SECONDS and min(read_at.values(), default=now) >= began_at:
            began_at = now
        if now - began_at >= SILENCE_SECONDS:
            return False
        unread = [
            workspace_id
            for workspace_id, at in read_at.items()
            if at < max(began_at, now - MAX_READ_AGE_SECONDS)
        ]
        for workspace_id in unread:
            if began_at == now or read_at[workspace_id] >= began_at:
                await self._store.write(gates.request_read_now, workspace_id)
        if unread:
            await self._store.write(
                notice_rows.retry_notice,
                notice,
                NOT_READY_SECONDS,
                error=NoticeError.TO_BE_READ,
                read_since=began_at,
                tried_at=now if is_try else None,
            )
        return bool(unread)

    async def _put_back(self, notice: Notice) -> None:
        await self._store.write(
            notice_rows.retry_notice, notice, NOT_READY_SECONDS, error=NoticeError.NOT_READY
        )

    async def _update(self, notice: Notice, destination: Destination) -> RenderedNotice | None:
        card = await self._store.read(cards.find_card, notice.subject)
        updated = None if card is None else await render_update(self._gatherer, card)
        if card is None or updated is None:  # The subject was deleted, so the message stays as it is.
            await self._store.write(
                notice_rows.mark_notice_sent, notice, destination.channel, notice.body["message_ts"]
            )
            return None
        if updated.waits:
            await self._put_back(notice)
            return None
        return RenderedNotice(destination, updated.answer, said=updated.get_lasting_text(card))


class MessageUpdate(NamedTuple):
    """The new content of a message in Slack.

    - ``stays``: the text is final, though buttons may still disappear.
    - ``is_over``: nothing in the message will change any more.
    - ``goes``: the message is deleted, because another one replaces it or it has nothing left to say.
    - ``waits``: another message will soon report how the work ended, so the message isn't updated yet.
    """

    answer: Answer
    stays: bool
    is_over: bool
    goes: bool = False
    waits: bool = False

    def get_lasting_text(self, card: Card) -> SentText:
        """Return the text to store for the message, or None if it should be rendered again."""
        return stored.to_said(self.answer, card.body) if self.stays else None


def _find_news_time(notice: Notice, facts: Facts) -> float:
    """Return the time at which a message became news.

    For a card, this is the end of its operation, or now if the operation hasn't ended.
    """
    operation = facts.operation if isinstance(facts, WorkspaceFacts) else None
    if Mark.CARD not in notice.kind.marks or operation is None:
        return facts.written_at
    return facts.now if operation.ended_at is None else operation.ended_at


def _is_history(kind: NoticeKind, facts: Facts | None) -> bool:
    """Return whether a message keeps its text as it was sent.

    Questions, output, messages in channels, and cards of unfinished work are rendered again.
    """
    if kind.marks & (Mark.ASKS | Mark.OUTPUT | Mark.IN_CHANNEL):
        return False
    match facts:
        case WorkspaceFacts(operation=Operation(is_open=True)) | RunFacts(run=Run(is_watched=True)):
            return Mark.CARD not in kind.marks
    return True


async def render_update(gatherer: Gatherer, card: Card) -> MessageUpdate | None:
    """Render a message's update. Return None if its rows were deleted or its text isn't known."""
    is_said = Mark.ASKS not in card.kind.marks and "blocks" in card.body
    said = stored.read(card.body, card.created_at) if is_said else None
    if said is not None and "offers" in card.body:
        return await _render_answer_update(gatherer, card, said)
    facts, is_card = await gatherer.describe_message(card), Mark.CARD in card.kind.marks
    stays = _is_history(card.kind, facts)
    if said is not None:
        others = await gatherer.store.read(cards.find_cards_of_same_message, card)
        beside = [(one.kind, await gatherer.describe_message(one)) for one in others]
        answer = keep_current_buttons(card.kind, facts, said, beside)
        is_alone = card.kind is NoticeKind.READY and not beside
        if is_alone and isinstance(facts, WorkspaceFacts) and is_ready_over(facts):
            # The message says that the workspace is ready, which is no longer true. Say what has happened
            # since.
            answer = render(card.kind, facts)
    elif facts is None:
        return None
    else:
        rendered = render_pending(card.kind, facts) if stays and not is_card else render(card.kind, facts)
        if rendered is None:
            return None
        answer = rendered if card.stage == "live" else kit.keep_buttons(rendered, lambda _: False)
    end = await gatherer.read_end_state(card, facts) if is_card else ""
    left = await _remove_past(gatherer, card, answer, facts) if stays else _Remainder(answer)
    is_past = not is_card or facts is None or facts.is_superseded
    is_question = Mark.ASKS in card.kind.marks
    has_passed = not is_question and facts is not None and not is_true(card.kind, facts)
    passes = Mark.PASSES in card.kind.marks and (has_passed or card.stage != "live")
    if left.is_nothing and card.kind.marks & (Mark.END | Mark.PASSES) and not passes:
        # Keep a message that says how something ended, or announces something that is still to come.
        left = _Remainder(answer)
    goes = end == "sent" or left.is_nothing or passes
    goes = goes or (said is not None and _has_lost_buttons(said, left.answer))
    waits = end == "pending" or (is_card and isinstance(facts, WorkspaceFacts) and facts.is_ending)
    return MessageUpdate(left.answer, stays, stays and is_past and left.is_over, goes, waits)


class _Remainder(NamedTuple):
    """The part of a message that is left without the sentences about past times or cancelled plans."""

    answer: Answer
    is_nothing: bool = False
    announces: bool = False

    @property
    def is_over(self) -> bool:
        """Return whether nothing in the message will ever change again."""
        return not self.announces and not any(kit.iterate_buttons(self.answer.blocks))


async def _remove_past(gatherer: Gatherer, card: Card, answer: Answer, facts: Facts | None) -> _Remainder:
    """Remove the sentences about past times and cancelled plans, along with their buttons."""
    now = await gatherer.store.now()
    since = now if card.over_at is None else card.over_at

    def has_come(at: float | None) -> bool:
        return at is not None and since <= at <= now

    def has_passed(part: Part) -> bool:
        return any(map(has_come, part.moments)) or (bool(part.plan) and not _is_planned(part, facts))

    left = stored.drop_past(answer, has_passed)
    told, still_told = list_parts(answer.blocks), list_parts((left or answer).blocks)

    def is_kept(button: Element) -> bool:
        press = ButtonValue.from_button(button)
        has_lost_sentence = _is_named(press, told) and not _is_named(press, still_told)
        return not has_come(press.at) and not has_lost_sentence

    kept = kit.keep_buttons(left or answer, is_kept)
    for button in kit.iterate_buttons(answer.blocks):
        press = ButtonValue.from_button(button)
        if press.name == "link_url" and has_come(press.at):
            # The message still asks the person to link an account, so keep the button that requests a new
            # page.
            again = ButtonValue("invite", press.key, number=press.number)
            asks = kit.button("", again, style=button.get("style")) | {"text": button["text"]}
            kept = replies.with_button(kept, asks)
    is_announcing = any(at > now for at in stored.find_moments(kept.blocks))
    return _Remainder(kept, left is None, is_announcing)


def _is_named(press: ButtonValue, parts: Iterable[Part]) -> bool:
    """Return whether any part of a message mentions a button's time.

    A part that announces a plan counts only if the button is for the planned workspace.
    """
    at, keys = None if press.at is None else int(press.at), press.key.split()
    return any(at in part.moments and (not part.plan or part.plan[1] in keys) for part in parts)


def _is_planned(part: Part, facts: Facts | None) -> bool:
    """Return whether the plan that part of a message announces still exists. Without facts, assume not."""
    if isinstance(facts, WorkspaceFacts):
        return facts.plans(part.plan, part.moments)
    # The facts don't show whether a plan for several workspaces still exists, so assume that it does.
    return facts is not None


def _has_lost_buttons(said: Answer, left: Answer) -> bool:
    """Return whether an answer asked a question and has no buttons left."""
    is_question = any(str(one.get("block_id", "")).startswith(kit.QUESTION) for one in said.blocks)
    return is_question and not any(kit.iterate_buttons(left.blocks))


async def _render_answer_update(gatherer: Gatherer, card: Card, said: Answer) -> MessageUpdate:
    facts = await gatherer.describe_offer(card)
    is_about_links = card.about == cards.make_link_key(card.principal.key)
    linked = await gatherer.list_linked(card.principal) if is_about_links else ()
    links = [press for _, press in kit.iterate_drawn(said.blocks) if press.name in LINKING]
    # If a command can use any of several accounts, one link is enough.
    is_enough = any(" " in press.key and press.key.partition(" ")[0] in linked for press in links)
    marks = {press.mark for _, press in kit.iterate_drawn(said.blocks)}
    brings_back = facts is None and marks == {BACK} and await gatherer.is_under_way(card.subject)

    def is_useful(button: Element) -> bool:
        if is_about_links:
            press = ButtonValue.from_button(button)
            is_done = is_enough or press.key.partition(" ")[0] in linked
            return press.name not in LINKING or not is_done
        return brings_back or still_applies(button, facts)

    answer = kit.keep_buttons(said, is_useful)
    left = await _remove_past(gatherer, card, answer, facts)
    # A question counts as answered if the person typed the answer or if its buttons are gone.
    is_answered = str(card.body["offers"]).startswith(kit.QUESTION) or _has_lost_buttons(said, left.answer)
    # If an answer has no buttons except one that undoes it, another message reports how its work ends.
    has_buttons = not marks <= {BACK}
    end = "" if has_buttons else await gatherer.read_end_state(card, facts)
    # An answer without buttons only announces its operation, which a later card shows.
    is_shown = not marks and await gatherer.has_later_card(card)
    goes = left.is_nothing or is_answered or end == "sent" or is_shown
    is_over = left.is_over and (has_buttons or end != "" or not await gatherer.is_under_way(card.subject))
    return MessageUpdate(left.answer, True, is_over, goes, end == "pending")


def build_edit(channel_id: str, message_ts: str, answer: Answer) -> dict[str, Any]:
    """Return the arguments for replacing a message with an answer, removing old blocks if it has none."""
    at = {"channel": channel_id, "ts": message_ts}
    return {**at, "blocks": [], **make_message_content(answer), "link_names": False}


async def edit(slack: PacedSlack, message: Mapping[str, Any]) -> None:
    """Edit a message, or change only its text if Slack rejects the blocks. Raises SlackFailed."""
    try:
        await slack.call(methods.CHAT_UPDATE, message)
    except SlackPermanent as error:
        if not is_content_refused(error) or not message["blocks"]:
            raise
        log.warning("slack refused blocks", ts=message["ts"], problem=error.code)
        said = make_message_content(Answer(message["text"], tuple(message["blocks"])), is_text=True)
        await slack.call(methods.CHAT_UPDATE, {**message, "blocks": [], **said})


def digest(message: Mapping[str, Any]) -> str:
    """Return a digest of a message's content."""
    shown = {"text": message["text"], "blocks": message.get("blocks", [])}
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()

"""Redraw what people look at: the cards that changed, and their Homes; send the outputs of runs as files.

Updates of cards aren't queued: a message is marked dirty, and the newest state wins. A Home is published at
once for whoever opened or pressed theirs, later for changes nobody asked about. A view that nobody asked for
waits for every message that somebody waits for, leaves presses their share of the budget, and carries the
version that it replaces, so that it never overwrites a newer one.
"""

import re
from dataclasses import replace
from functools import partial
from typing import Any, Final

import structlog

from bot.domain.homes import Home
from bot.domain.notices import Card, NewNotice, NoticeKind
from bot.domain.plan import backoff
from bot.domain.runs import Run
from bot.messages.blocks import home as home_blocks
from bot.messages.blocks.replies import in_view
from bot.messages.texts import home as home_words
from bot.messages.texts import runs
from bot.output.transcript import Board, Entry
from bot.services.asked import Asked, refused
from bot.services.context import Context
from bot.services.gather import Gatherer
from bot.services.home import HomeGatherer
from bot.services.owners import OUTPUT
from bot.slack import calls
from bot.slack.calls import AnySlack, Meaning, meaning, rests
from bot.slack.notifier.drawing import Timing, digest, draw_card, edit, update
from bot.support import errors
from bot.support.pool import Pool, contained, pool_room, run_all

log = structlog.get_logger(__name__)


class CardUpdates:
    """Redraw dirty cards in place."""

    def __init__(self, context: Context, slack: AnySlack, gatherer: Gatherer, timing: Timing) -> None:
        self._store = context.store
        self._owners = context.owners
        self._slack = slack
        self._gatherer = gatherer
        self._ids = context.ids
        self._timing = timing

    async def step(self, pool: Pool | None = None) -> int:
        """Claim as many cards as the budget allows, and update them; return how many there were."""
        most = pool_room(pool, self._timing.batch)
        if most <= 0:
            return 0
        updates, owner = self._slack.room(calls.CHAT_UPDATE), self._owners.name
        cards = await self._store.claim_cards(
            most, self._timing.card_interval, self._timing.lease, updates, owner
        )
        await run_all([self._guarded(card) for card in cards], pool)
        return len(cards)

    async def _guarded(self, card: Card) -> None:
        # Repeating an update does no harm, whatever became of the first attempt.
        retry, soon = partial(self._store.card_retry, card.id), backoff(4, 0.5)
        back, failed = partial(retry, soon), partial(self._hand_over, card)
        async with contained("card", self._ids, back=back, failed=failed, card=card.id):
            try:
                await self._one(card)
            except errors.SlackFailed as error:
                seconds = rests(error, soon)
                if seconds is not None:
                    await retry(seconds)
                    return
                log.info("card lost", card=card.id, problem=error.code)
                await self._store.card_lost(card.id)

    async def _hand_over(self, card: Card) -> None:
        """Hand a card over to the outbox, which retries at growing intervals and then sends a plain text."""
        body = {"channel_id": card.channel_id, "message_ts": card.message_ts, "card": card.kind}
        occasion = f"update:{card.updated_at:.3f}"
        notice = NewNotice(card.id, NoticeKind.CARD_UPDATE, occasion, card.principal, body)
        await self._store.add_notices([notice])
        await self._store.unplace_card(card.id)

    async def _one(self, card: Card) -> None:
        answer = await draw_card(self._gatherer, card)
        if answer is None or card.channel_id is None or card.message_ts is None:
            await self._store.card_lost(card.id)
            return
        message = update(card.channel_id, card.message_ts, answer)
        # What a run has written is kept nowhere else: the message about its end stays.
        is_kept = card.kind is NoticeKind.JOB_ENDED and card.stage == "live"
        drawn = card.claimed_drawn if is_kept else digest(message)
        if drawn != card.claimed_drawn:
            await edit(self._slack.to(card.principal), message)
        await self._store.card_updated(card.id, card, drawn)


#: The share of the budget of views.publish for views that nobody asked for; presses have the rest.
HOME_SHARE: Final = 0.7
#: How many Homes are checked per second although nobody asked: this bounds the cost.
LOOKS: Final = 20


class HomeViews:
    """Draw and publish the Homes that are wanted, then those that changed."""

    def __init__(self, context: Context, slack: AnySlack, gatherer: Gatherer, timing: Timing) -> None:
        self._store = context.store
        self._slack = slack
        self._context = context
        self._gatherer = HomeGatherer(context, gatherer)
        self._command, self._job_command = context.command, context.job_command
        self._clock = context.clock
        self._ids = context.ids
        self._timing = timing
        self._looked_at = -1.0
        #: The references under which Homes that can't be drawn were logged, by their person.
        self._undrawn: dict[str, str] = {}

    async def step(self, pool: Pool | None = None) -> int:
        """Publish what people wait for, else look at some of the open Homes; return how many there were."""
        most = pool_room(pool, self._timing.batch)
        if most <= 0:
            return 0
        views = self._slack.room(calls.VIEWS_PUBLISH)
        # Shorter than a notice's: publishing twice does no harm, and somebody is looking at an old view.
        homes = await self._store.claim_wanted_homes(most, 2 * self._timing.send_timeout, views)
        homes = homes or await self._looks(most)
        await run_all([self._guarded(one) for one in homes], pool)
        return len(homes)

    async def _looks(self, most: int) -> list[Home]:
        """Claim Homes that nobody waits for, unless there is something that somebody waits for."""
        now = self._clock.monotonic()
        if now < self._looked_at + 1.0:
            return []
        self._looked_at = now
        # What Slack wouldn't accept now doesn't hold up Homes, whose budget is separate.
        is_news = await self._store.is_news_waiting(
            notices=self._slack.room(calls.CHAT_POST_MESSAGE), cards=self._slack.room(calls.CHAT_UPDATE)
        )
        if is_news:
            return []
        views = self._slack.room(calls.VIEWS_PUBLISH)
        return await self._store.claim_homes_to_look_at(min(most, LOOKS), views, HOME_SHARE)

    async def _guarded(self, one: Home) -> None:
        # Publishing twice does no harm.
        back, failed = partial(self._later, one, 0.0), partial(self._store.home_rest, one)
        async with contained("home", self._ids, back=back, failed=failed, principal=one.principal.key):
            try:
                await self._one(one)
            except errors.SlackFailed as error:
                seconds = rests(error, backoff(3, 0.5))
                if seconds is not None:
                    await self._later(one, seconds)
                elif meaning(error) is Meaning.STALE:
                    # Somebody has published a newer one, which isn't known here.
                    await self._store.home_published(one, "", "")
                else:
                    log.info("home not published", principal=one.principal.key, problem=error.code)
                    await self._store.home_rest(one)

    async def _one(self, one: Home) -> None:
        is_wanted = one.wanted_at is not None
        if not is_wanted and one.is_over(await self._store.now()):
            await self._store.home_rest(one)
            return
        try:
            view = await self._drawn(one, is_wanted=is_wanted)
            if not is_wanted and one.is_statement and home_blocks.digest(view) != one.drawn:
                # What was said about the last press may no longer be true.
                view = await self._drawn(replace(one, answer=None), is_wanted=False)
        except errors.NotIdentified:
            # Asked again at the next look, as long as the Home is open.
            view = self._typed(home_blocks.sentence_home(home_words.NOT_KNOWN))
        except errors.Refused as refusal:
            view = self._typed(home_blocks.sentence_home(refusal.text))
        except errors.StoreError:
            raise
        except Exception:
            reference = self._undrawn.get(one.principal.key)
            if reference is None:
                reference = self._undrawn[one.principal.key] = self._ids.reference()
                log.exception("home failed", principal=one.principal.key, reference=reference)
            # It isn't drawn again before its person uses it, unless Slack accepts this view only later.
            if one.wanted_at is not None:
                sentence = home_words.UNDRAWN.format(reference=reference)
                await self._publish(one, home_blocks.sentence_home(sentence))
            await self._store.home_rest(one)
            return
        self._undrawn.pop(one.principal.key, None)
        await self._publish(one, view)

    async def _drawn(self, one: Home, *, is_wanted: bool) -> dict[str, Any]:
        """Draw a Home from the rows as they are; raises Refused if the policy refuses the person."""
        asked = Asked(self._context, one.principal)
        if is_wanted:
            await asked.authorise("home")
        elif not (decision := await asked.decide("home")).allowed:
            # Nobody did anything, so nothing goes into the audit.
            raise refused(decision, "home")
        if one.is_totals and (await asked.decide("totals")).allowed:
            return self._typed(home_blocks.totals_home(await self._gatherer.totals(one)))
        return self._typed(home_blocks.home(await self._gatherer.own(one)))

    def _typed(self, view: dict[str, Any]) -> dict[str, Any]:
        """Return a Home whose hints work there: people can type only slash commands next to it."""
        return in_view(view, self._command, self._job_command)

    async def _publish(self, one: Home, view: dict[str, Any]) -> None:
        drawn, view_hash = home_blocks.digest(view), one.view_hash
        is_wanted = one.wanted_at is not None
        if drawn != one.drawn:
            message: dict[str, Any] = {"user_id": one.principal.user_id, "view": view}
            if not is_wanted and one.drawn and view_hash:
                message["hash"] = view_hash
            answer = await self._slack.to(one.principal).call(
                calls.VIEWS_PUBLISH, message, share=1.0 if is_wanted else HOME_SHARE
            )
            view_hash = str((answer.data.get("view") or {}).get("hash") or "")
        elif not is_wanted:
            return
        await self._store.home_published(one, drawn, view_hash)

    async def _later(self, one: Home, seconds: float) -> None:
        if one.is_over(await self._store.now()):
            await self._store.home_rest(one)
        else:
            await self._store.home_retry(one, seconds)


#: How often a file that Slack doesn't accept is retried, at growing intervals (about half an hour in all).
DELIVERIES: Final = 10
LONGEST_WAIT: Final = 300.0
_NAME_CHARACTERS: Final = re.compile(r"[^\w.+-]+")


class Outputs:
    """Upload the outputs that are over as files."""

    def __init__(self, context: Context, slack: AnySlack, timing: Timing, board: Board) -> None:
        self._store = context.store
        self._slack = slack
        self._board = board
        self._ids = context.ids
        self._owners = context.owners
        self._timing = timing

    async def step(self, pool: Pool | None = None) -> int:
        """Start uploading files; return of how many.

        After this process stood still, another one may know more of an output, and have sent it.
        """
        due = [entry for entry in self._board.entries.values() if self._is_deliverable(entry)]
        if not due:
            return 0
        try:
            owned = await self._owners.own_all([OUTPUT + entry.run_id for entry in due])
        except errors.StoreError as error:
            log.warning("outputs not sent", problem=error)
            return 0
        room = pool_room(pool, self._timing.batch)
        mine = [entry for entry in due if OUTPUT + entry.run_id in owned][: max(room, 0)]
        for entry in mine:
            entry.is_delivering = True
        await run_all([self._guarded(entry) for entry in mine], pool)
        return len(mine)

    def _is_deliverable(self, entry: Entry) -> bool:
        is_due = entry.is_over and not entry.is_done and not entry.is_delivering
        return is_due and self._board.monotonic() >= entry.deliver_after

    async def _guarded(self, entry: Entry) -> None:
        try:
            await self._deliver(entry)
        except errors.StoreError as error:
            log.warning("file not written", run=entry.run_id, problem=error)
            entry.deliver_after = self._board.monotonic() + 1.0
        except Exception:
            log.exception("file failed", run=entry.run_id, reference=self._ids.reference())
            entry.deliver_after = self._board.monotonic() + 60.0
        finally:
            entry.is_delivering = False

    async def _deliver(self, entry: Entry) -> None:
        """Upload the whole output and have a notice share it; it is invisible until then, so repeatable."""
        run = await self._store.run(entry.run_id)
        spool = entry.transcript.spool
        if run is None:
            await self._done(entry)
            return
        if not spool.size:
            await self._done(entry, *([self._missing(run, "empty")] if entry.is_asked else []))
            return
        name = runs.FILE_NAME.format(
            name=_NAME_CHARACTERS.sub("-", run.name)[:60].strip("-.") or "job",
            id=run.id.rpartition("_")[2][:8],
        )
        try:
            answer = await self._slack.to(run.principal).call(
                calls.FILES_GET_UPLOAD_URL, {"filename": name, "length": spool.size}
            )
            await self._slack.to(run.principal).upload(
                str(answer.data.get("upload_url") or ""), spool.pieces(), spool.size
            )
        except errors.SlackFailed as error:
            seconds = rests(error, 0.0)
            if seconds == 0.0:
                entry.deliveries += 1
                seconds = backoff(entry.deliveries + 2, 0.5, longest=LONGEST_WAIT)
            if seconds is None or entry.deliveries >= DELIVERIES:
                await self._done(entry, self._missing(run, error.code))
            else:
                entry.deliver_after = self._board.monotonic() + seconds
        else:
            # Asked for again it comes again: as a file of its own.
            file = str(answer.data.get("file_id") or "")
            body = {"job": run.id, "file": file, "name": name}
            await self._done(entry, NewNotice(run.id, NoticeKind.JOB_FILE, file, run.principal, body))

    def _missing(self, run: Run, cause: str) -> NewNotice:
        """Return the notice that there is no file."""
        log.info("no file of an output", run=run.id, problem=cause)
        body = {"job": run.id, "connection": run.connection, "cause": cause}
        return NewNotice(run.id, NoticeKind.JOB_FILE_MISSING, self._ids.new("file"), run.principal, body)

    async def _done(self, entry: Entry, *notices: NewNotice) -> None:
        await self._store.output_done(entry.run_id, notices)
        entry.done(self._board.monotonic())

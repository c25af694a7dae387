"""Outputs of runs in Slack: a message that is updated while they run, and a file at the end."""

import re
from collections.abc import Sequence
from typing import Final

import structlog

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.plan import backoff
from bot.domain.runs import Run
from bot.messages.blocks.runs import output_message
from bot.messages.texts import runs
from bot.output.transcript import Board, Entry
from bot.services.context import OUTPUT, Context
from bot.services.gather import Gatherer
from bot.slack import calls
from bot.slack.calls import AnySlack, rests
from bot.slack.notifier.drawing import Timing, edit, update
from bot.support.errors import SlackFailed, StoreError
from bot.support.pool import Pool, pool_room, run_all

log = structlog.get_logger(__name__)

#: The share of the update budget for outputs; the rest is for cards, which matter more.
SHARE: Final = 0.97
#: If an output's message was never posted, its file is sent after this long all the same.
MESSAGE_WAIT: Final = 300.0
#: How often a file that Slack doesn't accept is retried, at growing intervals (about half an hour in all).
DELIVERIES: Final = 10
LONGEST_WAIT: Final = 300.0
_NAME_CHARACTERS: Final = re.compile(r"[^\w.+-]+")


class Outputs:
    """Draw the outputs on the board, and upload the files of those that are over."""

    def __init__(
        self, context: Context, slack: AnySlack, gatherer: Gatherer, timing: Timing, board: Board
    ) -> None:
        self._store = context.store
        self._slack = slack
        self._gatherer = gatherer
        self._board = board
        self._ids = context.ids
        self._owners = context.owners
        self._timing = timing

    async def step(self, pool: Pool | None = None) -> int:
        """Update messages within the budget, start uploading files; return how many of both there were.

        After this process stood still, another one may know more of an output, and have said all there is.
        """
        try:
            owned = await self._owners.own_all([OUTPUT + run_id for run_id in self._board.entries])
        except StoreError as error:
            log.warning("outputs not drawn", problem=error)
            return 0
        updated = await self._update([one for one in self._board.due() if OUTPUT + one.run_id in owned])
        room = pool_room(pool, self._timing.batch)
        mine = [one for one in self._board.entries.values() if OUTPUT + one.run_id in owned]
        due = [entry for entry in mine if self._is_deliverable(entry)][: max(room, 0)]
        for entry in due:
            entry.is_delivering = True
        await run_all([self._guarded(entry) for entry in due], pool)
        return updated + len(due)

    # -- messages --------------------------------------------------------------------------------------------

    async def _update(self, due: Sequence[Entry]) -> int:
        """Draw messages one after another; return how many were drawn."""
        if not due:
            return 0
        updates = await self._slack.room(calls.CHAT_UPDATE)
        room = min(updates.within(SHARE), self._timing.batch)
        drawn = 0
        for entry in due:
            if drawn >= room:
                break
            try:
                drawn += await self._draw(entry)
            except StoreError as error:
                log.warning("output not drawn", run=entry.run_id, problem=error)
                break
            except SlackFailed as error:
                seconds = rests(error, 0.0)
                if seconds:
                    break
                # Repeating an update does no harm, whatever became of the first attempt.
                entry.updated_at, entry.is_lost = self._board.monotonic(), seconds is None
                if entry.is_lost:
                    log.info("output message lost", run=entry.run_id, problem=error.code)
            except Exception:
                # It waits its turn again, so that it can't hold up the other outputs and the files.
                log.exception("output not drawn", run=entry.run_id, reference=self._ids.reference())
                entry.updated_at = self._board.monotonic()
        return drawn

    async def _draw(self, entry: Entry) -> bool:
        """Draw one message in its current state; return False if it hasn't been posted yet."""
        run = await self._store.run(entry.run_id)
        if run is None or run.output_ts is None:
            return False
        channel = await self._channel(run)
        if channel is None:
            return False
        facts = await self._gatherer.of_run(run)
        if facts.output is None:
            return False
        answer = output_message(facts)
        await edit(self._slack.to(run.principal), update(channel, run.output_ts, answer), SHARE)
        self._board.drawn(run.id, facts.output)
        return True

    async def _channel(self, run: Run) -> str | None:
        """Return the direct message that shows a run's output."""
        card = await self._store.card(run.id)
        if card is not None and card.channel_id is not None and card.channel_id.startswith("D"):
            return card.channel_id
        return await self._store.known_channel(run.principal)

    # -- files -----------------------------------------------------------------------------------------------

    def _is_deliverable(self, entry: Entry) -> bool:
        if not entry.is_over or entry.is_done or entry.is_delivering:
            return False
        now = self._board.monotonic()
        waits = entry.is_dirty and now - entry.over_at < MESSAGE_WAIT
        return not waits and now >= entry.deliver_after

    async def _guarded(self, entry: Entry) -> None:
        try:
            await self._deliver(entry)
        except StoreError as error:
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
        if run is None or not spool.size:
            await self._done(entry)
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
        except SlackFailed as error:
            seconds = rests(error, 0.0)
            if seconds == 0.0:
                entry.deliveries += 1
                seconds = backoff(entry.deliveries + 2, 0.5, longest=LONGEST_WAIT)
            if seconds is None or entry.deliveries >= DELIVERIES:
                await self._missing(entry, run, error)
            else:
                entry.deliver_after = self._board.monotonic() + seconds
        else:
            body = {"job": run.id, "file": str(answer.data.get("file_id") or ""), "name": name}
            await self._store.add_notices([NewNotice(run.id, NoticeKind.JOB_FILE, "1", run.principal, body)])
            await self._done(entry)

    async def _missing(self, entry: Entry, run: Run, error: SlackFailed) -> None:
        """Say once that there is no file."""
        log.error("output not sent as a file", run=run.id, problem=error.code)
        body = {"job": run.id, "connection": run.connection, "cause": error.code}
        missing = NewNotice(run.id, NoticeKind.JOB_FILE_MISSING, "file", run.principal, body)
        await self._store.add_notices([missing])
        await self._done(entry)

    async def _done(self, entry: Entry) -> None:
        await self._store.output_done(entry.run_id)
        entry.done(self._board.monotonic())

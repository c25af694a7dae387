"""Sends the output of job runs as files."""

import re
from typing import Final

import structlog

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.plan import backoff
from bot.domain.runs import Run
from bot.domain.transcript import Board, FollowedRun
from bot.messages.blocks.notices import render
from bot.messages.blocks.runs import format_output
from bot.services.context import Context
from bot.services.message_context import Gatherer
from bot.services.owners import OUTPUT_PREFIX
from bot.slack.errors import find_retry_delay
from bot.slack.installed import AnySlack
from bot.slack.notifier.files import upload_file
from bot.slack.notifier.rendering import build_edit, digest
from bot.slack.notifier.timing import Timing
from bot.store import cards
from bot.store import notices as notice_rows
from bot.store import runs as run_rows
from bot.support import errors
from bot.support.pool import Pool, count_free_slots, run_all

log = structlog.get_logger(__name__)


#: Maximum number of attempts to upload a file. The intervals between them grow, and add up to half an hour.
MAX_DELIVERIES: Final = 10
MAX_DELIVERY_WAIT_SECONDS: Final = 300.0
_NAME_CHARACTERS: Final = re.compile(r"[^\w.+-]+")


class Outputs:
    """Uploads the complete outputs of ended runs as files."""

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
        """Upload the files that are due, and return how many were uploaded.

        This process sends an output only while it owns it. If this process was suspended for a while, another
        one may have sent the output.
        """
        due = [entry for entry in self._board.entries.values() if self._is_deliverable(entry)]
        if not due:
            return 0
        try:
            owned = await self._owners.own_all([OUTPUT_PREFIX + entry.run_id for entry in due])
        except errors.StoreError as error:
            log.warning("outputs not sent", problem=error)
            return 0
        free = count_free_slots(pool, self._timing.batch)
        mine = [entry for entry in due if OUTPUT_PREFIX + entry.run_id in owned][: max(free, 0)]
        for entry in mine:
            entry.is_delivering = True
        await run_all([self._isolate_errors(entry) for entry in mine], pool, is_full=len(mine) >= free)
        return len(mine)

    def _is_deliverable(self, entry: FollowedRun) -> bool:
        is_due = entry.is_over and not entry.is_done and not entry.is_delivering
        return is_due and self._board.monotonic() >= entry.deliver_after

    async def _isolate_errors(self, entry: FollowedRun) -> None:
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

    async def _deliver(self, entry: FollowedRun) -> None:
        run = await self._store.read(run_rows.find_run, entry.run_id)
        spool = entry.transcript.spool
        if run is None:
            await self._finish(entry)
            return
        if not spool.size:
            await self._finish(entry, *([self._build_missing_notice(run, "empty")] if entry.is_asked else []))
            return
        if self._fits_end(entry):
            if await self._store.read(notice_rows.end_state, run.id) == "pending":
                entry.deliver_after = self._board.monotonic() + 1.0
                return
            if await self._is_shown(run):
                await self._finish(entry)
                return
        stem = _NAME_CHARACTERS.sub("-", run.name)[:60].strip("-.") or "job"
        name = f"{stem}-{run.id.rpartition('_')[2][:8]}.log"
        try:
            slack = self._slack.find_client(run.principal)
            file = await upload_file(slack, name, spool.pieces(), spool.size)
        except errors.SlackFailed as error:
            seconds = find_retry_delay(error, 0.0)
            if seconds == 0.0:
                entry.deliveries += 1
                seconds = backoff(entry.deliveries + 2, 0.5, longest=MAX_DELIVERY_WAIT_SECONDS)
            if seconds is None or entry.deliveries >= MAX_DELIVERIES:
                await self._finish(entry, self._build_missing_notice(run, error.code))
            else:
                entry.deliver_after = self._board.monotonic() + seconds
        else:
            # The file's id is the notice's occasion, so anyone who asks again gets another notice.
            body = {"job": run.id, "file": file, "name": name}
            await self._finish(entry, NewNotice(run.id, NoticeKind.JOB_FILE, file, run.principal, body))

    @staticmethod
    def _fits_end(entry: FollowedRun) -> bool:
        """Return whether the whole output fits into the message that says how the run ended."""
        tail = format_output(entry.transcript.tail)
        is_whole = tail is not None and not tail.is_cut and entry.transcript.is_short
        return is_whole and not entry.is_asked

    async def _is_shown(self, run: Run) -> bool:
        """Return whether the message about a run's end already shows all the output known so far."""
        end = await self._store.read(cards.find_output_head, run.id, await self._store.now())
        facts = None if end is None else await self._gatherer.describe_message(end)
        if end is None or facts is None or not end.message_ts:
            return False
        edit = build_edit(end.channel_id or "", end.message_ts, render(end.kind, facts))
        return end.kind is NoticeKind.JOB_ENDED and digest(edit) == end.rendered_digest

    def _build_missing_notice(self, run: Run, cause: str) -> NewNotice:
        log.info("no file of an output", run=run.id, problem=cause)
        body = {"job": run.id, "connection": run.connection, "problem": "file_missing", "cause": cause}
        return NewNotice(run.id, NoticeKind.JOB_PROBLEM, self._ids.new("file"), run.principal, body)

    async def _finish(self, entry: FollowedRun, *notices: NewNotice) -> None:
        await self._store.write(run_rows.note_output_sent, entry.run_id, notices)
        entry.finish(self._board.monotonic())

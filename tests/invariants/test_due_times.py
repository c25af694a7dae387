"""The check of due times finds those that a restart would move, and no others."""

from __future__ import annotations

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.work_items import DEADLINE_SECONDS
from bot.store import notices
from bot.store.tables import WORKSPACES
from tests.rigs.clock import FakeClock
from tests.rigs.due_times import check_due_times
from tests.rigs.store import ALICE, linked, memory_store


@pytest.fixture
async def store():
    async with memory_store(FakeClock()) as opened:
        yield opened


async def due_in(store, seconds, kind=NoticeKind.MESSAGE):
    await store.write(notices.add_notices, [NewNotice("s", kind, "1", ALICE, due_in=seconds)])


async def test_message_beyond_its_limit_is_found(store):
    await due_in(store, DEADLINE_SECONDS)
    await check_due_times(store)
    await due_in(store, DEADLINE_SECONDS + 1, NoticeKind.REPLY)
    with pytest.raises(AssertionError, match=r"notices\.due_at"):
        await check_due_times(store)


async def test_message_about_a_lesson_may_wait(store):
    await due_in(store, 2 * DEADLINE_SECONDS, NoticeKind.LESSON)
    await check_due_times(store)


async def test_check_may_be_far_ahead(store):
    workspace = (await linked(store)).workspaces[0]
    at = await store.now() + 86_400.0
    await store.carry_out(lambda tx: WORKSPACES.change(tx, {"id": workspace.id}, stop_check_at=at))
    await check_due_times(store)

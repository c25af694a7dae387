"""Who is signed in in which browser: until they sign out, are unlinked, leave, or time is over."""

import pytest

from bot.domain.people import Principal
from bot.domain.workspaces import BrowserSession
from tests.rigs.store import (
    ALICE,
    BOB,
    accept_operation,
    begin_session,
    browser_session,
    linked,
    unlink,
)

HOUR = 3600.0


async def begun(store, principal=ALICE, id_hash="h1", lasts=12 * HOUR):
    now = await store.now()
    session = BrowserSession(id_hash, principal, now, now, now + lasts)
    await begin_session(store, session)
    return session


async def test_a_session_is_found_by_its_digest_alone(store):
    session = await begun(store)
    assert await browser_session(store, "h1", HOUR) == session
    assert await browser_session(store, "h2", HOUR) is None


async def test_it_ends_when_its_time_is_over_however_much_it_is_used(store, clock):
    await begun(store, lasts=3 * HOUR)
    for _ in range(5):
        clock.advance(HOUR / 2)
        assert await browser_session(store, "h1", HOUR) is not None
        await store.keep_browser_session("h1")
    clock.advance(HOUR / 2)
    assert await browser_session(store, "h1", HOUR) is None
    assert await store.page_rows("h1", HOUR, "any") is None


async def test_it_ends_when_it_is_not_used(store, clock):
    await begun(store)
    clock.advance(HOUR - 1)
    assert await browser_session(store, "h1", HOUR) is not None
    clock.advance(1)
    assert await browser_session(store, "h1", HOUR) is None
    assert await store.page_rows("h1", HOUR, "any") is None


async def test_one_that_was_ended_is_not_kept(store):
    await begun(store)
    assert await store.end_browser_sessions_at(ALICE.team_id) == 1
    await store.keep_browser_session("h1")
    assert await browser_session(store, "h1", HOUR) is None


@pytest.mark.parametrize("connection", ["saturn", None])
@pytest.mark.parametrize("has_account", [True, False])
async def test_an_unlink_ends_all_of_its_person(store, connection, has_account):
    if has_account:
        await linked(store, ALICE)
    # A sign-in may name an enterprise that the account does not, and the other way round.
    await begun(store, Principal("E1", ALICE.team_id, ALICE.user_id))
    await begun(store, ALICE, "h2")
    bobs = await begun(store, BOB, "h3")
    await unlink(store, ALICE, connection)
    assert [await browser_session(store, key, HOUR) for key in ("h1", "h2", "h3")] == [None, None, bobs]


async def test_all_of_everybody(store):
    for number, principal in enumerate((ALICE, ALICE, BOB)):
        await begun(store, principal, f"h{number}")
    assert await store.end_browser_sessions_at("T1") == 3
    assert await store.end_browser_sessions_at("T1") == 0


async def test_a_look_holds_what_a_page_needs(store):
    session = await begun(store)
    workspace = (await linked(store, ALICE)).workspaces[0]
    rows = await store.page_rows("h1", HOUR, workspace.id)
    assert (rows.session, rows.workspace.id, rows.operation) == (session, workspace.id, None)
    assert rows.now == await store.now()
    accepted = await accept_operation(store, workspace, interaction="i1")
    assert (await store.page_rows("h1", HOUR, workspace.id)).operation == accepted.operation
    assert (await store.page_rows("h1", HOUR, "none")).workspace is None


async def test_a_look_tells_nothing_of_what_others_ask_for(store):
    await begun(store, BOB)
    workspace = (await linked(store, ALICE)).workspaces[0]
    await accept_operation(store, workspace, interaction="i1")
    rows = await store.page_rows("h1", HOUR, workspace.id)
    assert (rows.operation, rows.channel_id) == (None, None)


async def test_what_is_over_is_swept(store, clock):
    await begun(store, lasts=HOUR)
    await begun(store, BOB, "h2")
    clock.advance(2 * HOUR)
    await store.sweep()
    assert await store.end_browser_sessions_at("T1") == 1

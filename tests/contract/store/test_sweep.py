"""The sweep deletes what is past its use, and nothing else."""

from __future__ import annotations

from bot.models import Link, NewNotice, NoticeKind, Outcome, WishVerb, Workspace
from bot.store.base import NewWish, WishUpdate
from tests.support.store import ALICE, gate_key, link_account, linked

DAY = 86_400.0


async def test_inbox_rows_go_after_a_day(store, clock):
    for number in range(450):
        await store.first_sight(f"old{number}")
    clock.advance(DAY - 10)
    await store.first_sight("young")
    clock.advance(11)
    await store.sweep()
    assert await store.first_sight("old0")
    assert await store.first_sight("old449")
    assert not await store.first_sight("young")


async def test_links_go_a_day_after_they_ran_out(store, clock):
    await store.new_link(Link("n", ALICE, "saturn", None, clock.now(), clock.now() + 600))
    clock.advance(DAY + 599)
    await store.sweep()
    assert await store.link("n") is not None
    clock.advance(2)
    await store.sweep()
    assert await store.link("n") is None


async def test_sent_notices_go_after_thirty_days_and_others_stay(store, clock):
    await store.add_notices([NewNotice(f"s{number}", NoticeKind.MESSAGE, "1", ALICE) for number in range(3)])
    sent, dead, _ = await store.claim_notices(10, 60.0)
    await store.notice_sent(sent.id, "D1", "1.1")
    await store.notice_dead(dead.id, "gone")
    clock.advance(29 * DAY)
    await store.sweep()
    await store.add_notices([NewNotice(sent.subject, NoticeKind.MESSAGE, "1", ALICE)])
    assert [notice.subject for notice in await store.claim_notices(10, 60.0)] == ["s2"]
    clock.advance(2 * DAY)
    await store.sweep()
    await store.add_notices([NewNotice(sent.subject, NoticeKind.MESSAGE, "1", ALICE)])
    assert {notice.subject for notice in await store.claim_notices(10, 60.0)} == {"s0", "s2"}
    assert len(await store.dead_notices()) == 1


async def test_the_fifty_newest_wishes_of_a_workspace_stay(store, clock):
    workspaces = (await linked(store, names=["busy", "quiet"])).workspaces
    made = []
    for number in range(53):
        clock.advance(1)
        new = NewWish(ALICE, workspaces[0].id, "saturn", WishVerb.START, 60.0, "R")
        made.append((await store.accept_wish(new, interaction=f"b{number}")).wish)
        if number < 52:
            await store.save_step(WishUpdate(made[-1].id, 0.0, outcome=Outcome.FULFILLED))
    new = NewWish(ALICE, workspaces[1].id, "saturn", WishVerb.START, 60.0, "R")
    quiet = (await store.accept_wish(new, interaction="q")).wish
    clock.advance(400 * DAY)
    await store.sweep()
    kept = [wish.id for wish in made if await store.wish(wish.id) is not None]
    assert kept == [wish.id for wish in made[-50:]]
    assert await store.card(made[0].id) is None
    assert await store.wish(quiet.id) is not None


async def test_the_wishes_of_an_unlinked_workspace_go_after_thirty_days(store, clock):
    workspace = (await linked(store)).workspaces[0]
    new = NewWish(ALICE, workspace.id, "saturn", WishVerb.START, 60.0, "R")
    wish = (await store.accept_wish(new, interaction="")).wish
    await store.unlink(ALICE, None, revocable=[], cause="unlinked")
    clock.advance(29 * DAY)
    await store.sweep()
    assert await store.wish(wish.id) is not None
    clock.advance(2 * DAY)
    await store.sweep()
    assert await store.wish(wish.id) is None


async def test_gates_that_nobody_watches_go_a_day_after_they_opened(store, clock):
    await link_account(store)
    key = gate_key("saturn", "x")
    shared = Workspace("w", ALICE, "saturn", "x", key, "x", origin="added")
    await store.add_workspace(shared)
    # A gate is seen from outside by how long it stays closed: here for longer than the sweep's day.
    assert await store.claim_reads("saturn", 10, 3 * DAY, 0.5)
    await store.unlink(ALICE, None, revocable=[], cause="unlinked")
    await link_account(store, secret="again")
    clock.advance(2 * DAY)
    await store.sweep()
    await store.add_workspace(shared)
    assert await store.claim_reads("saturn", 10, 10.0, 0.5) == []
    await store.unlink(ALICE, None, revocable=[], cause="unlinked")
    clock.advance(5 * DAY)
    await store.sweep()
    await link_account(store, secret="once more")
    await store.add_workspace(shared)
    assert await store.claim_reads("saturn", 10, 10.0, 0.5)

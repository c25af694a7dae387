"""Reminders of credentials that end: due rows, each written once, by whichever process comes first."""

from bot.domain.notices import NewNotice, NoticeKind
from tests.rigs.store import ALICE, BOB, link_account

DAY = 86_400.0


def notice(account, occasion="week"):
    return NewNotice(account.id, NoticeKind.LINK_ENDING, occasion, ALICE, {"connection": "saturn"})


async def test_each_is_due_in_its_time_and_written_once(store, clock):
    end = clock.now() + 30 * DAY
    account = await link_account(store, ends_at=end)
    await link_account(store, BOB)
    clock.advance(23 * DAY - 1)
    assert await store.due_reminders(10) == []
    clock.advance(1)
    (due,) = await store.due_reminders(10)
    assert (due.id, due.ends_at, due.remind_at) == (account.id, end, end - 7 * DAY)
    assert await store.reminder_done(due, end - DAY, [notice(due)])
    assert not await store.reminder_done(due, end - DAY, [notice(due, "again")])
    assert await store.due_reminders(10) == []
    kinds = [one.kind for one in await store.claim_notices(10, 60.0)]
    assert kinds == [NoticeKind.LINK_ENDING]
    clock.advance(6 * DAY)
    (due,) = await store.due_reminders(10)
    assert await store.reminder_done(due, None, [])
    clock.advance(30 * DAY)
    assert await store.due_reminders(10) == []


async def test_a_fresh_secret_has_an_end_of_its_own_and_a_sealed_again_one_keeps_it(store, clock):
    account = await link_account(store, ends_at=clock.now() + 8 * DAY)
    assert await store.save_secret(account.id, account.secret, "sealed again")
    assert (await store.account(ALICE, "saturn")).remind_at == clock.now() + DAY
    fresh_end = clock.now() + 90 * DAY
    assert await store.save_secret(account.id, "sealed again", "fresh", is_fresh=True, ends_at=fresh_end)
    held = await store.account(ALICE, "saturn")
    assert (held.ends_at, held.remind_at) == (fresh_end, fresh_end - 7 * DAY)
    assert await store.save_secret(account.id, "fresh", "for ever", is_fresh=True)
    held = await store.account(ALICE, "saturn")
    assert (held.ends_at, held.remind_at) == (None, None)


async def test_a_link_that_is_gone_or_another_is_reminded_of_no_more(store, clock):
    account = await link_account(store, ends_at=clock.now() + 8 * DAY)
    clock.advance(DAY)
    (due,) = await store.due_reminders(10)
    await link_account(store, ends_at=clock.now() + 90 * DAY)
    assert await store.due_reminders(10) == []
    assert not await store.reminder_done(due, None, [notice(account)])
    assert await store.claim_notices(10, 60.0) == []

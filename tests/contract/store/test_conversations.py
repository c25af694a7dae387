"""What was last spoken of: for a person, a conversation and its threads, for a while, in all processes."""

from bot.domain.notices import NewNotice, NoticeKind, Spoken
from bot.store.people import KEPT_SECONDS
from tests.rigs.store import ALICE, BOB, accept_operation, unlink

SAID = Spoken(("workspace_1",), what="stop", ask="stop workspace_1@3")


async def test_it_is_remembered_where_it_was_said_and_by_every_process(database, store):
    await store.speak(ALICE, "D1", None, SAID.as_body())
    other = await database.open()
    assert await other.spoken(ALICE, "D1", None) == SAID
    assert await store.spoken(ALICE, "C1", None) == Spoken()
    assert await store.spoken(BOB, "D1", None) == Spoken()


async def test_it_is_forgotten_after_a_while_and_with_the_link(store, clock, workspace):
    await store.speak(ALICE, "D1", None, SAID.as_body())
    clock.advance(KEPT_SECONDS - 1)
    assert await store.spoken(ALICE, "D1", None) == SAID
    clock.advance(2)
    assert await store.spoken(ALICE, "D1", None) == Spoken()
    await store.speak(ALICE, "D1", None, SAID.as_body())
    await unlink(store, ALICE, workspace.connection)
    assert await store.spoken(ALICE, "D1", None) == Spoken()


async def test_the_last_list_is_kept_while_one_of_it_is_spoken_of(store):
    listed = ("workspace_1", "workspace_2")
    await store.speak(ALICE, "D1", None, Spoken(listed).as_body())
    await store.speak(ALICE, "D1", None, Spoken(("workspace_2",), what="status").as_body())
    found = await store.spoken(ALICE, "D1", None)
    assert (found.workspaces, found.listed) == (("workspace_2",), listed)


async def test_in_the_thread_of_a_card_it_is_what_the_card_is_about(store, workspace):
    await store.speak(ALICE, "D1", None, SAID.as_body())
    card = NewNotice("", NoticeKind.CARD, "first", ALICE)
    await accept_operation(store, workspace, notices=[card])
    (notice,) = await store.claim_notices(10, 60.0)
    await store.notice_sent(notice.id, "D1", "7.1")
    assert (await store.spoken(ALICE, "D1", "7.1")).workspaces == (workspace.id,)

"""Answers that can be edited: they are drawn again or closed when what they name changes, and only then."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.models import (
    Approval,
    NewNotice,
    NewRun,
    NoticeKind,
    Observed,
    OperationVerb,
    Outcome,
    Spec,
    State,
    Update,
)
from bot.store.records import FoundWorkspace, NewOperation
from tests.rigs.store import ALICE, BOB, linked, observe

LATER = 3.0


def offer(kind, about, *names, is_one=True, kept=None):
    """Return what ``bot.messages.blocks.lasting`` keeps of an answer."""
    names = f" {' '.join(names or (about,))} "
    return {"kind": kind, "about": about, "is_one": is_one, "names": names, "kept": kept or {}}


async def said(store, ts, lasting, principal=ALICE, kind=NoticeKind.REPLY, **body):
    """Answer in a direct message that gets this timestamp; return the notice's id."""
    await store.add_notices([NewNotice(f"event:{ts}", kind, "1", principal, {"lasting": lasting, **body})])
    (notice,) = await store.claim_notices(10, 60.0)
    await store.notice_sent(notice.id, "D1", ts)
    return notice.id


async def owed(store, clock):
    """Return what is owed once presses have had their time, by message, and settle it."""
    clock.advance(LATER)
    cards = await store.claim_cards(20, 15.0, 60.0)
    for card in cards:
        await store.card_updated(card.id, card)
    return {card.message_ts: card.stage for card in cards}


async def test_what_changes_closes_an_answer_and_draws_what_is_shown_again(store, clock, workspace):
    await said(store, "1", offer("reply", workspace.id))
    assert await owed(store, clock) == {}
    await observe(store, clock, workspace, Observed(State.STOPPED, progress=10))
    assert await owed(store, clock) == {}
    await observe(store, clock, workspace, Observed(State.RUNNING))
    assert await store.claim_cards(20, 15.0, 60.0) == [], "not before what was pressed could replace it"
    assert await owed(store, clock) == {"1": "closing"}
    await said(store, "2", offer("shown", workspace.id))
    for state in (State.STOPPING, State.STOPPED):
        await observe(store, clock, workspace, Observed(state))
        assert await owed(store, clock) == {"2": "live"}


async def test_an_answer_takes_the_place_of_a_notice_about_the_same_and_not_of_its_card(
    store, clock, workspace
):
    new = NewOperation(ALICE, workspace.id, "saturn", OperationVerb.START, 60.0, "R")
    card = NewNotice("", NoticeKind.CARD, "first", ALICE)
    start = (await store.accept_operation(new, interaction="", notices=[card])).operation.id
    ready = NewNotice(start, NoticeKind.READY, "end", ALICE, {"workspace": workspace.id})
    for notice in await store.claim_notices(10, 60.0):
        await store.notice_sent(notice.id, "D1", "card")
    await store.save_step(Update(start, 0.0, outcome=Outcome.FULFILLED, notices=[ready]))
    for notice in await store.claim_notices(10, 60.0):
        await store.notice_sent(notice.id, "D1", "ready")
    await owed(store, clock)
    await said(store, "1", offer("shown", workspace.id))
    assert await owed(store, clock) == {"ready": "closing"}
    await said(store, "2", offer("reply", workspace.id))
    assert await owed(store, clock) == {"1": "closing"}


async def test_a_list_is_drawn_again_for_any_workspace_of_its_person_and_no_others(store, clock):
    mine = (await linked(store, names=["one", "two"])).workspaces
    (theirs,) = (await linked(store, BOB, ["other"])).workspaces
    await said(store, "1", offer("shown", "workspaces", is_one=False))
    await said(store, "2", offer("shown", "workspaces", is_one=False), BOB)
    for workspace, shown in ((mine[0], "1"), (mine[1], "1"), (theirs, "2")):
        await observe(store, clock, workspace, Observed(State.STARTING))
        assert await owed(store, clock) == {shown: "live"}
    await said(store, "3", offer("shown", "workspaces", is_one=False))
    assert await owed(store, clock) == {"1": "closing"}


async def told(store, workspace, ts, principal=ALICE):
    """Warn that a workspace is about to end by itself, in a message with this timestamp."""
    new = NewNotice(workspace.id, NoticeKind.ENDING, ts, principal, {"workspace": workspace.id})
    await store.add_notices([new])
    (notice,) = await store.claim_notices(10, 60.0)
    await store.notice_sent(notice.id, "D1", ts)


async def test_the_newest_message_that_names_a_row_takes_the_place_of_those_before_it(store, clock):
    one, two, three = (await linked(store, names=["one", "two", "three"])).workspaces
    (theirs,) = (await linked(store, BOB, ["other"])).workspaces
    await told(store, theirs, "theirs", BOB)
    for workspace in (one, two, three):
        await told(store, workspace, workspace.name)
    assert await owed(store, clock) == {}
    await said(store, "list", offer("shown", "workspaces", "workspaces", one.id, two.id, is_one=False))
    assert await owed(store, clock) == {"one": "closing", "two": "closing"}
    # A list may show what wasn't there when it was sent.
    await told(store, three, "three again")
    assert await owed(store, clock) == {"three": "closing", "list": "closing"}
    await said(store, "question", offer("reply", "answers", one.id, two.id, is_one=False))
    await said(store, "other question", offer("reply", three.id))
    assert await owed(store, clock) == {"three again": "closing"}
    await said(store, "state", offer("shown", two.id))
    assert await owed(store, clock) == {"question": "closing"}
    assert await owed(store, clock) == {}


async def test_an_answer_that_is_found_after_newer_ones_takes_nobodys_place(store, clock, workspace):
    names = ("workspaces", workspace.id)
    body = {"lasting": offer("shown", "workspaces", *names, is_one=False)}
    await store.add_notices([NewNotice("event:1", NoticeKind.REPLY, "1", ALICE, body)])
    (late,) = await store.claim_notices(10, 60.0)
    await told(store, workspace, "stopped")
    await store.notice_sent(late.id, "D1", "late")
    assert await owed(store, clock) == {"late": "closing"}


async def test_an_old_answer_is_closed_by_what_changes(store, clock, workspace):
    await said(store, "2", offer("shown", workspace.id))
    run, _ = await store.accept_run(NewRun(ALICE, "saturn", "train", Spec("train"), "R"), interaction="")
    await said(store, "1", offer("shown", "runs", is_one=False))
    clock.advance(3_500.0)
    await store.keep_run_waiting(run.id, 60.0, "")
    await observe(store, clock, workspace, Observed(State.RUNNING))
    assert await owed(store, clock) == {"1": "live", "2": "live"}
    clock.advance(100.0)
    await observe(store, clock, workspace, Observed(State.STOPPED))
    await store.keep_run_waiting(run.id, 120.0, "")
    assert await owed(store, clock) == {"1": "closing", "2": "closing"}
    await observe(store, clock, workspace, Observed(State.RUNNING))
    assert await owed(store, clock) == {}


async def test_a_list_is_drawn_again_when_there_is_one_more_or_a_new_name(store, clock, workspace):
    await said(store, "1", offer("shown", "workspaces", is_one=False))
    account = await store.account(ALICE, "saturn")
    known = FoundWorkspace(workspace.remote_id, workspace.gate_key, workspace.name, workspace.state)
    for found in ([known], [known, FoundWorkspace("r9", "g9", "fresh", State.STOPPED)]):
        assert await owed(store, clock) == {}
        await store.merge_discovered(account.id, found)
    assert await owed(store, clock) == {"1": "live"}
    await store.name_workspace(workspace.id, "thesis")
    assert await owed(store, clock) == {"1": "live"}
    await store.add_workspace(replace(workspace, id="workspace_x", remote_id="r10", gate_key="g10"))
    assert await owed(store, clock) == {"1": "live"}


async def test_a_question_about_several_is_closed_by_each_of_them_only(store, clock):
    one, two, three = (await linked(store, names=["one", "two", "three"])).workspaces
    await said(store, "1", offer("reply", "answers", one.id, two.id, is_one=False))
    await observe(store, clock, three, Observed(State.RUNNING))
    assert await owed(store, clock) == {}
    await observe(store, clock, two, Observed(State.RUNNING))
    assert await owed(store, clock) == {"1": "closing"}


async def test_what_changed_before_an_answer_was_sent_is_owed_right_after(store, clock, workspace):
    body = {"lasting": offer("reply", workspace.id)}
    await store.add_notices([NewNotice("event:1", NoticeKind.REPLY, "1", ALICE, body)])
    await observe(store, clock, workspace, Observed(State.RUNNING))
    (notice,) = await store.claim_notices(10, 60.0)
    await store.notice_sent(notice.id, "D1", "1")
    assert await owed(store, clock) == {"1": "closing"}


async def test_runs_change_what_shows_them(store, clock):
    run, _ = await store.accept_run(NewRun(ALICE, "saturn", "train", Spec("train"), "R"), interaction="")
    await said(store, "1", offer("shown", "runs", is_one=False))
    await said(store, "3", offer("shown", "workspaces", is_one=False))
    await store.keep_run_waiting(run.id, 60.0, "")
    assert await owed(store, clock) == {"1": "live"}
    await said(store, "2", offer("shown", run.id))
    await store.keep_run_waiting(run.id, 120.0, "")
    assert await owed(store, clock) == {"1": "closing", "2": "live"}


async def test_an_answer_that_replaces_a_message_takes_its_row_too(store, clock, workspace):
    first = await said(store, "1", offer("reply", workspace.id))
    await observe(store, clock, workspace, Observed(State.RUNNING))
    await said(store, "1", None, kind=NoticeKind.MESSAGE)
    assert await store.card(first) is None
    assert await owed(store, clock) == {}


async def test_a_guess_is_closed_by_the_next_answer_in_the_conversation_and_other_answers_are_not(
    store, clock, workspace
):
    await said(store, "1", offer("reply", "answers", "say", is_one=False))
    await said(store, "2", offer("shown", "workspaces", is_one=False), BOB, is_direct=True)
    await said(store, "3", None)
    assert await owed(store, clock) == {}
    await said(store, "4", offer("reply", workspace.id), is_direct=True)
    assert await owed(store, clock) == {"1": "closing"}
    await said(store, "5", None, is_direct=True)
    assert await owed(store, clock) == {}
    await said(store, "6", offer("reply", "answers", "say", is_one=False))
    new = NewOperation(ALICE, workspace.id, "saturn", OperationVerb.START, 60.0, "R")
    await store.accept_operation(new, interaction="", notices=[NewNotice("", NoticeKind.CARD, "1", ALICE)])
    assert await owed(store, clock) == {"6": "closing"}


async def test_unlinking_leaves_no_answer_as_it_was(store, clock, workspace):
    await said(store, "1", offer("reply", "answers", "say", is_one=False))
    await said(store, "2", offer("shown", workspace.id))
    await said(store, "3", offer("shown", "workspaces", is_one=False))
    await store.unlink(ALICE, "saturn", revocable=(), cause="person")
    assert await owed(store, clock) == {"1": "closing", "2": "closing", "3": "live"}


async def test_what_was_deleted_or_given_up_leaves_no_row(store, workspace):
    deleted = await said(store, "1", offer("shown", workspace.id))
    await store.card_lost(deleted)
    assert await store.card(deleted) is None
    body = {"lasting": offer("reply", workspace.id)}
    await store.add_notices([NewNotice("event:2", NoticeKind.REPLY, "1", ALICE, body)])
    (notice,) = await store.claim_notices(10, 60.0)
    await store.notice_dead(notice.id, "expired")
    assert await store.card(notice.id) is None


async def test_what_administrators_are_asked_is_closed_by_the_decision_and_when_it_is_withdrawn(store, clock):
    await linked(store, names=["one"])
    for number, connection in enumerate(("posit", "saturn"), 1):
        request = Approval(f"a{number}", ALICE, connection, "alice", "asked", 100.0)
        asked = [NewNotice("", NoticeKind.APPROVAL_ASKED, who.user_id, who) for who in (ALICE, BOB)]
        await store.ask_approval(request, asked)
    for number, notice in enumerate(await store.claim_notices(10, 60.0)):
        await store.notice_sent(notice.id, "D1", f"{notice.subject}.{number}")
    assert await owed(store, clock) == {}
    await store.decide_approval("a1", "denied", BOB.key)
    assert [(ts[:2], stage) for ts, stage in (await owed(store, clock)).items()] == [("a1", "closing")] * 2
    await store.unlink(ALICE, "saturn", revocable=(), cause="person")
    assert [(ts[:2], stage) for ts, stage in (await owed(store, clock)).items()] == [("a2", "closing")] * 2
    assert await owed(store, clock) == {}

"""Class cards: one press is one consent and one operation; the end reaches who consented, and nobody else."""

import asyncio
from dataclasses import replace

import pytest

from bot.domain.audit import AuditEntry
from bot.domain.errands import Call, Outcome
from bot.domain.forms import Spec
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.observed import Observed
from bot.domain.operations import OperationVerb
from bot.domain.people import Person, Principal
from bot.domain.runs import Update
from bot.domain.workspaces import State
from bot.services import classes
from bot.services.classes import Draft
from tests.rigs.providers import BASE_URL
from tests.rigs.store import (
    ALICE,
    BOB,
    accept_operation,
    deliver,
    link_account,
    linked,
    observe,
    refuse,
    unlink,
)
from tests.rigs.use_cases import ask

TRAINER = Principal(None, "T1", "UTRAINER")
CARD = "class_0001"


def by(store, principal, interaction="", **fields):
    return replace(ask(store, interaction, principal), **fields)


async def posted(store, interaction="post", **fields):
    """Post a card, which is the only one: ``CARD``."""
    await store.save_people([Person(TRAINER, "Trainer", seen_at=await store.now())])
    draft = Draft("C1", "saturn", "Statistics", **({"pattern": "notebook"} | fields))
    return await by(store, TRAINER, interaction).to(classes.post, draft)


async def press(store, who, interaction="p1", message_ts=None, **fields):
    """Let a person, or the owner of a workspace, press; their list was read."""
    asked = by(store, getattr(who, "principal", who), interaction, **fields)
    return (await asked.to(classes.press, CARD, message_ts=message_ts, has_looked=True)).joined


async def noted(store, principal, interaction):
    """Let somebody press who has no account."""
    await store.save_people([Person(principal, "", seen_at=await store.now())])
    return await press(store, principal, interaction)


#: How a class stops a workspace, within how many seconds, and by which reference.
STOP = (OperationVerb.STOP, 1800.0, "R-2")


async def up(store, clock, principal=ALICE):
    """Give a person a running workspace with an address that was verified."""
    row = (await linked(store, principal)).workspaces[0]
    await observe(store, clock, row, Observed(State.RUNNING, url=f"{BASE_URL}/lab"))
    return row


async def test_two_presses_at_once_make_one_workspace(store):
    await posted(store, spec=Spec("lab"), pattern="")
    await link_account(store)
    await store.save_people([Person(ALICE, "", seen_at=await store.now())])
    asked = ask(store)
    made = await asyncio.gather(
        *(replace(asked, interaction=f"p{n}").to(classes.press, CARD, has_looked=True) for n in range(5))
    )
    assert sorted(one.joined.result for one in made) == ["joined"] * 4 + ["started"]
    assert len({one.joined.operation.id for one in made}) == 1
    assert len(await store.workspaces(ALICE)) == 1


async def test_a_press_replaces_a_stop_that_is_open(store):
    await posted(store)
    (row,) = (await linked(store, state=State.RUNNING)).workspaces
    stop = (await accept_operation(store, row, OperationVerb.STOP, interaction="s")).operation
    pressed = await press(store, row)
    assert pressed.result == "started"
    assert (await store.operation(stop.id)).outcome is Outcome.REPLACED


async def test_a_full_class_takes_who_is_in_it_until_its_end(store, clock):
    await posted(store, maximum=1, stops_at=clock.now() + 600)
    alice = (await linked(store)).workspaces[0]
    await press(store, alice)
    assert (await noted(store, TRAINER, "p2")).result == "full"
    assert (await press(store, alice, "p3")).result == "joined"
    clock.advance(600)
    assert (await press(store, alice, "p4")).result == "over"


async def test_who_can_have_no_operation_yet_is_counted_as_waiting(store):
    await posted(store)
    assert (await noted(store, ALICE, "p1")).result == "noted"
    counts = await store.class_counts(CARD)
    assert (counts.pressed, counts.waiting, counts.going, counts.consented) == (1, 1, 0, 0)
    _, _, (problem,) = await by(store, TRAINER).see(classes.problems_of, CARD)
    assert (problem.press.principal, problem.press.waits_for) == (ALICE, "unlinked")
    alice = await linked(store)
    await press(store, ALICE, "p2")
    counts = await store.class_counts(CARD)
    assert (counts.waiting, counts.going, counts.consented) == (1, 1, 1)
    # Somebody who has an operation is not set back by a press that can't have one.
    await refuse(store, alice.account)
    assert (await press(store, ALICE, "p3")).result == "noted"
    assert (await store.participant(CARD, ALICE)).waits_for == ""


async def test_counts_follow_the_newest_operation_of_each(store):
    await posted(store)
    row = (await linked(store)).workspaces[0]
    made = (await press(store, row)).operation
    await store.save_step(Update(made.id, 0.0, outcome=Outcome.FAILED, cause="limit: no more"))
    assert (await store.class_counts(CARD)).failed == 1
    _, _, (problem,) = await by(store, TRAINER).see(classes.problems_of, CARD)
    assert problem.operation.cause == "limit: no more"
    again = (await accept_operation(store, row, interaction="again")).operation
    assert (await store.class_counts(CARD)).waiting == 1
    await store.save_step(Update(again.id, 0.0, outcome=Outcome.FULFILLED))
    counts = await store.class_counts(CARD)
    assert (counts.ready, counts.failed, counts.waiting) == (1, 0, 0)
    assert (await by(store, TRAINER).see(classes.problems_of, CARD))[2] == []


#: What is replaced is counted by what replaced it.
ENDS = [one for one in Outcome if one not in {Outcome.REPLACED, Outcome.ENDED}]


@pytest.mark.parametrize("outcome", ENDS)
async def test_however_a_start_ends_its_press_is_counted(store, outcome):
    await posted(store)
    row = (await linked(store)).workspaces[0]
    made = (await press(store, row)).operation
    await store.save_step(Update(made.id, 0.0, outcome=outcome, cause="untold"))
    is_ready = outcome is Outcome.FULFILLED
    counts = await store.class_counts(CARD)
    assert (counts.ready, counts.failed, counts.waiting) == (is_ready, not is_ready, 0)
    _, _, problems = await by(store, TRAINER).see(classes.problems_of, CARD)
    assert len(problems) == (not is_ready)


async def test_what_runs_already_is_ready_without_an_operation(store, clock):
    await posted(store)
    pressed = await press(store, await up(store, clock))
    assert (pressed.result, pressed.operation) == ("running", None)
    assert (await store.class_counts(CARD)).ready == 1
    assert await store.open_operations(ALICE) == []


async def test_the_place_in_the_queue_counts_older_starts_that_nobody_called(store, clock):
    await posted(store)
    people = [Principal(None, "T1", f"U{number}") for number in range(4)]
    pressed = []
    for number, principal in enumerate(people):
        row = (await linked(store, principal)).workspaces[0]
        pressed.append(await press(store, row, f"p{number}"))
        clock.advance(0.1)
    assert [one.queue.ahead for one in pressed] == [0, 1, 2, 3]
    await store.save_step(Update(pressed[0].operation.id, 60.0, start_call=Call.CALLING, called=True))
    row = (await store.workspaces(people[3]))[0]
    again = await press(store, row, "again")
    assert (again.queue.ahead, again.queue.called) == (2, 1)
    row = (await store.workspaces(people[0]))[0]
    assert (await press(store, row, "again0")).queue is None


async def test_a_card_of_unknown_outcome_is_found_by_a_press_of_it(store):
    await posted(store)
    row = (await linked(store)).workspaces[0]
    await press(store, row, channel_id="C2", message_ts="1.1")
    assert (await store.card(CARD)).message_ts is None
    await press(store, row, "p2", channel_id="C1", message_ts="1.2")
    placed = await store.card(CARD)
    assert (placed.channel_id, placed.message_ts, placed.is_dirty) == ("C1", "1.2", True)
    assert not await by(store, TRAINER, "r1").to(classes.post_again, CARD)


async def test_a_press_between_counting_and_writing_is_counted_soon(store, clock):
    await posted(store)
    await noted(store, ALICE, "p1")
    (due,) = await store.claim_class_cards(10, 3.0)
    counts = await store.class_counts(due.id)
    clock.advance(0.1)
    await noted(store, BOB, "p2")
    clock.advance(0.1)
    await store.class_counted(due.id, counts, rest=3.0, longest=60.0)
    clock.advance(3.0)
    (due,) = await store.claim_class_cards(10, 3.0)
    await store.class_counted(due.id, await store.class_counts(due.id), rest=3.0, longest=60.0)
    clock.advance(100.0)
    assert await store.claim_class_cards(10, 3.0) == []


async def test_cards_are_looked_at_when_something_is_due(store, clock):
    await posted(store, stops_at=clock.now() + 3600)
    assert await store.claim_class_cards(10, 3.0) == []
    row = (await linked(store)).workspaces[0]
    made = (await press(store, row)).operation
    (due,) = await store.claim_class_cards(10, 3.0)
    assert await store.claim_class_cards(10, 3.0) == []
    await store.class_counted(due.id, await store.class_counts(due.id), rest=3.0, longest=60.0)
    assert (await store.card(due.id)).is_dirty
    # A press a moment later is counted with the others.
    await press(store, row, "p2")
    assert await store.claim_class_cards(10, 3.0) == []
    clock.advance(3.0)
    (due,) = await store.claim_class_cards(10, 3.0)
    await store.save_step(Update(made.id, 0.0, outcome=Outcome.FULFILLED))
    await store.class_counted(due.id, await store.class_counts(due.id), rest=3.0, longest=60.0)
    clock.advance(100.0)
    assert await store.claim_class_cards(10, 3.0) == []
    clock.advance(3600 - 300 - 103)
    assert [one.id for one in await store.claim_class_cards(10, 3.0)] == [CARD]


async def ended(store, clock, *people):
    await posted(store)
    for number, principal in enumerate(people):
        await press(store, await up(store, clock, principal), f"p{number}")
    return await by(store, TRAINER, "stop").to(classes.stop_all, CARD)


async def test_the_end_is_told_first_and_reaches_who_consented_only(store, clock):
    closed = await ended(store, clock, ALICE, BOB)
    assert (closed.stopped_by, closed.stops_at, closed.is_over(clock.now())) == (
        TRAINER.key,
        clock.now() + 300,
        True,
    )
    assert await by(store, TRAINER, "other").to(classes.stop_all, CARD) is None
    told = await store.presses_to_warn(CARD, 10)
    assert {one.principal for one in told} == {ALICE, BOB}
    notice = NewNotice(CARD, NoticeKind.MESSAGE, "warned:1", ALICE, {"text": "soon"})
    await store.class_warned(CARD, [(ALICE, notice), (BOB, None)])
    await deliver(store, NoticeKind.MESSAGE)
    assert await store.presses_to_warn(CARD, 10) == []
    for interaction in ("keep", "keep", "keep2"):
        assert await by(store, BOB, interaction).to(classes.keep, CARD)
    assert not await by(store, TRAINER, "keep3").to(classes.keep, CARD)
    assert await store.presses_to_stop(CARD, 10, 270.0) == []
    clock.advance(300.0)
    (left,) = await store.presses_to_stop(CARD, 10, 270.0)
    assert left.principal == ALICE
    (row,) = await store.workspaces(ALICE)
    entry = AuditEntry(TRAINER.key, "class.stop", row.id, "accepted")
    assert await store.stop_for_class(left, *STOP, audit=[entry])
    assert not await store.stop_for_class(left, *STOP, audit=[entry])
    stop = await store.latest_operation(row.id)
    assert (stop.verb, stop.principal) == (OperationVerb.STOP, ALICE)
    assert (await store.class_of_stop(stop.id)).id == CARD
    counts = await store.class_counts(CARD)
    assert (counts.stopping, counts.kept, counts.stopped) == (1, 1, 0)
    await store.save_step(Update(stop.id, 0.0, outcome=Outcome.FULFILLED))
    assert (await store.class_counts(CARD)).stopped == 1
    assert await store.finish_class(CARD, [NewNotice("", NoticeKind.MESSAGE, "over", TRAINER)])
    assert not await store.finish_class(CARD, [])


@pytest.mark.parametrize("outcome", ENDS)
async def test_however_a_stop_for_the_class_ends_it_is_counted(store, clock, outcome):
    await ended(store, clock, ALICE)
    await told_in_time(store, clock, ALICE)
    (left,) = await store.presses_to_stop(CARD, 10, 270.0)
    (row,) = await store.workspaces(ALICE)
    await store.stop_for_class(left, *STOP)
    stop = await store.latest_operation(row.id)
    await store.save_step(Update(stop.id, 0.0, outcome=outcome, cause="untold"))
    counts = await store.class_counts(CARD)
    is_stopped = outcome is Outcome.FULFILLED
    assert (counts.stopping, counts.stopped, counts.not_stopped) == (0, is_stopped, not is_stopped)


async def test_the_sooner_end_counts(store, clock):
    await posted(store, stops_at=clock.now() + 100)
    closed = await by(store, TRAINER, "stop").to(classes.stop_all, CARD)
    assert closed.stops_at == clock.now() + 100


async def told_in_time(store, clock, *people):
    await store.class_warned(CARD, [(principal, None) for principal in people])
    clock.advance(300.0)


async def test_who_has_no_message_to_wait_for_has_five_minutes_from_the_rows(store, clock):
    """As processes of 0.1.0 write it."""
    await ended(store, clock, ALICE)
    assert await store.presses_to_stop(CARD, 10, 270.0) == []
    await told_in_time(store, clock)
    assert await store.presses_to_stop(CARD, 10, 270.0) == []
    await store.class_warned(CARD, [(ALICE, None)])
    assert await store.presses_to_stop(CARD, 10, 270.0) == []
    await told_in_time(store, clock)
    assert [one.principal for one in await store.presses_to_stop(CARD, 10, 270.0)] == [ALICE]


async def test_what_is_down_or_being_stopped_gets_no_operation(store, clock):
    await ended(store, clock, ALICE, BOB)
    await told_in_time(store, clock, ALICE, BOB)
    stopping = (await store.workspaces(BOB))[0]
    own = (await accept_operation(store, stopping, OperationVerb.STOP, interaction="s")).operation
    account = await store.account(ALICE, "saturn")
    for _ in range(2):  # What was up needs a second list.
        await store.merge_discovered(account.id, [])
    for left in await store.presses_to_stop(CARD, 10, 270.0):
        assert await store.stop_for_class(left, *STOP)
    assert await store.open_operations(ALICE) == []
    assert [one.id for one in await store.open_operations(BOB)] == [own.id]
    assert await store.class_of_stop(own.id) is None


async def test_a_consent_ends_with_the_link(store, clock):
    await ended(store, clock, ALICE)
    await told_in_time(store, clock, ALICE)
    (left,) = await store.presses_to_stop(CARD, 10, 270.0)
    await unlink(store, ALICE)
    await linked(store, ALICE, state=State.RUNNING)
    assert not await store.stop_for_class(left, *STOP)
    assert await store.open_operations(ALICE) == []
    assert await store.presses_to_stop(CARD, 10, 270.0) == []


async def test_a_consent_is_to_one_workspace(store, clock):
    await ended(store, clock, ALICE)
    await told_in_time(store, clock, ALICE)
    (left,) = await store.presses_to_stop(CARD, 10, 270.0)
    other = (await linked(store, ALICE, ("notebook", "other"), state=State.RUNNING)).workspaces[1]
    assert not await store.stop_for_class(replace(left, workspace_id=other.id), *STOP)
    assert await store.open_operations(ALICE) == []

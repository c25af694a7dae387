"""Class cards: one press is one consent and one operation, and the end reaches only those who consented."""

import asyncio
from dataclasses import replace

import pytest

from bot.domain.courses import MIN_COUNT_SECONDS, ClassCard
from bot.domain.forms import Spec
from bot.domain.notices import NoticeKind
from bot.domain.observations import Observed
from bot.domain.operations import OperationVerb
from bot.domain.people import Person
from bot.domain.steps import Update
from bot.domain.stops import PlannedStop
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.services import courses as use_cases
from bot.services import due_timers, timers
from bot.services.timers import cancel_timer
from bot.store import accounts, audit, cards, discovered, operations
from bot.store import courses as class_rows
from bot.store import workspaces as workspace_rows
from bot.store.tables import CLASS_CARDS, WORKSPACES
from bot.support.clock import SystemIds
from tests.contract.store.classes import CARD, TRAINER, by, ended, look, posted, press, stop, time, up
from tests.rigs.store import (
    ALICE,
    BOB,
    accept_operation,
    deliver,
    link_account,
    linked,
    observe,
    refuse,
    set_timer,
    unlink,
    within,
)
from tests.rigs.use_cases import ask


async def noted(store, principal, interaction):
    """Press the card as a person without an account."""
    await store.save_people([Person(principal, "", seen_at=await store.now())])
    return await press(store, principal, interaction)


@pytest.mark.both_engines
async def test_course_is_pending_for_who_pressed_without_an_account(store):
    await posted(store)
    assert (await noted(store, ALICE, "p1")).result == "noted"
    assert await store.read(class_rows.list_pending_courses, ALICE) == frozenset()
    await store.write(lambda tx: CLASS_CARDS.change(tx, {"id": CARD}, days="mon"))
    assert await store.read(class_rows.list_pending_courses, ALICE) == {CARD}
    assert await store.read(class_rows.list_pending_courses, BOB) == frozenset()


@pytest.mark.both_engines
async def test_cards_are_listed_for_who_teaches_them_and_for_who_administers_their_place(store):
    await posted(store, co_teachers=frozenset({BOB.key}))
    for who, reach, found in (
        (TRAINER, None, [CARD]),
        (BOB, None, [CARD]),
        (ALICE, None, []),
        (ALICE, TRAINER.key.removesuffix("UTRAINER"), [CARD]),
        (ALICE, "-:T2:", []),
    ):
        cards = await store.read(class_rows.list_taught_cards, who, reach)
        assert [one.id for one in cards] == found


async def test_two_presses_at_once_make_one_workspace(store):
    await posted(store, spec=Spec("lab"), pattern="")
    await link_account(store)
    await store.save_people([Person(ALICE, "", seen_at=await store.now())])
    caller = ask(store)
    made = await asyncio.gather(
        *(
            replace(caller, interaction=f"p{n}").run(use_cases.enroll, CARD, is_list_fresh=True)
            for n in range(5)
        )
    )
    assert sorted(one.result for one in made) == ["joined"] * 4 + ["started"]
    assert len({one.operation.id for one in made}) == 1
    assert len(await store.perform(workspace_rows.read_workspaces, ALICE)) == 1


async def test_a_press_replaces_a_stop_that_is_open(store):
    await posted(store)
    (row,) = (await linked(store, state=State.RUNNING)).workspaces
    stop = (await accept_operation(store, row, OperationVerb.STOP, interaction="s")).operation
    pressed = await press(store, row)
    assert pressed.result == "started"
    assert (await store.read(operations.find_operation, stop.id)).outcome is Outcome.REPLACED


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
    counts = await store.read(class_rows.count_members, CARD)
    assert (counts.joined, counts.waiting, counts.starting, counts.consented) == (1, 1, 0, 0)
    _, (problem,) = await by(store, TRAINER).read(use_cases.list_problems, CARD)
    assert (problem.participant.principal, problem.participant.waits_for) == (ALICE, "unlinked")
    alice = await linked(store)
    await press(store, ALICE, "p2")
    counts = await store.read(class_rows.count_members, CARD)
    assert (counts.waiting, counts.starting, counts.consented) == (1, 1, 1)
    # A person with an operation isn't set back by a press that can't start one.
    await refuse(store, alice.account)
    assert (await press(store, ALICE, "p3")).result == "noted"
    assert (await store.read(class_rows.find_participant, CARD, ALICE)).waits_for == ""


@pytest.mark.both_engines
async def test_counts_follow_the_newest_operation_of_each(store):
    await posted(store)
    row = (await linked(store)).workspaces[0]
    made = (await press(store, row)).operation
    await store.write(
        operations.save_step, Update(made.id, 0.0, outcome=Outcome.FAILED, cause="limit: no more")
    )
    assert (await store.read(class_rows.count_members, CARD)).failed == 1
    _, (problem,) = await by(store, TRAINER).read(use_cases.list_problems, CARD)
    assert problem.operation.cause == "limit: no more"
    again = (await accept_operation(store, row, interaction="again")).operation
    assert (await store.read(class_rows.count_members, CARD)).waiting == 1
    await store.write(operations.save_step, Update(again.id, 0.0, outcome=Outcome.FULFILLED))
    counts = await store.read(class_rows.count_members, CARD)
    assert (counts.ready, counts.failed, counts.waiting) == (1, 0, 0)
    assert (await by(store, TRAINER).read(use_cases.list_problems, CARD))[1] == []


#: A replaced operation isn't counted; the one that replaced it is.
ENDS = [one for one in Outcome if one not in {Outcome.REPLACED, Outcome.ENDED}]


@pytest.mark.parametrize("outcome", ENDS)
async def test_however_a_start_ends_its_press_is_counted(store, outcome):
    await posted(store)
    row = (await linked(store)).workspaces[0]
    made = (await press(store, row)).operation
    await store.write(operations.save_step, Update(made.id, 0.0, outcome=outcome, cause="untold"))
    is_ready = outcome is Outcome.FULFILLED
    counts = await store.read(class_rows.count_members, CARD)
    assert (counts.ready, counts.failed, counts.waiting) == (is_ready, not is_ready, 0)
    _, problems = await by(store, TRAINER).read(use_cases.list_problems, CARD)
    assert len(problems) == (not is_ready)


async def test_what_runs_already_is_ready_without_an_operation(store, clock):
    await posted(store)
    pressed = await press(store, await up(store, clock))
    assert (pressed.result, pressed.operation) == ("running", None)
    assert (await store.read(class_rows.count_members, CARD)).ready == 1
    assert await store.read(operations.open_operations, ALICE) == []


async def test_a_card_of_unknown_outcome_is_found_by_a_press_of_it(store):
    await posted(store)
    row = (await linked(store)).workspaces[0]
    await press(store, row, channel_id="C2", message_ts="1.1")
    assert (await store.read(cards.find_card, CARD)).message_ts is None
    await press(store, row, "p2", channel_id="C1", message_ts="1.2")
    placed = await store.read(cards.find_card, CARD)
    assert (placed.channel_id, placed.message_ts, placed.is_dirty) == ("C1", "1.2", True)
    assert not await by(store, TRAINER, "r1").run(use_cases.post_again, CARD)


async def claimed(store):
    return CLASS_CARDS.parse_all(await within(store, class_rows.CLASS_CARD_QUEUE.take, 3.0, 10))


async def counted(store, card_id, counts):
    await within(store, class_rows.update_counts, card_id, counts, rest=3.0, longest=60.0)


async def test_a_press_between_counting_and_writing_is_counted_soon(store, clock):
    await posted(store)
    await noted(store, ALICE, "p1")
    (due,) = await claimed(store)
    counts = await store.read(class_rows.count_members, due.id)
    clock.advance(0.1)
    await noted(store, BOB, "p2")
    clock.advance(0.1)
    await counted(store, due.id, counts)
    clock.advance(3.0)
    (due,) = await claimed(store)
    await counted(store, due.id, await store.read(class_rows.count_members, due.id))
    clock.advance(100.0)
    assert await claimed(store) == []


@pytest.mark.both_engines
async def test_what_a_card_has_counted_is_shown_until_it_counts_again(store, clock):
    await posted(store)
    await noted(store, ALICE, "p1")
    assert (await store.read(class_rows.read_shown_counts, CARD)).joined == 1
    (due,) = await claimed(store)
    await counted(store, due.id, await store.read(class_rows.count_members, due.id))
    await noted(store, BOB, "p2")
    assert await store.read(class_rows.read_shown_counts, CARD) == replace(
        await store.read(class_rows.count_members, CARD),
        joined=1,
        expected=1,
        unlinked=1,
        pending=1,
    )
    # A release that counted less.
    await store.carry_out(lambda tx: tx.run("UPDATE class_cards SET counted = '[1,1]'"))
    assert await store.read(class_rows.read_shown_counts, CARD) == await store.read(
        class_rows.count_members, CARD
    )


async def test_cards_are_looked_at_when_something_is_due(store, clock):
    await posted(store, stops_at=clock.now() + 3600)
    assert await claimed(store) == []
    row = (await linked(store)).workspaces[0]
    made = (await press(store, row)).operation
    (due,) = await claimed(store)
    assert await claimed(store) == []
    await counted(store, due.id, await store.read(class_rows.count_members, due.id))
    assert (await store.read(cards.find_card, due.id)).is_dirty
    # A press shortly afterwards is counted together with the others.
    await press(store, row, "p2")
    assert await claimed(store) == []
    clock.advance(MIN_COUNT_SECONDS)
    (due,) = await claimed(store)
    await store.write(operations.save_step, Update(made.id, 0.0, outcome=Outcome.FULFILLED))
    await counted(store, due.id, await store.read(class_rows.count_members, due.id))
    clock.advance(100.0)
    assert await claimed(store) == []
    clock.advance(3600 - 300 - 100 - MIN_COUNT_SECONDS)
    assert [one.id for one in await claimed(store)] == [CARD]


@pytest.mark.both_engines
async def test_the_end_sets_the_timers_of_who_consented_only(store, clock):
    closed = await ended(store, clock, ALICE, BOB)
    over = (closed.stopped_by, closed.stops_at, closed.is_over(clock.now()))
    assert over == (TRAINER.key, clock.now() + 300, True)
    assert await by(store, TRAINER, "other").run(use_cases.stop_all, CARD) is None
    await look(store)
    for who in (ALICE, BOB):
        row = await time(store, who)
        assert (row.stop_at, row.stop_card, row.stop_warned) == (closed.stops_at, CARD, False)
    # A person who has been warned isn't warned again.
    (row,) = await store.perform(workspace_rows.read_workspaces, ALICE)
    late = {"stop_warned": True, "stop_warning": "notice", "stop_at": closed.stops_at + 60}
    await store.carry_out(lambda tx: WORKSPACES.change(tx, {"id": row.id}, **late))
    await look(store)
    assert (await time(store, ALICE)).stop_warned
    left = await store.carry_out(lambda tx: class_rows.list_enrollments_to_stop(tx, CARD, closed.stops_at, 9))
    assert [one.principal for one in left] == []
    await ask(store, "keep", BOB).run(cancel_timer, (await time(store, BOB)).id)
    await look(store)
    assert (await time(store, BOB)).stop_at is None
    clock.advance(300.0)
    await stop(store, ALICE)
    open_stop = await store.read(operations.find_latest_operation, (await time(store, ALICE)).id)
    assert (open_stop.verb, open_stop.principal) == (OperationVerb.SUSPEND, ALICE)
    assert (await store.read(class_rows.find_class_of_stop, open_stop.id)).id == CARD
    entry = (await store.read(audit.read_audit))[-1]
    assert (entry["action"], entry["actor"], entry["result"]) == ("class.stop", TRAINER.key, "accepted")
    counts = await store.read(class_rows.count_members, CARD)
    assert (counts.stopping, counts.kept, counts.stopped, counts.unended) == (1, 1, 0, 0)
    await look(store)
    assert (await store.read(class_rows.find_card, CARD)).done_at is None
    await store.write(operations.save_step, Update(open_stop.id, 0.0, outcome=Outcome.FULFILLED))
    assert (await store.read(class_rows.count_members, CARD)).stopped == 1
    for _ in range(2):
        await look(store)
    assert len(await deliver(store, NoticeKind.CLASS_OVER)) == 1


async def test_a_press_sets_the_timer_for_an_end_that_is_known_and_keeps_a_persons_own(store, clock):
    await posted(store, stops_at=clock.now() + 3600)
    own = await up(store, clock, BOB)
    await set_timer(store, own, PlannedStop(clock.now() + 7200, "stop"))
    await press(store, await up(store, clock))
    await press(store, own, "p2")
    row = await time(store, ALICE)
    assert (row.stop_at, row.stop_card, row.stop_mode) == (clock.now() + 3600, CARD, "suspend")
    assert (await time(store, BOB)).stop_at == clock.now() + 7200
    clock.advance(3300)
    await look(store)
    assert (await time(store, BOB)).stop_at == clock.now() + 3900
    counts = await store.read(class_rows.count_members, CARD)
    assert (counts.unended, counts.kept) == (1, 0)


async def test_a_timer_of_ones_own_takes_the_place_of_the_classs(store, clock):
    await posted(store, stops_at=clock.now() + 3600)
    row = await up(store, clock)
    await press(store, row)
    later = PlannedStop(clock.now() + 9000, "stop")
    await ask(store, "later").run(timers.set_timer, row.id, later)
    assert ((await time(store, ALICE)).stop_at, (await time(store, ALICE)).stop_card) == (later.at, None)
    clock.advance(3600)
    await look(store)
    assert (await time(store, ALICE)).stop_at == later.at
    assert (await store.read(class_rows.count_members, CARD)).kept == 1
    assert (await store.read(class_rows.find_card, CARD)).done_at is not None


async def test_stop_all_moves_the_end(store, clock):
    await posted(store, stops_at=clock.now() + 3600)
    await press(store, await up(store, clock))
    closed = await by(store, TRAINER, "stop").run(use_cases.stop_all, CARD)
    await look(store)
    assert (await time(store, ALICE)).stop_at == closed.stops_at == clock.now() + 300


async def test_what_was_started_again_since_is_stopped_too(store, clock):
    await posted(store, stops_at=clock.now() + 3600)
    row = await up(store, clock)
    await press(store, row)
    await observe(store, clock, row, Observed(State.STOPPED))
    assert (await time(store, ALICE)).stop_at is None
    await observe(store, clock, row, Observed(State.RUNNING))
    clock.advance(3300)
    await look(store)
    assert (await time(store, ALICE)).stop_card == CARD


async def test_of_two_classes_the_later_end_counts(store, clock):
    first = await posted(store, stops_at=clock.now() + 3600)
    row = await up(store, clock)
    await press(store, row)
    another = by(store, TRAINER, "again")
    another = replace(another, context=replace(another.context, ids=SystemIds()))
    draft = ClassCard(TRAINER, "C1", "saturn", "Maths", pattern="notebook", stops_at=clock.now() + 1800)
    second = await another.run(use_cases.post, draft)
    await by(store, ALICE, "p2").run(use_cases.enroll, second.id, is_list_fresh=True)
    row = await time(store, ALICE)
    assert (row.stop_at, row.stop_card) == (first.stops_at, first.id)
    # A teacher who ends their own class right away doesn't affect the other class's timer.
    await by(store, TRAINER, "stop").run(use_cases.stop_all, second.id)
    await look(store, second.id)
    assert (await time(store, ALICE)).stop_card == first.id
    assert (await store.read(class_rows.count_members, second.id)).left == 0
    assert (await store.read(class_rows.find_participant, first.id, ALICE)).withdrawn_at is None


@pytest.mark.parametrize("outcome", ENDS)
async def test_however_a_stop_for_the_class_ends_it_is_counted(store, clock, outcome):
    await ended(store, clock, ALICE)
    await look(store)
    await stop(store, ALICE)
    operation = await store.read(operations.find_latest_operation, (await time(store, ALICE)).id)
    await store.write(operations.save_step, Update(operation.id, 0.0, outcome=outcome, cause="untold"))
    counts = await store.read(class_rows.count_members, CARD)
    is_stopped = outcome is Outcome.FULFILLED
    assert (counts.stopping, counts.stopped, counts.not_stopped) == (0, is_stopped, not is_stopped)


async def test_the_sooner_end_counts(store, clock):
    await posted(store, stops_at=clock.now() + 100)
    closed = await by(store, TRAINER, "stop").run(use_cases.stop_all, CARD)
    assert closed.stops_at == clock.now() + 100


async def test_what_is_down_or_being_stopped_gets_no_timer(store, clock):
    await ended(store, clock, ALICE, BOB)
    stopping = await time(store, BOB)
    own = (await accept_operation(store, stopping, OperationVerb.STOP, interaction="s")).operation
    account = await store.read(accounts.find_account, ALICE, "saturn")
    for _ in range(2):  # What was up needs a second list.
        await store.perform(discovered.merge_discovered, account.id, [])
    await look(store)
    assert (await time(store, BOB)).stop_at is None
    assert (await store.read(class_rows.count_members, CARD)).unended == 0
    assert await store.read(operations.open_operations, ALICE) == []
    assert [one.id for one in await store.read(operations.open_operations, BOB)] == [own.id]
    assert await store.read(class_rows.find_class_of_stop, own.id) is None


async def test_a_consent_ends_with_the_link(store, clock):
    await ended(store, clock, ALICE)
    await look(store)
    before = await time(store, ALICE)
    await unlink(store, ALICE)
    (row,) = (await linked(store, ALICE, state=State.RUNNING)).workspaces
    await look(store)
    assert (await time(store, ALICE)).stop_at is None
    await timed_by(store, row, before.stop_at)
    await stop(store, ALICE)
    assert await store.read(operations.open_operations, ALICE) == []


async def timed_by(store, workspace, at, card_id=CARD):
    """Give a workspace a class's timer, whether or not its owner agreed."""
    await set_timer(store, workspace, PlannedStop(at, "stop", warns=True, because="class", source=card_id))


async def test_a_consent_is_to_one_workspace(store, clock):
    await ended(store, clock, ALICE)
    rows = (await linked(store, ALICE, ("notebook", "other"), state=State.RUNNING)).workspaces
    await timed_by(store, rows[1], clock.now())
    await ask(store).run(
        due_timers.stop_workspace, await store.read(workspace_rows.find_workspace, rows[1].id)
    )
    assert await store.read(operations.open_operations, ALICE) == []
    assert (await store.read(workspace_rows.find_workspace, rows[1].id)).stop_at is None

"""Joining a course stores the consent and its rule together; lessons are claimed in the order of joining."""

from dataclasses import asdict

import pytest

from bot.domain.observations import Observed
from bot.domain.operations import OperationVerb
from bot.domain.steps import Update
from bot.domain.timetable import find_lesson
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.services import course_changes as changes
from bot.store import accounts, operations, sweeping
from bot.store import courses as courses_store
from bot.store.tables import CLASS_CARDS, PARTICIPANTS
from tests.contract.store.classes import CARD, by, look, press
from tests.contract.store.course_rows import MEMBERS, local
from tests.contract.store.course_rows import joined as joined  # noqa: PLC0414 - a fixture
from tests.rigs.store import ALICE, accept_operation, linked, observe, refuse, unlink, within


async def claimed(store):
    return [one.principal for one in await store.claim(lambda tx: courses_store.claim_lessons(tx, 100, 60.0))]


@pytest.mark.both_engines
async def test_lessons_are_claimed_in_the_order_of_joining_once_their_lead_has_begun(store, clock, joined):
    assert await claimed(store) == []
    await within(store, CLASS_CARDS.change, {"id": CARD}, lead_seconds=1_200.0)
    clock.advance(local("08:39") - clock.now())
    assert await claimed(store) == []
    await within(store, CLASS_CARDS.change, {"id": CARD}, next_check_at=0.0, lead_seconds=1_200.0)
    clock.advance(60.0)
    await look(store)
    assert await claimed(store) == MEMBERS
    assert await claimed(store) == []


async def test_a_lesson_counts_who_is_expected_and_whose_workspace_runs(store, clock, joined):
    before = await store.read(courses_store.count_members, CARD)
    assert (before.joined, before.expected, before.ready) == (3, 0, 0)
    clock.advance(local("08:56") - clock.now())
    await observe(store, clock, joined[0], Observed(State.RUNNING))
    await accept_operation(store, joined[2], OperationVerb.START, interaction="start")
    counts = await store.read(courses_store.count_members, CARD)
    assert (counts.joined, counts.expected, counts.ready) == (3, 3, 1)
    assert (counts.starting, counts.coming, counts.failed) == (1, 1, 0)


async def op(store, row, outcome, cause="", **fields):
    """Give a workspace a start with this outcome; None leaves it open."""
    made = (await accept_operation(store, row, OperationVerb.START, interaction="start", **fields)).operation
    if outcome is not None:
        await store.write(operations.save_step, Update(made.id, 0.0, outcome=outcome, cause=cause))


async def closed(store, row):
    """Give up a lesson for a member, as if their start had been refused."""
    card = await store.read(courses_store.find_card, CARD)
    member = await store.read(courses_store.find_participant, CARD, row.principal)
    await within(store, courses_store.close_lesson, member, find_lesson(card, BEGINS - 60.0))


async def failed(store, row, cause, at):
    await op(store, row, Outcome.FAILED, cause, planned_for=at)


async def seen(store, clock, row, *states):
    for state in states:
        clock.advance(20.0)
        await observe(store, clock, row, Observed(state))


async def refused(store, row):
    await refuse(store, await store.read(accounts.find_account, row.principal, "saturn"))


BEGINS = local("09:00")
#: For each thing that may happen to a member: the state shown before the lesson's lead time, and within it.
STATES = {
    "nothing": (None, "coming", "coming"),
    "leaves": (
        lambda store, clock, row: by(store, row.principal, "l").run(changes.leave, CARD),
        "left",
    ),
    "refused": (lambda store, clock, row: refused(store, row), "unlinked"),
    "gone": (lambda store, clock, row: seen(store, clock, row, State.GONE, State.GONE), "no_workspace"),
    "runs": (lambda store, clock, row: seen(store, clock, row, State.RUNNING), "coming", "ready"),
    "starts": (lambda store, clock, row: op(store, row, None, planned_for=BEGINS), "coming", "starting"),
    "starts-by-hand": (lambda store, clock, row: op(store, row, None), "coming", "starting"),
    "failed": (lambda store, clock, row: failed(store, row, "gave_up", BEGINS), "coming", "failed"),
    "full": (lambda store, clock, row: failed(store, row, "no_room: full", BEGINS), "coming", "no_room"),
    "start-refused": (lambda store, clock, row: closed(store, row), "coming", "failed"),
    # A failure before another lesson doesn't affect this one.
    "failed-before": (
        lambda store, clock, row: failed(store, row, "gave_up", BEGINS - 6 * 86_400.0),
        *("coming", "coming"),
    ),
    "stopped": (
        lambda store, clock, row: op(store, row, Outcome.REPLACED, planned_for=BEGINS),
        "coming",
        "down",
    ),
}


@pytest.mark.both_engines
@pytest.mark.parametrize("name", STATES)
async def test_each_member_has_one_state_in_a_lesson(store, clock, joined, name):
    happens, *states = STATES[name]
    if happens is not None:
        await happens(store, clock, joined[0])
    for at, state in zip(("08:30", "08:56"), (states * 2)[:2], strict=True):
        clock.advance(max(local(at) - clock.now(), 0.0))
        found = [await store.read(courses_store.find_member, CARD, one) for one in MEMBERS]
        assert [one.state for one in found] == [state, "coming", "coming"]
        counts = await store.read(courses_store.count_members, CARD)
        expected = dict.fromkeys(("joined", "linked"), 3) | {"coming": 2}
        expected |= {state: 1 + 2 * (state == "coming")}
        expected |= {"joined": 2} if state == "left" else {}
        expected |= {"linked": 2} if state == "left" else {}
        expected |= {"linked": 2} if state == "unlinked" else {}
        if at == "08:56":
            expected["expected"] = 3 - (state == "left")
        assert {key: value for key, value in asdict(counts).items() if value} == expected


@pytest.mark.both_engines
async def test_who_left_takes_no_place_and_can_come_back(store, clock, joined):
    await within(store, CLASS_CARDS.change, {"id": CARD}, maximum=3)
    await by(store, MEMBERS[0], "leave").run(changes.leave, CARD)
    await press(store, (await linked(store, ALICE)).workspaces[0], "instead")
    assert (await press(store, joined[0], "back")).result == "full"
    await by(store, ALICE, "go").run(changes.leave, CARD)
    assert (await press(store, joined[0], "again")).result == "enrolled"
    counts = await store.read(courses_store.count_members, CARD)
    assert (counts.joined, counts.left) == (3, 1)
    assert (await store.read(courses_store.find_participant, CARD, MEMBERS[0])).withdrawn_at is None


@pytest.mark.parametrize("way", ["leave", "unlink"])
async def test_who_leaves_has_neither_rule_nor_consent(store, joined, way):
    if way == "leave":
        await by(store, MEMBERS[0], "leave").run(changes.leave, CARD)
    else:
        await unlink(store, MEMBERS[0])
    assert await store.read(courses_store.find_participant, CARD, MEMBERS[0]) is None
    counts = await store.read(courses_store.count_members, CARD)
    assert (counts.joined, counts.left) == (2, 1)


@pytest.mark.both_engines
async def test_a_course_lives_until_thirty_days_after_its_end(store, clock, joined):
    clock.advance(20 * 86_400.0)
    await store.perform(sweeping.sweep)
    assert [one.id for one in await store.read(courses_store.list_courses)] == [CARD]
    clock.advance(20 * 86_400.0)
    await look(store)
    assert await store.read(courses_store.list_courses) == []
    # The course's card is kept for a month.
    clock.advance(29 * 86_400.0)
    await store.perform(sweeping.sweep)
    assert await store.read(courses_store.find_card, CARD) is not None
    clock.advance(2 * 86_400.0)
    await store.perform(sweeping.sweep)
    assert await store.read(courses_store.find_card, CARD) is None
    assert await store.engine.read(lambda tx: PARTICIPANTS.all(tx, card_id=CARD)) == []

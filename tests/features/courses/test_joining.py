"""Courses: joining writes the consent and its rule as one, lessons are claimed in the order of joining."""

from dataclasses import asdict

import pytest

from bot.domain.observations import Observed
from bot.domain.operations import OperationVerb
from bot.domain.people import Person, Principal
from bot.domain.steps import Update
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.features.courses import changes
from bot.features.courses import lesson_store as rows
from bot.features.courses import store as courses_store
from bot.features.courses.model import ClassKind
from bot.features.courses.tables import CLASS_CARDS, COURSE_RULES, PARTICIPANTS
from bot.features.hours import store as hours_store
from bot.features.undo import use_cases as undo_use_cases
from bot.store import accounts, operations, sweeping
from bot.store import undoable_actions as action_rows
from bot.store.tables import NOTICES
from bot.support.errors import Refused
from tests.contract.store.classes import CARD, TRAINER, by, look, press
from tests.features.courses.rows import LESSONS, MEMBERS, local
from tests.features.courses.rows import joined as joined  # noqa: PLC0414 - a fixture
from tests.rigs.store import ALICE, accept_operation, linked, observe, refuse, unlink, within
from tests.rigs.use_cases import asking, members_follow


async def claimed(store):
    return [one.principal for one in await store.claim(lambda tx: rows.claim_lessons(tx, 100, 60.0))]


async def test_joining_writes_the_consent_and_the_rule_as_one(store, clock, joined):
    press_ = await store.read(courses_store.find_participant, CARD, MEMBERS[0])
    (rule,) = await store.read(hours_store.list_rules_of_person, MEMBERS[0])
    assert (press_.consented_at, press_.workspace_id) == (rule.processed_until, joined[0].id)
    assert (rule.card, rule.course, rule.workspace_id) == (CARD, "Statistics", joined[0].id)
    assert (rule.zone, rule.days, rule.last_day) == ("Europe/Berlin", LESSONS["days"], "2027-12-22")
    # 0.1.0 looks at the first of these alone, ``look_at`` by its former name.
    row = await store.engine.read(lambda tx: COURSE_RULES.row(tx, id=rule.id))
    assert (row["next_check_at"], row["lesson_check_at"]) == (None, local("09:00") - rule.lead_seconds)
    # A second press is the same consent, with the same place in the order.
    await press(store, joined[0], "again")
    assert [one.id for one in await store.read(hours_store.list_rules_of_person, MEMBERS[0])] == [rule.id]


@pytest.mark.both_engines
async def test_lessons_are_claimed_in_the_order_of_joining_once_their_lead_has_begun(store, clock, joined):
    assert await claimed(store) == []
    await within(store, CLASS_CARDS.change, {"id": CARD}, lead_seconds=1_200.0, fan_out_at=clock.now())
    assert await members_follow(asking(store)) == 1
    clock.advance(local("08:39") - clock.now())
    assert await claimed(store) == []
    clock.advance(60.0)
    assert await claimed(store) == MEMBERS
    assert await claimed(store) == []


async def test_a_lesson_counts_who_is_expected_and_whose_workspace_runs(store, clock, joined):
    ann = by(store, MEMBERS[1], "skip")
    await ann.run(changes.skip, CARD, "")
    before = await store.read(courses_store.count_members, CARD)
    assert (before.joined, before.expected, before.skipped, before.ready) == (3, 0, 1, 0)
    clock.advance(local("08:56") - clock.now())
    await observe(store, clock, joined[0], Observed(State.RUNNING))
    await accept_operation(store, joined[2], OperationVerb.START, interaction="start")
    counts = await store.read(courses_store.count_members, CARD)
    assert (counts.joined, counts.expected, counts.ready) == (3, 2, 1)
    assert (counts.starting, counts.skipped, counts.failed) == (1, 1, 0)


async def op(store, row, outcome, cause="", **fields):
    """Give a workspace a start that ended so; None: it is open."""
    made = (await accept_operation(store, row, OperationVerb.START, interaction="start", **fields)).operation
    if outcome is not None:
        await store.write(operations.save_step, Update(made.id, 0.0, outcome=outcome, cause=cause))


async def failed(store, row, cause, at):
    await op(store, row, Outcome.FAILED, cause, planned_for=at)


async def seen(store, clock, row, *states):
    for state in states:
        clock.advance(20.0)
        await observe(store, clock, row, Observed(state))


async def refused(store, row):
    await refuse(store, await store.read(accounts.find_account, row.principal, "saturn"))


async def changed(store, row, **to):
    await store.carry_out(lambda tx: COURSE_RULES.change(tx, {"workspace_id": row.id}, **to))


BEGINS = local("09:00")
#: What happens to a member before a lesson, and their state in it before its lead and within that.
STATES = {
    "nothing": (None, "coming", "coming"),
    "skips": (
        lambda store, clock, row: by(store, row.principal, "s").run(changes.skip, CARD, ""),
        "skipped",
    ),
    "leaves": (
        lambda store, clock, row: by(store, row.principal, "l").run(changes.leave, CARD),
        "left",
    ),
    "other-days": (
        lambda store, clock, row: changed(store, row, agreed_days="wed", days="wed"),
        "not_agreed",
    ),
    "until-then": (
        lambda store, clock, row: changed(store, row, agreed_until="2027-11-21", last_day="2027-11-21"),
        "not_agreed",
    ),
    "refused": (lambda store, clock, row: refused(store, row), "unlinked"),
    "paused": (lambda store, clock, row: changed(store, row, paused="gone"), "no_workspace"),
    "gone": (lambda store, clock, row: seen(store, clock, row, State.GONE, State.GONE), "no_workspace"),
    "runs": (lambda store, clock, row: seen(store, clock, row, State.RUNNING), "coming", "ready"),
    "starts": (lambda store, clock, row: op(store, row, None, planned_for=BEGINS), "coming", "starting"),
    "starts-by-hand": (lambda store, clock, row: op(store, row, None), "coming", "starting"),
    "failed": (lambda store, clock, row: failed(store, row, "gave_up", BEGINS), "coming", "failed"),
    "full": (lambda store, clock, row: failed(store, row, "no_room: full", BEGINS), "coming", "no_room"),
    # Another lesson's failure is none of this one's.
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
        expected = dict.fromkeys(("joined", "agreed", "linked"), 3) | {"coming": 2}
        expected |= {state: 1 + 2 * (state == "coming")}
        expected |= {"joined": 2} if state == "left" else {}
        expected |= (
            dict.fromkeys(("agreed", "linked"), 2) if state in {"left", "not_agreed", "skipped"} else {}
        )
        expected |= {"linked": 2} if state == "unlinked" else {}
        if at == "08:56":
            expected["expected"] = 3 - (state in {"left", "not_agreed", "skipped"})
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
    assert await store.read(hours_store.list_rules_of_person, MEMBERS[0]) == []
    assert await store.read(courses_store.find_participant, CARD, MEMBERS[0]) is None
    counts = await store.read(courses_store.count_members, CARD)
    assert (counts.joined, counts.left) == (2, 1)


@pytest.mark.both_engines
async def test_a_change_is_told_to_each_member_once(store, joined):
    caller = by(store, TRAINER, "change", drawing="TEST-1")
    for _ in range(2):
        await caller.run(changes.change, CARD, "hours", {}, {"last_day": "2027-12-01"})
        await members_follow(asking(store))
    told = await store.engine.read(lambda tx: NOTICES.rows(tx, subject=CARD, kind="course_changed"))
    assert sorted(row["principal"] for row in told) == sorted(one.key for one in MEMBERS)
    assert {
        one.last_day for who in MEMBERS for one in await store.read(hours_store.list_rules_of_person, who)
    } == {"2027-12-01"}
    # What is later than they agreed to when they joined isn't theirs.
    for last, theirs in (("2027-12-08", "2027-12-08"), ("2028-01-05", "2027-12-22")):
        await by(store, TRAINER, last).run(changes.change, CARD, "hours", {}, {"last_day": last})
        await members_follow(asking(store))
        assert {
            one.last_day for who in MEMBERS for one in await store.read(hours_store.list_rules_of_person, who)
        } == {theirs}


@pytest.mark.both_engines
async def test_a_course_lives_until_thirty_days_after_its_end(store, clock, joined):
    clock.advance(20 * 86_400.0)
    await store.perform(sweeping.sweep)
    assert [one.id for one in await store.read(courses_store.list_courses)] == [CARD]
    clock.advance(20 * 86_400.0)
    await look(store)
    assert await store.read(courses_store.list_courses) == []
    await members_follow(asking(store))
    # With it end the rules of its members, but its card can be read for a month.
    assert await store.read(hours_store.list_rules_of_person, MEMBERS[0]) == []
    clock.advance(29 * 86_400.0)
    await store.perform(sweeping.sweep)
    assert await store.read(courses_store.find_card, CARD) is not None
    clock.advance(2 * 86_400.0)
    await store.perform(sweeping.sweep)
    assert await store.read(courses_store.find_card, CARD) is None
    assert await store.engine.read(lambda tx: PARTICIPANTS.all(tx, card_id=CARD)) == []


async def test_of_two_changes_at_once_the_second_is_refused(store, joined):
    """Else it would bring back what the first one left out."""
    seen = await store.read(courses_store.find_card, CARD)
    for day, is_first in (("2027-11-24", True), ("2027-11-29", False)):
        change = by(store, TRAINER, day).run(
            changes.change, CARD, "skip", {}, {"off": frozenset({day})}, seen
        )
        if is_first:
            await change
            continue
        with pytest.raises(Refused, match=r"course\.changed"):
            await change
    assert (await store.read(courses_store.find_card, CARD)).off == {"2027-11-24"}


async def gone(store, clock, *, is_gone=True):
    """Have Slack say whether the teacher has left, and the card looked at."""
    await store.save_people([Person(TRAINER, "Tara", is_deleted=is_gone, seen_at=clock.now())])
    await checked_at(store)


async def checked_at(store):
    await within(store, CLASS_CARDS.change, {"id": CARD}, next_check_at=0.0)
    await look(store)
    await members_follow(asking(store))


async def asked_about(store):
    """Return the administrators who were asked who teaches the course."""
    kind = ClassKind.COURSE_WITHOUT_TEACHER
    return [
        one.principal for one in await store.engine.read(lambda tx: NOTICES.all(tx, subject=CARD, kind=kind))
    ]


@pytest.mark.both_engines
async def test_a_course_whose_teachers_have_gone_asks_once_and_ends_two_weeks_later(store, clock, joined):
    other = Principal(None, "T1", "UOTHER")
    await store.save_people([Person(other, "Otto", seen_at=clock.now())])
    await within(store, CLASS_CARDS.change, {"id": CARD}, co_teachers=frozenset({other.key}))
    await gone(store, clock)
    assert await asked_about(store) == []
    await store.save_people([Person(other, "Otto", is_guest=True, seen_at=clock.now())])
    for _ in range(2):
        await checked_at(store)
        assert (await store.read(courses_store.find_card, CARD)).without_teacher_until == "2027-12-05"
        assert await asked_about(store) == [ALICE]
        # Nothing is left to do until the next look.
        assert (await store.read(courses_store.find_card, CARD)).fan_out_at is None
    # The last lesson of these two weeks is on Wednesday, the first of December.
    clock.advance(local("10:20") + 9 * 86_400.0 - clock.now())
    await checked_at(store)
    assert (await store.read(courses_store.find_card, CARD)).closed_at is None
    clock.advance(700.0)
    await checked_at(store)
    card = await store.read(courses_store.find_card, CARD)
    assert (card.last_day, card.is_over(clock.now())) == ("2027-11-30", True)
    told = await store.engine.read(lambda tx: NOTICES.all(tx, subject=CARD, kind=ClassKind.COURSE_CHANGED))
    assert {(one.principal, one.body["what"]) for one in told} == {(one, "end") for one in MEMBERS}
    await checked_at(store)
    assert await asked_about(store) == [ALICE]


@pytest.mark.both_engines
async def test_an_administrator_takes_a_course_over_and_a_teacher_who_is_back_keeps_it(store, clock, joined):
    await gone(store, clock)
    admin = by(store, ALICE, "take")
    await store.save_people([Person(ALICE, "Alice", seen_at=clock.now())])
    with pytest.raises(Refused, match=r"policy\.not_teacher"):
        await by(store, MEMBERS[0], "take it").run(changes.take_over, CARD)
    await admin.run(changes.take_over, CARD)
    for _ in range(2):
        card = await store.read(courses_store.find_card, CARD)
        assert (card.without_teacher_until, card.co_teachers) == ("", {ALICE.key})
        await checked_at(store)
    (act,) = [
        one
        for one in await store.read(action_rows.list_actions_since, ALICE, 0.0)
        if one.kind == "class.teachers"
    ]
    await by(store, ALICE, "undo").run(undo_use_cases.undo, act.id)
    card = await store.read(courses_store.find_card, CARD)
    assert (card.without_teacher_until, card.co_teachers) == ("2027-12-05", frozenset())
    await gone(store, clock, is_gone=False)
    assert (await store.read(courses_store.find_card, CARD)).without_teacher_until == ""
    with pytest.raises(Refused, match=r"course\.taught"):
        await by(store, ALICE, "late").run(changes.take_over, CARD)

"""Members of courses: what is decided about all is one row, which holds at once, and theirs follow it."""

from dataclasses import replace
from typing import cast

import pytest

from bot.domain.people import Principal
from bot.domain.undoable_actions import Undone
from bot.features.courses import changes, readiness, use_cases
from bot.features.courses import lesson_store as rows
from bot.features.courses import store as class_rows
from bot.features.courses.due_lessons import LESSON_WORK
from bot.features.courses.model import ClassKind
from bot.features.courses.tables import CLASS_CARDS, COURSE_RULES, PARTICIPANTS
from bot.features.hours import store as hours_store
from bot.features.undo import use_cases as undo_use_cases
from bot.reconciler.scheduled_work import ScheduledWorkRunner
from bot.store import accounts, operations, sweeping
from bot.store import undoable_actions as action_rows
from bot.store.store import Store
from bot.store.tables import GATES, NOTICES, WORKSPACES
from bot.store.transaction import Engine
from bot.support.errors import Refused
from tests.contract.store.classes import CARD, TRAINER, by, look, posted, up
from tests.contract.store.classes import press as press_class
from tests.features.courses.rows import MEMBERS, joined, local
from tests.rigs.counting import RowsCounted
from tests.rigs.store import link_account, within
from tests.rigs.use_cases import asking, members_follow

__all__ = ["joined"]  # A fixture.

#: What a transaction may change, and how many members there are besides the three who pressed.
MOST, MANY = 200, 150
OFF = {"off": frozenset({"2027-11-24"})}
DAYS = {"days": "on 24 Nov"}


@pytest.fixture
async def many(store, joined):
    """A course that many more have joined than follow in one piece."""
    await within(store, clones)
    return await store.read(class_rows.find_card, CARD)


def clones(tx):
    """Let others have what the first member has, each of their own."""
    first = {"principal": MEMBERS[0]}
    workspace = WORKSPACES.row(tx, **first)
    found = [
        (GATES, GATES.row(tx, gate_key=workspace["gate_key"])),
        (WORKSPACES, workspace),
        (PARTICIPANTS, PARTICIPANTS.row(tx, card_id=CARD, **first)),
        (COURSE_RULES, COURSE_RULES.row(tx, card=CARD, **first)),
    ]
    for number in range(MANY):
        name = f"U{number:03d}"
        who = {"principal": Principal(None, "T1", name).key, "workspace_id": name}
        own = {"id": name, "remote_id": name, "gate_key": name, **who}
        keys = {PARTICIPANTS: who, COURSE_RULES: who | {"id": f"rule:{name}"}}
        for table, row in found:
            if row is not None:
                changed = keys.get(table, own)
                table.add(tx, **{column: changed.get(column, value) for column, value in row.items()})


async def members(store):
    """Return the rules of all members, as they are read, and as their rows are."""
    return await store.engine.read(
        lambda tx: (
            hours_store.read_rules(tx, COURSE_RULES.rows(tx, "id", card=CARD)),
            COURSE_RULES.rows(tx, "id", card=CARD),
        )
    )


async def decide(store, what="skip", said=DAYS, to=OFF):
    return await asks(store, f"decide {what} {to}").run(changes.change, CARD, what, said, to)


def asks(store, interaction):
    """Return the trainer, with a reference of its own for each request."""
    return by(store, TRAINER, interaction, drawing=interaction)


async def heard(store):
    """Return what each member was told, in that order."""
    found = await store.engine.read(
        lambda tx: NOTICES.all(tx, "created_at, id", subject=CARD, kind=ClassKind.COURSE_CHANGED)
    )
    said = {}
    for one in found:
        said.setdefault(one.principal, []).append(one.body["what"])
    return said


def counted(store):
    """Return a store on the same database whose transactions' rows are counted."""
    engine = RowsCounted(store.engine)
    return Store(cast("Engine", engine)), engine.rows


async def test_no_transaction_about_a_course_grows_with_its_members(store, clock, many):
    watched, changed = counted(store)
    await decide(watched)
    # Audit, act, inbox and the card: not one of a member.
    assert max(changed) < 10
    read, written = await members(store)
    assert {"2027-11-24" in one.off for one in read} == {True}
    assert {row["off"] for row in written} == {""}
    assert (await store.read(class_rows.count_members, CARD)).behind == MANY + 3
    assert await members_follow(asking(watched)) == (MANY + 3) // changes.MEMBERS_PER_TRANSACTION + 1
    await within(watched, CLASS_CARDS.change, {"id": CARD}, lead_seconds=600.0, fan_out_at=clock.now())
    assert await members_follow(asking(watched)) == (MANY + 3) // changes.MEMBERS_PER_TRANSACTION + 1
    assert {row["lead_seconds"] for row in (await members(store))[1]} == {600.0}
    await decide(watched, "end", {}, {})
    await members_follow(asking(watched))
    clock.advance(readiness.SUMMARY_SECONDS + 1)
    await look(watched)
    await members_follow(asking(watched))
    assert (await members(store))[1] == []
    clock.advance(31 * 86_400.0)
    await watched.perform(sweeping.sweep)
    assert await store.read(class_rows.find_card, CARD) is None
    assert await store.engine.read(lambda tx: PARTICIPANTS.rows(tx, card_id=CARD)) == []
    assert max(changed) <= MOST
    assert set(map(tuple, (await heard(store)).values())) <= {("skip", "end")}


async def test_who_is_killed_between_two_pieces_leaves_the_rest_to_the_next(store, clock, many):
    await decide(store)
    assert await members_follow(asking(store), pieces=1) == 1
    # Claimed, and never done.
    (card,) = await store.claim(lambda tx: changes.MEMBER_WORK.claim(tx, asking(store)))
    assert (card.id, await members_follow(asking(store))) == (CARD, 0)
    assert (
        await store.read(class_rows.count_members, CARD)
    ).behind == MANY + 3 - changes.MEMBERS_PER_TRANSACTION
    clock.advance(4.0)
    await members_follow(asking(store))
    assert (await store.read(class_rows.count_members, CARD)).behind == 0
    assert {tuple(said) for said in (await heard(store)).values()} == {("skip",)}
    assert len(await heard(store)) == MANY + 3


async def test_day_off_taken_back_is_no_day_that_members_left_out(store, joined):
    """Before they followed, the hours of one went on after a pause, and one left out a day of their own."""
    (account,) = await store.read(accounts.list_accounts, MEMBERS[0])
    (rule,) = await store.read(hours_store.list_rules_of_person, MEMBERS[0])
    await within(store, hours_store.pause, rule, "refused")
    await decide(store)
    await link_account(store, MEMBERS[0], account_id=account.id)
    assert {(one.paused, *one.off) for one in (await members(store))[0]} == {("", "2027-11-24")}
    (rule,) = await store.read(hours_store.list_rules_of_person, MEMBERS[1])
    await within(store, hours_store.save_rule, replace(rule, off=rule.off | {"2027-11-29"}))
    await asks(store, "undo").run(undo_use_cases.undo)
    await members_follow(asking(store))
    assert {one.principal: set(one.off) for one in (await members(store))[0]} == {
        MEMBERS[0]: set(),
        MEMBERS[1]: {"2027-11-29"},
        MEMBERS[2]: set(),
    }


async def test_undone_in_the_middle_everybody_has_what_they_had(store, clock, many):
    _, before = await members(store)
    await decide(store)
    await members_follow(asking(store), pieces=1)
    undone = await asks(store, "undo").run(undo_use_cases.undo)
    assert undone.inverse.undone is Undone.BACK
    card = await store.read(class_rows.find_card, CARD)
    assert (card.off, card.state) == (many.off, many.state)
    assert {one.off for one in (await members(store))[0]} == {frozenset()}
    # Only those who had followed have anything to hear, or to follow.
    assert await members_follow(asking(store)) <= 2
    assert (await members(store))[1] == before
    assert {tuple(said) for said in (await heard(store)).values()} == {("skip", "back")}
    assert len(await heard(store)) == changes.MEMBERS_PER_TRANSACTION


@pytest.mark.both_engines
async def test_nobody_loses_agreed_days_by_an_end_that_is_undone(store, clock, many):
    _, before = await members(store)
    await decide(store, "end", {}, {})
    await look(store)
    await members_follow(asking(store))
    assert {one.after(clock.now()) for one in (await members(store))[0]} == {None}
    await asks(store, "undo").run(undo_use_cases.undo)
    await members_follow(asking(store))
    assert (await members(store))[1] == before
    assert {tuple(said) for said in (await heard(store)).values()} == {("end", "hours")}
    # Once it is over for good, it stays so.
    await asks(store, "again").run(changes.change, CARD, "end", {}, {})
    act = (await store.read(action_rows.list_actions_since, TRAINER, 0.0))[0]
    clock.advance(readiness.SUMMARY_SECONDS + 1)
    await look(store)
    with pytest.raises(Refused, match=r"course\.over"):
        await by(store, TRAINER, "late").run(undo_use_cases.undo, act.id)


@pytest.mark.both_engines
@pytest.mark.parametrize("is_undone", [False, True])
async def test_a_lesson_that_is_due_before_its_rules_follow_starts_nobody(store, clock, joined, is_undone):
    await decide(store, to={"off": frozenset({"2027-11-22"})})
    assert {row["off"] for row in (await members(store))[1]} == {""}
    clock.advance(local("08:56") - clock.now())
    claimed = await store.claim(lambda tx: rows.claim_lessons(tx, 100, 60.0))
    assert [one.principal for one in claimed] == MEMBERS
    clock.advance(61.0)
    assert await ScheduledWorkRunner(asking(store), [LESSON_WORK]).step() == len(MEMBERS)
    assert [await store.read(operations.open_operations, one) for one in MEMBERS] == [[]] * 3
    if is_undone:
        # They never followed, but were looked at; now they start, as late as it is.
        (act,) = [
            one
            for one in await store.read(action_rows.list_actions_since, TRAINER, 0.0)
            if one.kind == "class.cancel_lesson"
        ]
        await asks(store, "undo").run(undo_use_cases.undo, act.id)
        await members_follow(asking(store))
        assert await ScheduledWorkRunner(asking(store), [LESSON_WORK]).step() == len(MEMBERS)
        assert [len(await store.read(operations.open_operations, one)) for one in MEMBERS] == [1] * 3
        assert await heard(store) == {}


async def test_a_second_decision_meets_those_who_follow_the_first(store, many):
    await decide(store)
    await members_follow(asking(store), pieces=1)
    later = {"off": frozenset({"2027-11-24", "2027-11-29"})}
    await asks(store, "second").run(changes.change, CARD, "skip", {"days": "on 29 Nov"}, later)
    await members_follow(asking(store))
    assert {row["off"] for row in (await members(store))[1]} == {"2027-11-24 2027-11-29"}
    # Who hasn't heard of the first yet hears of both together.
    assert {tuple(said) for said in (await heard(store)).values()} == {("skip", "skip"), ("several",)}
    assert len(await heard(store)) == MANY + 3
    notices = await store.engine.read(lambda tx: NOTICES.all(tx, subject=CARD, kind=ClassKind.COURSE_CHANGED))
    both = next(one.body["changes"] for one in notices if one.body["what"] == "several")
    assert both == [{"what": "skip", **DAYS}, {"what": "skip", "days": "on 29 Nov"}]


@pytest.mark.both_engines
async def test_who_joins_through_0_2_0_follows_too(store, clock, joined):
    """It names none of the columns that this release has added."""
    await decide(store)
    await members_follow(asking(store))
    await by(store, TRAINER, "look").run(
        use_cases.CLASS_WORK.carry_out, await store.read(class_rows.find_card, CARD)
    )
    added = ("agreed_days", "agreed_minutes", "agreed_until", "course_off", "applied_state", "notified_state")
    row = (await members(store))[1][0]
    as_new = {name: value for name, value in row.items() if name not in added}

    def join(tx):
        COURSE_RULES.delete(tx, id=row["id"])
        COURSE_RULES.add(tx, **as_new)

    await within(store, join)
    assert (await store.read(class_rows.count_members, CARD)).behind == 1
    clock.advance(3.0)
    await look(store)
    assert await members_follow(asking(store)) == 1
    assert (await members(store))[1][0] == row


@pytest.mark.both_engines
async def test_the_end_of_a_large_class_is_set_in_pieces(store, clock):
    await posted(store, stops_at=clock.now() + 7_200.0)
    await press_class(store, await up(store, clock, MEMBERS[0]))

    await within(store, clones)
    watched, changed = counted(store)
    closed = await by(watched, TRAINER, "stop").run(use_cases.stop_all, CARD)

    def ends(tx):
        return {row["stop_at"] for row in tx.all("SELECT stop_at FROM workspaces")}

    # Those who have a timer for the later end have it until their turn comes.
    assert await store.engine.read(ends) == {clock.now() + 7_200.0}
    pieces = 0
    while await store.engine.read(ends) != {closed.stops_at}:
        pieces += await ScheduledWorkRunner(asking(watched), [use_cases.CLASS_WORK]).step()
        assert pieces <= MANY
    assert pieces == MANY // use_cases.ENROLLMENTS_PER_TRANSACTION + 1
    assert max(changed) <= MOST


async def test_who_has_nothing_ready_is_told_in_pieces_and_once(store, clock, many):
    """None of the many has an account; whoever goes on after a kill begins with those who weren't told."""
    clock.advance(local("18:00", 23) - clock.now())
    sizes = []
    for _ in range(8):
        before = len(await warned(store))
        await look(store)
        sizes.append(len(await warned(store)) - before)
    assert sizes == [readiness.NOTICES_PER_TRANSACTION] * 5 + [0] * 3
    assert len({row["principal"] for row in await warned(store)}) == MANY


async def warned(store):
    return await store.engine.read(lambda tx: NOTICES.rows(tx, subject=CARD, kind="lesson_not_ready"))


async def test_dropped_rules_of_a_person_leave_their_course(store, joined):
    await within(store, hours_store.delete_rules_of_person, MEMBERS[0])
    left = await within(store, PARTICIPANTS.row, card_id=CARD, principal=MEMBERS[0])
    others = await within(store, PARTICIPANTS.row, card_id=CARD, principal=MEMBERS[1])
    assert (left["withdrawn_at"] is None, others["withdrawn_at"] is None) == (False, True)

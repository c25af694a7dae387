"""Large courses: changes that affect all members are made in batches, and no transaction grows with them."""

from typing import cast

import pytest

from bot.domain.people import Principal
from bot.reconciler.scheduled_work import ScheduledWorkRunner
from bot.services import course_changes as changes
from bot.services import course_readiness as readiness
from bot.services import courses as use_cases
from bot.services import former_members
from bot.store import courses as class_rows
from bot.store.engine import Engine
from bot.store.store import Store
from bot.store.tables import CLASS_CARDS, GATES, NOTICES, PARTICIPANTS, WORKSPACES
from tests.contract.store.classes import CARD, TRAINER, by, look, posted, up
from tests.contract.store.classes import press as press_class
from tests.contract.store.course_rows import MEMBERS, joined, local
from tests.rigs.counting import RowsCounted
from tests.rigs.store import within
from tests.rigs.use_cases import asking

__all__ = ["joined"]  # A fixture.

#: Rows that one transaction may change, and the number of members besides the three who pressed.
MOST, MANY = 200, 150


@pytest.mark.both_engines
async def test_who_has_nothing_for_the_lesson_is_listed_once_and_their_place_stays(store, joined):
    card = await store.read(class_rows.find_card, CARD)
    in_time = await store.now()
    assert [
        await store.read(class_rows.list_members_not_ready, card, at) for at in (in_time, in_time - 3600.0)
    ] == [[], []]
    assert [one.card_id for one in await store.read(class_rows.list_memberships, MEMBERS[0])] == [CARD]
    await within(store, lambda tx: WORKSPACES.change(tx, {"id": joined[0].id}, hidden=True))
    assert await store.read(class_rows.list_members_not_ready, card, in_time) == [
        (MEMBERS[0], "no_workspace")
    ]
    await within(store, lambda tx: CLASS_CARDS.change(tx, {"id": CARD}, done_at=tx.now()))
    assert await store.read(class_rows.list_memberships, MEMBERS[0]) == []


@pytest.fixture
async def many(store, joined):
    """A course with more members than one batch covers."""
    await within(store, clones)
    return await store.read(class_rows.find_card, CARD)


def clones(tx):
    """Give each additional member copies of the first member's rows."""
    first = {"principal": MEMBERS[0]}
    workspace = WORKSPACES.row(tx, **first)
    found = [
        (GATES, GATES.row(tx, gate_key=workspace["gate_key"])),
        (WORKSPACES, workspace),
        (PARTICIPANTS, PARTICIPANTS.row(tx, card_id=CARD, **first)),
    ]
    for number in range(MANY):
        name = f"U{number:03d}"
        who = {"principal": Principal(None, "T1", name).key, "workspace_id": name}
        own = {"id": name, "remote_id": name, "gate_key": name, **who}
        keys = {PARTICIPANTS: who | {"id": name}}
        for table, row in found:
            if row is not None:
                changed = keys.get(table, own)
                table.add(tx, **{column: changed.get(column, value) for column, value in row.items()})


def counted(store):
    """Return a store on the same database that counts the rows each transaction changes."""
    engine = RowsCounted(store.engine)
    return Store(cast("Engine", engine)), engine.rows


@pytest.mark.both_engines
async def test_the_end_of_a_large_class_is_set_in_pieces(store, clock):
    await posted(store, stops_at=clock.now() + 7_200.0)
    await press_class(store, await up(store, clock, MEMBERS[0]))

    await within(store, clones)
    watched, changed = counted(store)
    closed = await by(watched, TRAINER, "stop").run(use_cases.stop_all, CARD)

    def ends(tx):
        return {row["stop_at"] for row in tx.all("SELECT stop_at FROM workspaces")}

    # People with a timer for the later end keep it until their batch's turn comes.
    assert await store.engine.read(ends) == {clock.now() + 7_200.0}
    pieces = 0
    while await store.engine.read(ends) != {closed.stops_at}:
        pieces += await ScheduledWorkRunner(asking(watched), [use_cases.CLASS_WORK]).step()
        assert pieces <= MANY
    assert pieces == MANY // use_cases.ENROLLMENTS_PER_TRANSACTION + 1
    assert max(changed) <= MOST


async def test_who_has_nothing_ready_is_told_in_pieces_and_once(store, clock, many):
    """None of the additional members has an account.

    After a kill, the work continues with those who weren't told yet.
    """
    clock.advance(local("18:00", 23) - clock.now())
    sizes = []
    # Eight extra turns, because the members are first told that they missed yesterday's lesson.
    for _ in range(8 + MANY // readiness.MEMBERS_PER_TRANSACTION):
        before = len(await warned(store))
        await look(store)
        sizes.append(len(await warned(store)) - before)
    assert [one for one in sizes if one] == [readiness.NOTICES_PER_TRANSACTION] * 5
    assert len({row["principal"] for row in await warned(store)}) == MANY


async def warned(store):
    return await store.engine.read(lambda tx: NOTICES.rows(tx, subject=CARD, kind="lesson_not_ready"))


async def test_no_transaction_about_a_course_grows_with_its_members(store, clock, many):
    watched, changed = counted(store)
    await by(watched, TRAINER, "skip").run(changes.leave_out, CARD, ["2027-11-24"])
    # Only the audit, the undo record, the inbox and the card change, and no member's row.
    assert max(changed) < 10
    clock.advance(local("08:49") - clock.now())
    await within(store, CLASS_CARDS.change, {"id": CARD}, lead_seconds=660.0)
    for _ in range(MANY // readiness.MEMBERS_PER_TRANSACTION + 2):
        await look(watched)
    due = await store.engine.read(lambda tx: [row["due_at"] for row in PARTICIPANTS.rows(tx, card_id=CARD)])
    assert None not in due
    assert max(changed) <= MOST


#: What 0.4.1 stored about each member: they consented to Mondays only.
AGREED = """
INSERT INTO former_members
SELECT id, card_id, principal, consented_at, 'mon', 90, '2027-12-22', '', '', '' FROM participants
"""


@pytest.mark.both_engines
async def test_members_who_agreed_to_less_leave_in_pieces_before_anything_is_begun(store, clock, many):
    await store.engine.write(lambda tx: tx.run(AGREED))
    clock.advance(local("08:57") - clock.now())
    watched, changed = counted(store)
    pieces = 0
    while await left_to_compare(store):
        pieces += await ScheduledWorkRunner(asking(watched), [use_cases.CLASS_WORK]).step()
    assert pieces == (MANY + len(MEMBERS)) // former_members.MEMBERS_PER_TRANSACTION + 1
    assert max(changed) <= MOST
    rows = await store.engine.read(lambda tx: PARTICIPANTS.rows(tx, card_id=CARD))
    assert {(row["workspace_id"], row["due_at"]) for row in rows} == {(None, None)}
    told = await store.engine.read(lambda tx: NOTICES.rows(tx, subject=CARD, kind="course_left"))
    assert sorted(row["principal"] for row in told) == sorted(row["principal"] for row in rows)


async def left_to_compare(store):
    return await store.engine.read(lambda tx: tx.all("SELECT id FROM former_members"))

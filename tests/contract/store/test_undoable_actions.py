"""What acts changed: found by comparing rows, and whether they still say it, on both engines."""

from dataclasses import replace

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.steps import Update
from bot.domain.undoable_actions import Change, UndoableAction
from bot.domain.work_items import Outcome
from bot.features.hours import store as rules
from bot.features.hours.model import HoursRule
from bot.features.hours.store import RULES
from bot.features.preferences.model import Preferences
from bot.features.preferences.store import preferences, save_preferences
from bot.store import notices, operations, undoable_actions
from bot.store.tables import RUNS, UNDOABLE_ACTIONS, WORKSPACES
from bot.store.undoable_actions import compare_rows
from tests.rigs.store import ALICE, accept_operation, launched, linked


def a_rule(workspace, **keys):
    hours = {"days": frozenset({"mon", "fri"}), "starts": 540, "off": frozenset({"2027-01-18"})}
    zone = {"zone": "Asia/Tokyo", "seen_zone": "Asia/Tokyo", "processed_until": 1.5}
    given = {"id": "rule", "principal": ALICE, "connection": "saturn", "workspace_id": workspace.id}
    return HoursRule(**given, **hours, **zone, **keys)


async def noted(store, change: Change) -> UndoableAction:
    """Write an act with what it changed, and read it again."""
    act = UndoableAction(
        id="act_1",
        principal=ALICE,
        kind="a",
        done_at=1.0,
        old_values=change.old_values,
        new_values=change.new_values,
    )
    await store.carry_out(lambda tx: UNDOABLE_ACTIONS.add(tx, act))
    return await store.engine.read(lambda tx: undoable_actions.find_action(tx, "act_1"))


async def is_as_left(store, act):
    return await store.engine.read(lambda tx: undoable_actions.is_unchanged_since(tx, act))


@pytest.mark.both_engines
@pytest.mark.parametrize("name", ["timer", "alias", "settings", "run", "made", "changed", "dropped"])
async def test_a_row_is_as_an_act_left_it_until_what_was_changed_changes(store, name):
    workspace = (await linked(store)).workspaces[0]
    run = await launched(store, ALICE)
    rule, timer = a_rule(workspace), {"stop_at": 1_800_000_000.25, "stop_mode": "stop", "stop_agreed": True}

    def write(tx):
        match name:
            case "timer" | "alias":
                to = timer if name == "timer" else {"alias": "thesis"}
                WORKSPACES.change(tx, {"id": workspace.id}, **to)
                return compare_rows((workspace, replace(workspace, **to)))
            case "settings":
                wanted = Preferences(idle_prompt_after=3)
                before = preferences(tx, ALICE)
                save_preferences(tx, ALICE, wanted)
                return compare_rows((before, wanted))
            case "run":
                RUNS.change(tx, {"id": run.id}, requested_stop="force")
                return compare_rows((run, replace(run, requested_stop="force")))
        if name != "made":
            rules.save_rule(tx, rule)
        if name == "dropped":
            rules.delete_rule(tx, rule.id)
            return compare_rows((rule, None))
        after = rule if name == "made" else replace(rule, off=frozenset(), processed_until=2.5)
        rules.save_rule(tx, after)
        return compare_rows((None if name == "made" else rule, after))

    def change_what_says_nothing(tx):
        WORKSPACES.change(tx, {"id": workspace.id}, used_at=5.0)
        RULES.change(tx, {"id": rule.id}, processed_until=9.5, unused=2)

    def change_it(tx):
        WORKSPACES.change(tx, {"id": workspace.id}, alias="other", stop_agreed=False)
        RUNS.change(tx, {"id": run.id}, requested_stop="")
        save_preferences(tx, ALICE, Preferences(idle_prompt_after=5))
        rules.save_rule(tx, replace(rule, off=frozenset({"2027-01-25"})))

    act = await noted(store, await store.carry_out(write))
    assert act.new_values
    assert await is_as_left(store, act)
    await store.carry_out(change_what_says_nothing)
    assert await is_as_left(store, act)
    await store.carry_out(change_it)
    assert not await is_as_left(store, act)


def test_what_changed_nothing_has_nothing_to_take_back():
    rule = HoursRule("rule", ALICE, "saturn", "w", zone="UTC", seen_zone="UTC", processed_until=1.0)
    for one in (rule, Preferences()):
        assert compare_rows((one, one)) == Change()
    # What changes by itself is put back, and compared with nothing.
    change = compare_rows((rule, replace(rule, processed_until=2.0, off=frozenset({"2027-01-18"}))))
    assert (change.old_values, change.new_values) == (
        {"rules rule": {"processed_until": 1.0, "off": ""}},
        {"rules rule": {"off": "2027-01-18"}},
    )


@pytest.mark.both_engines
async def test_an_act_is_shown_once_the_card_of_what_it_began_is_there(store, workspace):
    card = NewNotice("", NoticeKind.CARD, "first", ALICE)
    operation = (await accept_operation(store, workspace, notices=[card])).operation
    given = {
        "principal": ALICE,
        "kind": "workspace.stop",
        "subject": workspace.id,
        "work_item_id": operation.id,
    }
    await store.carry_out(
        lambda tx: UNDOABLE_ACTIONS.add(tx, UndoableAction(id="act_1", done_at=tx.now(), **given))
    )
    assert not (await store.read(undoable_actions.find_action_facts, "act_1")).is_shown
    (notice,) = await store.perform(notices.claim_notices, 9, 60.0)
    await store.write(notices.mark_notice_sent, notice.id, "D1", "1.0")
    assert (await store.read(undoable_actions.find_action_facts, "act_1")).is_shown
    # The answer to who asks again stands below the card.
    await store.carry_out(
        lambda tx: UNDOABLE_ACTIONS.add(tx, UndoableAction(id="act_2", done_at=tx.now() + 60.0, **given))
    )
    assert not (await store.read(undoable_actions.find_action_facts, "act_2")).is_shown
    await store.write(operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FULFILLED))
    assert (await store.read(undoable_actions.find_action_facts, "act_2")).is_shown

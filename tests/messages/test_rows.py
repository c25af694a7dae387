"""Tests of a workspace's row in a list, on Home, in a status and on a card; and of the size of lists."""

from dataclasses import replace

import pytest

from bot.domain.holds import HoldCode, make_hold
from bot.domain.operations import OperationVerb
from bot.domain.stops import StopEffect
from bot.domain.workspaces import State
from bot.messages.blocks import cards, homes, limits, lists
from tests.messages.card_facts import CALLED, IDE_URL, NOW, facts
from tests.rigs.golden import check_limits

ENDS_FOR_GOOD = {"stop": StopEffect.ENDS, "suspend": StopEffect.KEEPS}
GENTLE = {"stop": StopEffect.RETURNS, "suspend": StopEffect.KEEPS}
NOON = NOW + 4 * 3600


def row(state=State.STOPPED, number=1, operation=None, effects=None, **workspace):
    """Return the facts of a workspace. Without ``operation``, nothing is in progress."""
    given = {"state": state, "id": f"workspace_{number}", "name": f"study {number}", **workspace}
    found = facts(operation, given, effects=effects or {"stop": StopEffect.RETURNS})
    is_up = state is State.RUNNING
    return replace(
        found,
        operation=found.operation if operation else None,
        ide_url=IDE_URL if is_up and not found.is_unusable else None,
    )


def draw(*rows):
    return lists.render_workspaces(rows)[0]


def text_of(one):
    return draw(one)[0]["text"]["text"]


def offered(one):
    """Return the labels of a row's buttons, and of the options in its menu."""
    first, *below = draw(one)
    elements = below[0]["elements"] if below else [first["accessory"]] if "accessory" in first else []
    shown = [element["text"]["text"] for element in elements if element["type"] == "button"]
    menu = [option["text"]["text"] for element in elements for option in element.get("options", ())]
    return shown, menu


@pytest.mark.parametrize(
    ("one", "mark", "shown", "menu"),
    [
        (row(State.RUNNING), "🟢", ["Open", "Stop"], ["Stop later…", "Hours…"]),
        (row(State.RUNNING, effects=GENTLE), "🟢", ["Open", "Suspend"], ["Stop later…", "Hours…", "Stop"]),
        (row(State.RUNNING, lacks="agent"), "🔴", ["Stop", "Stop later…"], []),
        (row(State.STARTING), "🟡", ["Stop"], []),
        (row(State.STOPPING), "🟡", [], []),
        (row(State.STOPPED), "⚪️", ["Start"], []),
        (row(State.SUSPENDED, effects=ENDS_FOR_GOOD), "🔵", ["Resume"], ["Stop"]),
        (row(State.SUSPENDED, effects=GENTLE), "🔵", ["Resume"], []),
        (row(State.FAILED), "🔴", ["Start", "Stop"], []),
        (row(State.GONE), "⚫️", ["Forget"], []),
        (row(State.RUNNING, operation={**CALLED, "verb": OperationVerb.STOP}), "🟡", [], []),
        (row(State.STOPPED, operation=CALLED), "🟡", ["Stop"], []),
    ],
)
def test_row_has_its_states_mark_and_likeliest_buttons(one, mark, shown, menu):
    assert text_of(one).startswith(f"{mark} *")
    found, folded = offered(one)
    assert (found[:2], folded) == (shown, menu)
    assert len(found) <= 2
    # The icon is always followed by a word for the state.
    assert text_of(one).split("\n")[1]
    assert not any("style" in element for block in draw(one) for element in block.get("elements", ()))


def test_name_leads_to_it_while_it_can_be_opened():
    assert text_of(row(State.RUNNING)).startswith("🟢 *<https://")
    for state in (State.STOPPED, State.STARTING, State.SUSPENDED):
        assert "<https" not in text_of(row(state))


@pytest.mark.parametrize(
    ("given", "fact"),
    [
        ({"stop_risks": frozenset({"busy"}), "stop_at": NOON}, "It was busy when I last checked"),
        ({"stop_at": NOON, "detail": "Disk nearly full."}, "I'll stop it at <!date^"),
        ({"detail": "Disk nearly full."}, "Disk nearly full"),
    ],
    ids=["at-stake", "end", "complaint"],
)
def test_row_says_one_more_fact_the_most_important(given, fact):
    line = text_of(row(State.RUNNING, started_at=NOW - 3600, **given)).split("\n")[1]
    since, more = line.split(" · ")
    assert since.startswith("Running since <!date^")
    assert more.startswith(fact)


def test_no_other_stop_is_announced_beside_one_under_way():
    stopping = row(State.RUNNING, operation={**CALLED, "verb": OperationVerb.STOP}, stop_at=NOON)
    assert "I'll stop it" not in text_of(stopping)
    assert "I'll stop it" not in str(cards.render_operation_card(stopping).blocks)


def test_what_holds_several_up_is_said_once_above_them():
    silent = {"block_reason": make_hold(HoldCode.SILENT, NOW - 120)}
    waiting = [
        row(State.STOPPED, 1, operation=silent),
        row(State.RUNNING, 2, operation={**silent, "verb": OperationVerb.STOP}, stop_at=NOON),
        row(State.STOPPED, 3),
    ]
    first, *rows = [block["text"]["text"] for block in draw(*waiting) if "text" in block]
    assert first.startswith("Saturn Cloud hasn't been available since <!date^")
    assert [one.split("\n")[1] for one in rows] == ["Waiting to start", "Waiting to stop", "Stopped"]
    alone = draw(*waiting[1:])
    assert str(alone).count("hasn't been available") == 1
    assert alone[0]["text"]["text"].startswith("🟡")


def test_what_was_running_can_be_opened_while_its_start_waits():
    silent = {"block_reason": make_hold(HoldCode.SILENT, NOW - 120)}
    assert offered(row(State.RUNNING, operation=silent)) == (["Open", "Stop"], [])
    assert offered(row(State.STOPPED, operation=silent)) == (["Stop"], [])
    assert offered(row(State.RUNNING, operation={**silent, "verb": OperationVerb.STOP})) == ([], [])


def test_a_suspended_row_says_nothing_of_its_memory():
    """Only the question whether to end a suspended workspace mentions its memory."""
    suspended = row(State.SUSPENDED, effects=ENDS_FOR_GOOD, stop_risks=frozenset({"memory"}))
    assert "memory" not in text_of(suspended)
    assert "memory" not in str(lists.status_answer(suspended, suspended.workspace).blocks[0])


def test_up_to_eight_rows_have_buttons_and_from_nine_on_menus_that_begin_with_open():
    assert len(draw(*(row(State.RUNNING, number) for number in range(8)))) == 16
    drawn = draw(*(row(State.RUNNING, number) for number in range(9)))
    assert len(drawn) == 9
    assert all(one["accessory"]["options"][0]["text"]["text"] == "Open" for one in drawn)


@pytest.mark.parametrize(
    ("count", "running", "most"), [(0, 0, 5), (1, 1, 5), (5, 3, 12), (12, 4, 19), (20, 8, 32), (20, 20, 24)]
)
def test_lists_and_homes_keep_slacks_limits(count, running, most):
    states = [State.RUNNING] * running + [State.STOPPED] * (count - running)
    rows = [row(state, number, effects=GENTLE) for number, state in enumerate(states)]
    shown = lists.workspace_list(rows)
    check_limits(shown)
    assert len(shown.blocks) <= most
    assert len(homes.render_home(shown.blocks, (), NOW)["blocks"]) <= limits.MAX_MESSAGE_BLOCKS

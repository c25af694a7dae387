"""What a message offers: one coloured button, two beside each other, the rest in a menu."""

from __future__ import annotations

import pytest

from bot.messages.blocks import kit, limits
from handlers import payload
from tests.rigs.golden import FAMILIES, entries, shown

MESSAGES = [name for family in FAMILIES if family != "texts" for name in entries(family)]
QUESTION = kit.confirm(("Stop it?", "This stops it.", "Stop", "Keep running"))


def test_every_golden_message_has_one_coloured_button_and_two_beside_each_other_at_most():
    assert len(MESSAGES) > 300
    crowded, coloured = set(), set()
    for name in MESSAGES:
        blocks = shown(name)["blocks"]
        rows = [block["elements"] for block in blocks if block["type"] == "actions"]
        if any(sum(one["type"] == "button" for one in row) > kit.BESIDE for row in rows):
            crowded.add(name)
        if sum("style" in one for one in kit.buttons_of(blocks)) > 1:
            coloured.add(name)
    assert (crowded, coloured) == (set(), set())


def drawn(*elements):
    return [[one.get("action_id") for one in block["elements"]] for block in kit.actions(elements)]


def test_the_first_two_are_buttons_and_the_rest_is_in_a_menu():
    names = [kit.button(name, name, "w1@2") for name in ("open", "suspend", "later")]
    stop = kit.button("Stop", "stop", "w1@2", confirm=QUESTION)
    assert drawn() == []
    assert drawn(*names[:2]) == [["open", "suspend"]]
    assert drawn(*names, stop) == [["open", "suspend", kit.MENU]]
    (row,) = kit.actions([*names, stop])
    menu = row["elements"][-1]
    assert "confirm" not in menu
    assert [one["value"] for one in menu["options"]] == ["later w1@2", "ask stop w1@2"]


def test_equals_are_all_buttons_and_so_is_what_no_option_can_hold():
    equals = [kit.button(f"Link {number}", f"invite:{number}", f"c{number}") for number in range(3)]
    others = [kit.button(name, name) for name in ("list", "new", "help")]
    assert drawn(*equals, *others) == [
        ["invite:0", "invite:1"],
        ["invite:2"],
        ["list", "new", kit.MENU],
    ]
    long = kit.button("Ask", "ask_link", "x" * limits.OPTION_VALUE)
    assert drawn(others[0], others[1], long) == [["ask_link"], ["list", "new"]]
    field = {"type": "external_select", "action_id": "status:workspace"}
    assert drawn(field, *others) == [["status:workspace", "list", "new", kit.MENU]]


@pytest.mark.parametrize(
    ("button", "means"),
    [
        (kit.button("Start", "start", "w1@2"), ("start", "w1@2")),
        (kit.button("Code", "enter_code"), ("enter_code", "")),
        (kit.button("Go", "invite:1", "hub start my notebook"), ("invite:1", "hub start my notebook")),
        (kit.button("View", "page_url", url="https://x.example.org"), ("page_url", "")),
        (kit.button("Stop", "stop:yes", "w1@2", confirm=QUESTION), ("ask", "stop:yes w1@2")),
    ],
)
def test_an_option_of_a_menu_is_read_as_its_button_would_be(button, means):
    menu = kit.menu([button])
    assert payload.pressed({**menu, "selected_option": menu["options"][0]}) == means
    ([again],) = [list(kit.buttons_of([{"type": "actions", "elements": [menu]}]))]
    assert (again["action_id"], again.get("value", "")) == means
    assert again.get("url") == button.get("url")


def test_the_first_colour_of_a_message_stays():
    rows = [kit.actions([kit.button(name, name, style=kit.DANGER)])[0] for name in ("a", "b")]
    beside = kit.section("x", kit.button("c", "c", style=kit.PRIMARY))
    for blocks, first in (([*rows, beside], "a"), ([beside, *rows], "c")):
        answer = kit.answer("x", blocks)
        assert [one["action_id"] for one in kit.buttons_of(answer.blocks) if "style" in one] == [first]

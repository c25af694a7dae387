"""What a message offers: one coloured button, two beside each other, the rest in a menu."""

import pytest

from bot.messages.blocks import kit, limits
from bot.messages.blocks.kit import ButtonValue
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
        if any(sum(one["type"] == "button" for one in row) > kit.BUTTONS_PER_ROW for row in rows):
            crowded.add(name)
        if sum("style" in one for one in kit.iterate_buttons(blocks)) > 1:
            coloured.add(name)
    assert (crowded, coloured) == (set(), set())


def drawn(*elements):
    return [[one.get("action_id") for one in block["elements"]] for block in kit.actions(elements)]


def test_a_question_shows_the_characters_of_a_name():
    words = ("Stop {name}?", "This stops {name}.", "Stop", "Keep running")
    asked = kit.confirm(words, name="R&D <main>")
    assert (asked["title"]["text"], asked["text"]["text"]) == (
        "Stop R&amp;D &lt;main&gt;?",
        "This stops R&amp;D &lt;main&gt;.",
    )


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
    long = kit.button("Ask", "ask_link", "x" * limits.MAX_OPTION_VALUE_LENGTH)
    assert drawn(others[0], others[1], long) == [["ask_link"], ["list", "new"]]
    field = {"type": "external_select", "action_id": "status:workspace"}
    assert drawn(field, *others) == [["status:workspace", "list", "new", kit.MENU]]


#: What buttons carry, and how it is written.
WRITTEN = [
    (ButtonValue("enter_code"), "enter_code", ""),
    (ButtonValue("status", "w1"), "status", "w1"),
    (ButtonValue("start", "w1", 2), "start", "w1@2"),
    (ButtonValue("stop", "w1", 2, agreed=True, number=0), "stop:yes:0", "w1@2"),
    (ButtonValue("keep", "w1", 0, agreed=True, at=1764000000.0), "keep:yes:u1764000000", "w1@0"),
    (ButtonValue("stop", "w1", 2, number=3, at=1764000000.0), "stop:3:u1764000000", "w1@2"),
    (ButtonValue("list", "2 running on hub", mark="more"), "list:more", "2 running on hub"),
    (ButtonValue("invite", "hub start my notebook", number=1), "invite:1", "hub start my notebook"),
    (ButtonValue("ask", "stop:yes w1@2"), "ask", "stop:yes w1@2"),
    (ButtonValue("run_code", "hub\nprint(1)\n"), "run_code", "hub\nprint(1)\n"),
]


@pytest.mark.parametrize(("press", "action_id", "value"), WRITTEN)
def test_what_a_button_carries_is_read_as_it_was_written(press, action_id, value):
    assert (press.action_id, press.value) == (action_id, value)
    assert ButtonValue.from_button(kit.button("Go", press)) == press
    assert ButtonValue.from_text(press.text) == press
    assert payload.parse_button({"type": "button", "action_id": action_id, "value": value}) == press


@pytest.mark.parametrize(
    ("action_id", "value", "press"),
    [
        ("stop:0:yes", "w1@2", ButtonValue("stop", "w1", 2, agreed=True, number=0)),
        ("stop:u1764000000:3", "w1", ButtonValue("stop", "w1", number=3, at=1764000000.0)),
        ("launch_rocket:full:1", "saturn@v", ButtonValue("launch_rocket", "saturn@v", number=1, mark="full")),
        ("", "", ButtonValue("")),
        (":::u:u12345678901234567890:-1", "@" * 3000, ButtonValue("", "@" * 3000, mark="-1")),
        ("say", "x" * 3000 + "@9", ButtonValue("say", "x" * 3000, 9)),
    ],
)
def test_whatever_somebody_sends_is_read_without_an_error(action_id, value, press):
    assert ButtonValue.read(action_id, value) == press
    assert press.value == value


@pytest.mark.parametrize(
    ("button", "means"),
    [
        (kit.button("Start", ButtonValue("start", "w1", 2)), ButtonValue("start", "w1", 2)),
        (kit.button("Code", "enter_code"), ButtonValue("enter_code")),
        (kit.button("View", "page_url", url="https://x.example.org"), ButtonValue("page_url")),
        (
            kit.button("Stop", ButtonValue("stop", "w1", 2, agreed=True), confirm=QUESTION),
            ButtonValue("ask", "stop:yes w1@2"),
        ),
    ],
)
def test_an_option_of_a_menu_is_read_as_its_button_would_be(button, means):
    menu = kit.menu([button])
    assert payload.parse_button({**menu, "selected_option": menu["options"][0]}) == means
    ([again],) = [list(kit.iterate_buttons([{"type": "actions", "elements": [menu]}]))]
    assert ButtonValue.from_button(again) == means
    assert again.get("url") == button.get("url")

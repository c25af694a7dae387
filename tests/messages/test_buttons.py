"""Tests of a message's buttons: one is coloured, up to two are next to it, and the rest are in a menu."""

import pytest

from bot.domain.message_context import ObjectName
from bot.messages.blocks import kit, limits
from bot.messages.blocks.button_values import ButtonValue
from handlers.requests import payload
from tests.rigs.golden import FAMILIES, entries, get_accessible_name, list_buttons, shown

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


#: Actions whose value isn't an object's id: a page of a list, a command, or an action for several objects.
WITHOUT_OBJECT = {
    "list",
    "job_list",
    "home",
    "help",
    "job_help",
    "several",
    "say",
    "usage",
    "undo",
    "make",
}


def test_every_golden_button_says_what_it_acts_on():
    """A button names its object in its text or its label for screen readers, or has no object."""
    unnamed = set()
    for name in MESSAGES:
        message = shown(name)
        buttons = list_buttons([*message["blocks"], *((message.get("view") or {}).get("blocks") or ())])
        for button in buttons:
            press, label = ButtonValue.from_button(button), button.get("accessibility_label", "")
            assert not set("&<>") & set(label)
            assert len(label) <= limits.MAX_ACCESSIBILITY_LABEL_LENGTH
            if not label and press.key and press.number is None and press.name not in WITHOUT_OBJECT:
                unnamed.add((press.name, button["text"]["text"]))
    # The exceptions: one names a run in its text, one answers a question, and two turn a page.
    assert unnamed == {
        ("job_stop", "Stop train.R"),
        ("class_stop", "Stop all"),
        ("card_page", "Several lessons…"),
        ("card_page", "Only one class…"),
    }


ODD = ["R&D <b>", "x" * 90, "", "\u202e\u200b", "Stop", "<!channel>"]


@pytest.mark.parametrize("name", ODD, ids=["markup", "long", "empty", "invisible", "verb", "mention"])
@pytest.mark.parametrize("title", ["", "Saturn & Co <1>" * 9], ids=["alone", "titled"])
def test_label_of_an_odd_name_is_short_and_clean(name, title):
    label = kit.add_label(kit.button("Stop", "stop", "w1@2"), name, title).get("accessibility_label", "")
    assert not set("&<>\u202e") & set(label)
    assert len(label) <= limits.MAX_ACCESSIBILITY_LABEL_LENGTH
    assert not label or label.startswith("Stop ")
    assert bool(label) == bool(name.strip("\u202e\u200b")) - (name == "Stop")


def test_label_begins_with_the_words_and_names_the_connection():
    objects = {"w1": ObjectName("lab", "Saturn Cloud"), "hub": ObjectName("Course hub")}
    drawn = [
        kit.button("Stop", "stop", "w1@2"),
        kit.button("Stop later…", "stop_later", "w1"),
        kit.button("Logs", "job_logs", "w1"),
        kit.button("New workspace", "make", "workspace hub"),
        kit.button("Stop lab", "stop", "w1@2"),
        kit.button("Refresh", "list", "2"),
    ]
    labels = [one.get("accessibility_label") for one in kit.add_labels(drawn, objects)]
    assert labels == [
        "Stop lab on Saturn Cloud",
        "Stop later: lab on Saturn Cloud",
        "Logs: lab on Saturn Cloud",
        "New workspace: Course hub",
        None,
        None,
    ]


def test_buttons_of_equal_names_are_numbered_in_a_message():
    rows = [kit.section(f"*lab* {n}", kit.button("Stop", "stop", f"w{n}@1", of="lab")) for n in range(3)]
    drawn = kit.answer([*rows, *kit.actions([kit.button("Stop lab", "stop", "w9")])]).blocks
    named = [get_accessible_name(one) for one in list_buttons(list(drawn))]
    assert named == ["Stop lab", "Stop lab (2)", "Stop lab (3)", "Stop lab (4)"]
    again = kit.add_block_labels(drawn, {f"w{n}": ObjectName("lab") for n in range(3)})
    assert [get_accessible_name(one) for one in list_buttons(again)] == named
    assert "accessibility_label" not in kit.add_number(rows[0]["accessory"], 1, "Stop lab 0")


def test_every_paragraph_but_output_is_shown_whole():
    output = kit.section(f"{kit.FENCE}\nepoch 11\n{kit.FENCE}")
    assert (kit.section("*lab* is ready.")["expand"], "expand" in output) == (True, False)


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


def test_a_menu_made_of_buttons_has_at_least_two_options():
    names = [kit.button(name, name, "w1@2") for name in ("open", "stop", "later")]
    assert drawn(*names) == [["open", "stop"], ["later"]]
    # An option that was deliberately put into a menu stays there.
    assert drawn(*names[:2], kit.menu(names[2:])) == [["open", "stop", kit.MENU]]


def test_equals_are_all_buttons_and_so_is_what_no_option_can_hold():
    equals = [kit.button(f"Link {number}", f"invite:{number}", f"c{number}") for number in range(3)]
    others = [kit.button(name, name) for name in ("list", "new", "help")]
    assert drawn(*equals, *others) == [
        ["invite:0", "invite:1"],
        ["invite:2"],
        ["list", "new"],
        ["help"],
    ]
    long = kit.button("Ask", "ask_link", "x" * limits.MAX_OPTION_VALUE_LENGTH)
    assert drawn(others[0], others[1], long) == [["ask_link"], ["list", "new"]]
    field = {"type": "external_select", "action_id": "status:workspace"}
    assert drawn(field, *others) == [["status:workspace", "list", "new"], ["help"]]


#: Button values, with their action and how they are written.
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

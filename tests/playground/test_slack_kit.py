"""Tests of Block Kit's rules other than limits. Errors say where the rule is broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.slack.kit import check_message, check_options, check_view
from playground.slack.kit.published import LIMITS
from tests.playground.slack_help import actions, button, section


def plain(text: str) -> dict:
    return {"type": "plain_text", "text": text}


def option(number: int = 0, **more) -> dict:
    return {"text": plain(f"Option {number}"), "value": f"v{number}", **more}


def select(count: int, **more) -> dict:
    return {"type": "static_select", "action_id": "s", "options": [option(n) for n in range(count)], **more}


DESCRIBED = option(1, description=plain("more"))


def chooser(kind: str, chosen: dict) -> dict:
    """Return an element with two options, one of them preselected."""
    first = (
        {"initial_options": [chosen]}
        if kind in ("multi_static_select", "checkboxes")
        else {"initial_option": chosen}
    )
    return {"type": kind, "action_id": "c", "options": [option(0), option(1)], **first}


def fields(count: int, size: int = 1) -> dict:
    return {"type": "section", "fields": [plain("x" * size)] * count}


def confirm(**more) -> dict:
    whole = {
        "title": plain("Stop?"),
        "text": plain("It ends."),
        "confirm": plain("Stop"),
        "deny": plain("Keep"),
    }
    return button(confirm={**whole, **more})


def field(**more) -> dict:
    element = {"type": "plain_text_input", "action_id": "t"}
    return {"type": "input", "label": plain("Name"), "element": element, **more}


GOOD = {
    "confirm": [actions(confirm(style="danger"))],
    "input": [field()],
    "initial option": [actions(select(2, initial_option=option(1)))],
    "initial choices": [
        field(element=chooser(kind, option(1)))
        for kind in ("static_select", "multi_static_select", "radio_buttons", "checkboxes")
    ],
    "no blocks": [],
}

BAD = {
    "empty section": ([section("")], "/blocks/0/text/text"),
    "section without text": ([{"type": "section"}], "/blocks/0"),
    "a long field": ([fields(1, LIMITS["section.fields.item_max_length"] + 1)], "/blocks/0/fields/0/text"),
    "header in mrkdwn": ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "/blocks/0/text"),
    "empty button value": ([actions(button(value=""))], "/blocks/0/elements/0/value"),
    "button of no style": ([actions(button(style="loud"))], "/blocks/0/elements/0/style"),
    "action_id twice": ([actions(button("a"), button("a"))], "/blocks/0"),
    "block_id twice": ([{**section(), "block_id": "a"}] * 2, "/blocks/1/block_id"),
    "no actions": ([actions()], "/blocks/0/elements"),
    "select without options": (
        [actions({"type": "static_select", "action_id": "s"})],
        "/blocks/0/elements/0",
    ),
    "foreign initial option": ([actions(select(2, initial_option=option(7)))], "/blocks/0/elements/0"),
    **{
        f"{kind} with an initial choice of another text": (
            [field(element=chooser(kind, {**option(1), "text": plain("other")}))],
            "/blocks/0/element",
        )
        for kind in ("static_select", "multi_static_select", "radio_buttons", "checkboxes")
    },
    "initial choice without the description": (
        [field(element={**chooser("radio_buttons", option(1)), "options": [DESCRIBED]})],
        "/blocks/0/element",
    ),
    "initial choice of an overflow menu": (
        [actions({**chooser("overflow", option(1)), "type": "overflow"})],
        "/blocks/0/elements/0",
    ),
    "url without scheme": ([actions(button(url="x.example"))], "/blocks/0/elements/0/url"),
    "confirm without text": ([actions(confirm(text=None))], "/blocks/0/elements/0/confirm"),
    "unknown block": ([{"type": "banner"}], "/blocks/0/type"),
    "unknown element": ([actions({"type": "knob", "action_id": "k"})], "/blocks/0/elements/0/type"),
    "button in an input": ([field(element=button())], "/blocks/0/element/type"),
    "no object": (["section"], "/blocks/0"),
    "no type": ([{"text": plain("x")}], "/blocks/0"),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_within_the_limits_passes(name):
    assert check_message(GOOD[name]).messages == []


@pytest.mark.parametrize("name", BAD)
def test_what_is_beyond_is_refused_where_it_is(name):
    blocks, pointer = BAD[name]
    messages = check_message(blocks).messages
    assert messages
    assert any(f"[json-pointer:{pointer}" in message for message in messages), messages


def test_a_missing_action_id_passes_with_a_remark():
    element = button()
    del element["action_id"]
    report = check_message([actions(element)])
    assert (report.messages, len(report.remarks)) == ([], 1)


def modal(**more) -> dict:
    return {"type": "modal", "title": plain("x" * 24), "blocks": [section()], **more}


@pytest.mark.parametrize(
    ("view", "pointer"),
    [
        (modal(title=None), "/view"),
        (modal(blocks=[field()]), "/view"),
        (modal(blocks=[{"type": "markdown", "text": "x"}]), "/view/blocks/0/type"),
        (modal(type="home"), "/view/type"),
        (modal(colour="red"), "/view"),
    ],
)
def test_views_beyond_the_limits_are_refused(view, pointer):
    messages = check_view(view, "modal").messages
    assert any(f"[json-pointer:{pointer}]" in message for message in messages), messages


WORDS = [
    "type", "blocks", "elements", "text", "section", "actions", "input", "static_select", "options",
    "option_groups", "initial_option", "initial_options", "element", "accessory", "block_id",
    "action_id", "checkboxes", "context",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(WORDS) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=25,
)


@given(JSON)
def test_no_structure_makes_the_checks_fail(value):
    for blocks in (value, [value], [{"type": "section", "accessory": value}], [actions(value)]):
        assert isinstance(check_message(blocks).messages, list)
    assert isinstance(check_view({"type": "modal", "blocks": value}, "modal").messages, list)
    for kind in ("static_select", "checkboxes", "overflow"):
        shown = {"type": kind, "options": value, "option_groups": value, "initial_options": value}
        assert check_message([{"type": "section", "accessory": shown}]).messages
    assert isinstance(check_options(value).messages, list)

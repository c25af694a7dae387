"""Tests of Block Kit's rules for rich text and inputs, other than limits."""

import pytest

from playground.slack.kit import check_message, check_view
from tests.playground.slack_forms import field, modal, typed

TEXT = {"type": "text", "text": "a"}


def rich(kind: str, *elements, **more) -> dict:
    return {"type": "rich_text", "elements": [{"type": kind, "elements": list(elements), **more}]}


GOOD = {
    "preformatted": [rich("rich_text_preformatted", TEXT, border=0)],
    "styled": [
        rich("rich_text_section", {**TEXT, "style": {"bold": True}}, {"type": "user", "user_id": "U1"})
    ],
    "list": [rich("rich_text_list", {"type": "rich_text_section", "elements": [TEXT]}, style="bullet")],
    "quote with a link": [rich("rich_text_quote", {"type": "link", "url": "https://x.example"})],
}
BAD = {
    "bold in preformatted": [rich("rich_text_preformatted", {"type": "user", "user_id": "U1"})],
    "preformatted without elements": [rich("rich_text_preformatted")],
    "empty text": [rich("rich_text_section", {"type": "text", "text": ""})],
    "unknown style": [rich("rich_text_section", {**TEXT, "style": {"loud": True}})],
    "list without style": [rich("rich_text_list", {"type": "rich_text_section", "elements": [TEXT]})],
    "list of texts": [rich("rich_text_list", TEXT, style="bullet")],
    "unknown part": [rich("rich_text_table", TEXT)],
}


@pytest.mark.parametrize("name", GOOD)
def test_rich_text_within_the_limits_passes(name):
    assert check_message(GOOD[name]).messages == []


@pytest.mark.parametrize("name", BAD)
def test_rich_text_beyond_them_is_refused(name):
    assert len(check_message(BAD[name]).messages) == 1


@pytest.mark.parametrize(
    "element",
    [
        {"type": "datepicker", "initial_date": "20-11-2026"},
        {"type": "timepicker", "initial_time": "24:00"},
        {"type": "datetimepicker", "initial_date_time": 12},
        {"type": "number_input"},
        {"type": "number_input", "is_decimal_allowed": True, "min_value": "low"},
        typed(dispatch_action_config={"trigger_actions_on": ["on_blur"]}),
    ],
)
def test_inputs_beyond_the_limits_are_refused(element):
    view = modal(field({"action_id": "a", **element}))
    assert len(check_view(view, "modal").messages) == 1


def test_one_element_at_most_takes_the_focus_on_load():
    first, second = field(typed(focus_on_load=True), "a"), field(typed(focus_on_load=True), "b")
    assert check_view(modal(first), "modal").messages == []
    assert len(check_view(modal(first, second), "modal").messages) == 1

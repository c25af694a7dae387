"""Tests of how people's own settings are shown to them."""

from dataclasses import replace

import pytest

from bot.domain.preferences import NEVER_HOURS, PreferenceFacts, Preferences, find_asking_hours
from bot.messages.blocks import preferences as messages
from tests.messages.card_facts import NOW, WORKSPACE
from tests.rigs.golden import check_golden, check_limits

ALL = Preferences(stopped=True, idle_prompt_after=NEVER_HOURS)


def test_the_section_says_all_that_applies():
    own = tuple(replace(WORKSPACE, id=f"w{n}", name=f"report & {n}") for n in range(12))
    shown = PreferenceFacts(ALL, NOW, own)
    check_golden("answers/settings-all", messages.answer_preferences(shown))


@pytest.mark.parametrize(
    ("chosen", "set_there", "says"),
    [
        pytest.param(None, {}, ["for more than 12 h that"], id="default"),
        pytest.param(None, {"Saturn": 4}, ["for more than 4 h that"], id="operator"),
        pytest.param(None, {"Saturn": 0}, ["I won't ask about"], id="operator_asks_nobody"),
        pytest.param(8, {"Saturn": 0}, ["for more than 8 h that"], id="own_where_nobody_is_asked"),
        pytest.param(NEVER_HOURS, {"Saturn": None}, ["I won't ask about"], id="never"),
        pytest.param(
            NEVER_HOURS,
            {"Saturn": 4, "Hub": None},
            ["I won't ask about", "On Saturn, I'll ask after 4 h."],
            id="sooner",
        ),
        pytest.param(
            None,
            {"Saturn": 0, "Hub": None, "Lab": 0},
            ["for more than 12 h that", "On Lab and Saturn, I won't"],
            id="some",
        ),
    ],
)
def test_promise_to_ask_is_what_holds_on_each_connection(chosen, set_there, says):
    """The earlier of the person's own time and the operator's counts, and the section says which."""
    hours = {title: find_asking_hours(chosen, there) for title, there in set_there.items()}
    shown = PreferenceFacts(Preferences(idle_prompt_after=chosen), NOW, asked_after=hours)
    said = str(messages.answer_preferences(shown).blocks)
    assert [one for one in says if one not in said] == []


@pytest.mark.parametrize("chosen", messages.MESSAGE_CHOICES)
def test_form_of_a_workspace_shows_what_holds_now(chosen):
    shown = messages.answer_workspace(replace(WORKSPACE, alias="x" * 200), "As it is now.", chosen)
    check_limits(shown.view)
    (menu,) = shown.view["blocks"]
    assert menu["element"]["initial_option"]["value"] == chosen
    assert shown.view["private_metadata"] == WORKSPACE.id

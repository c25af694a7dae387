"""What quiet hours held back, and settings, as people see them."""

from dataclasses import replace

import pytest

from bot.domain.facts import PreferenceFacts
from bot.domain.forms import Choice
from bot.domain.notices import NoticeKind
from bot.domain.people import Preferences
from bot.domain.workspaces import State
from bot.messages.blocks import home
from bot.messages.blocks.notices import render
from tests.messages.card_facts import NOW, WORKSPACE, facts, least_facts
from tests.rigs.golden import check_golden, check_limits

RUNNING = facts(workspace={"state": State.RUNNING})
ODD = facts(workspace={"name": "<!channel> & *co*"})
ALL = Preferences(
    stopped=True,
    workspace_id="workspace_1",
    connection="saturn",
    template="r & d",
)


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("one", [(NoticeKind.READY, RUNNING)]),
        (
            "links",
            [(NoticeKind.LINK_AGAIN, RUNNING), (NoticeKind.CLASS_OVER, least_facts(NoticeKind.CLASS_OVER))],
        ),
        ("several", [(NoticeKind.STOPPED_ELSEWHERE, ODD), (NoticeKind.READY, RUNNING)]),
        ("many", [(NoticeKind.STOPPED_ELSEWHERE, facts(workspace={"name": f"w{n}"})) for n in range(33)]),
    ],
)
def test_what_was_held_is_one_message(name, held):
    given = replace(least_facts(NoticeKind.HELD), held=tuple(held))
    check_golden(f"notices/held-{name}", render(NoticeKind.HELD, given))


def test_the_section_says_all_that_applies():
    own = tuple(replace(WORKSPACE, id=f"w{n}", name=f"report & {n}") for n in range(12))
    shown = PreferenceFacts(ALL, NOW, WORKSPACE, "Saturn <Cloud>", own)
    check_golden("answers/settings-all", home.answer(shown))


def test_the_form_holds_as_many_choices_as_a_menu_does_and_the_chosen_one():
    many = [Choice(f"w{n}", f"name <{n}> " + "x" * 100) for n in range(150)]
    shown = PreferenceFacts(replace(ALL, workspace_id="w98"), NOW)
    form = home.form(shown, many, [Choice("saturn r & d", "r & d")], "/workspace ")
    check_limits(form)
    menus = {block["block_id"]: block["element"] for block in form["blocks"]}
    assert len(menus["workspace"]["options"]) == 100
    assert menus["workspace"]["initial_option"]["value"] == "w98"
    assert menus["new"]["initial_option"]["value"] == "saturn r & d"

"""Settings, as people see them."""

from dataclasses import replace

from bot.domain.forms import Choice
from bot.domain.preferences import NEVER, PreferenceFacts, Preferences
from bot.messages.blocks import preferences
from tests.messages.card_facts import NOW, WORKSPACE
from tests.rigs.golden import check_golden, check_limits

ALL = Preferences(
    stopped=True,
    workspace_id="workspace_1",
    connection="saturn",
    template="r & d",
    asks_after=NEVER,
)


def test_the_section_says_all_that_applies():
    own = tuple(replace(WORKSPACE, id=f"w{n}", name=f"report & {n}") for n in range(12))
    shown = PreferenceFacts(ALL, NOW, WORKSPACE, "Saturn <Cloud>", own)
    check_golden("answers/settings-all", preferences.answer(shown))


def test_the_form_holds_as_many_choices_as_a_menu_does_and_the_chosen_one():
    many = [Choice(f"w{n}", f"name <{n}> " + "x" * 100) for n in range(150)]
    shown = PreferenceFacts(replace(ALL, workspace_id="w98"), NOW)
    form = preferences.form(shown, many, [Choice("saturn r & d", "r & d")], "/workspace ")
    check_limits(form)
    menus = {block["block_id"]: block["element"] for block in form["blocks"]}
    assert len(menus["workspace"]["options"]) == 100
    assert menus["workspace"]["initial_option"]["value"] == "w98"
    assert menus["new"]["initial_option"]["value"] == "saturn r & d"

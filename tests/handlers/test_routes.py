"""Handlers are found by their decorators, and a handler exists for every button on cards."""

import re

import pytest

from bot.messages.blocks import kit
from bot.messages.blocks.course_pages import FIELD_TYPES
from bot.messages.verb import Effect, list_former_verbs, list_verbs
from bot.slack.manifest import EVENTS
from bot.support.declarations import Registry
from handlers import former
from handlers.requests import routes
from tests.rigs import golden
from tests.rigs.verbs import VERBS

ADDRESSES = {"open_url", "page_url", "link_url"}


def of_runs() -> set[str]:
    """Return the buttons that run the verbs for jobs."""
    return {f"job_{verb}" for verb in routes.get_verbs("job")}


def test_what_was_found():
    assert routes.list_routes() == {
        # Verbs are listed nowhere but in the catalogue of help, where each has its entry.
        **{f"command {command}": sorted(verbs) for command, verbs in VERBS.items()},
        "action": [
            *("again", "alias_back", "approve", "ask", "ask_for_more", "ask_link", "bring_back"),
            *(
                "card_form",
                "card_page",
                "class_join",
                "class_post",
                "class_press",
                "class_problems",
                "class_stop",
            ),
            *("course_change", "course_form", "course_leave", "course_room"),
            *("deny", "enter_code", "extend", "field", "force", "home", "hour_more"),
            *("hours_agree", "hours_back", "hours_form", "hours_keep", "hours_move", "hours_off", "hours_on"),
            *("hours_rest", "hours_stay", "invite", "job_again", "job_force", "job_keep_waiting"),
            *("job_let_go", "job_look_again", "job_refresh", "job_start_another", "keep_running"),
            *("keep_trying", "keep_waiting", "leave", "lesson_skip", "lesson_unskip", "look_again", "make"),
            *("mine", "more_declined", "more_done", "needed", "not_mine"),
            *("notify_back", "refresh", "run_code", "say", "settings_form", "several", "start_another"),
            *("stop_later", "stop_waiting", "try_again", "try_until", "undo", "wait", "weekly_off"),
            "weekly_on",
        ],
        "shortcut": ["run_as_job", "start_workspace"],
        "view": [
            "agree",
            "ask_link",
            "card",
            "code",
            "course",
            "decline_more",
            "hours",
            "make",
            "remove",
            "run_code",
            "settings",
            "start_workspace",
            "stop_later",
            "wait_until",
        ],
        "options": ["field", "template", "workspace"],
        "event": [
            *("app_home_opened", "app_mention", "app_uninstalled", "channel_id_changed", "message_im"),
            *("team_join", "tokens_revoked", "user_change"),
        ],
    }


def test_every_button_that_people_see_has_a_handler():
    seen = set()
    for family in golden.FAMILIES:
        for text in golden.entries(family).values():
            seen |= set(re.findall(r"^(?:- |  )(?:\[.*\]|▾ \w+) ([\w-]+)", text, re.MULTILINE))
            menus = re.findall(r"▾ overflow menu\n((?:  o .*\n?)+)", text)
            seen |= set(re.findall(r" = (?:ask )?([\w-]+)", "\n".join(menus)))
    known = {
        kit.MENU,
        *routes.action,
        *routes.get_verbs("workspace"),
        *of_runs(),
        *ADDRESSES,
        "code",
        "name",
        "username",
        "when",
        "other",
        # Fields of the form that asks where to run a command, and of the settings form.
        *("place", "command"),
        *("tell", "asking", "messages", "workspace"),
        # Fields of the form for hours.
        *("days", "from", "until"),
        # An end time, or a comment on a refusal.
        "text",
        # Fields of the forms for courses and for a class card.
        *FIELD_TYPES,
    }
    assert seen
    assert seen - known == set()
    assert {"keep_waiting", "try_again", "invite", "unlink", "open_url"} <= seen
    assert {"job_stop", "job_force", "job_logs", "job_again", "job_refresh", "job_list"} <= seen


def test_every_form_that_people_see_has_a_handler():
    forms = [golden.shown(name) for name in golden.entries("views")]
    callbacks = {form["callback_id"] for form in forms if "submit" in form}
    assert callbacks == set(routes.view) - former.FORMS.keys()


def test_every_event_of_the_manifest_has_a_handler():
    assert set(routes.event) == {name.replace(".", "_") for name in EVENTS}


def test_a_name_has_one_handler():
    table = Registry()

    @table("open")
    async def first(): ...

    async def second(): ...

    with pytest.raises(ValueError, match="open has two functions"):
        table("open")(second)
    assert table.get("open") is first


def test_no_button_has_two_meanings():
    actions = set(routes.action)
    assert not actions & set(routes.get_verbs("workspace"))
    assert not actions & of_runs()
    # A button of a former verb is handled by the verb that has replaced it.
    assert not actions & list_former_verbs("workspace").keys()


def test_every_verb_that_changes_something_says_what_it_takes():
    every = [verb for command in routes.list_commands() for verb in list_verbs(command).values()]
    assert [one.name for one in every if not one.accepts and one.effect is not Effect.SHOWS] == []
    of_runs = {("job", verb) for verb in ("run", "stop", "status", "logs")}
    assert {(one.command, one.name) for one in every if "run" in one.accepts} == of_runs

"""Shortcuts behind the door: always a modal, or words where none can be opened; what a message carries."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.domain.notices import NoticeKind
from bot.domain.people import Principal
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State
from bot.store import operations, runs
from bot.store import tasks as task_rows
from handlers.replaying import replay
from handlers.snippets import find_code
from tests.handlers.rig import words
from tests.handlers.run_rig import run_rig
from tests.handlers.slack import LittleSlack, bolt_for, interaction, little_slack, send
from tests.rigs.golden import check_golden
from tests.rigs.store import ALICE, BOB


@asynccontextmanager
async def wired(bot: Any) -> AsyncIterator[tuple[Any, LittleSlack]]:
    async with little_slack() as slack:
        yield bolt_for(bot.services, slack), slack


def shortcut(callback_id: str = "start_workspace", who: Principal = ALICE, **keys: Any) -> dict[str, Any]:
    return interaction("shortcut", who, callback_id=callback_id, action_ts="5.5") | keys


def on_message(text: str, by: str = "UBOB", **keys: Any) -> dict[str, Any]:
    message = {"type": "message", "user": by, "ts": "7.7", "text": text}
    place = {"channel": {"id": "C1", "name": "general"}, "message": message, "message_ts": "7.7"}
    return shortcut("run_as_job") | {"type": "message_action", **place} | keys


async def test_the_form_of_workspaces(bot):
    await bot.link(names=("notebook", "R&D <main>"))
    await bot.link(names=("mine",), state=State.RUNNING, connection="hub")
    async with wired(bot) as (app, slack):
        assert (await send(app, shortcut())).status == 200
    (opened,) = slack.views
    assert opened["trigger_id"] == "trigger.1"
    check_golden("views/start-workspace", opened["view"])


async def test_many_workspaces_are_searched(bot):
    await bot.link(names=tuple(f"w{number}" for number in range(101)))
    async with wired(bot) as (app, slack):
        await send(app, shortcut())
    element = slack.views[0]["view"]["blocks"][0]["element"]
    assert (element["type"], element["action_id"]) == ("external_select", "start:workspace")


async def test_the_form_of_workspaces_has_old_lists_read_again(bot):
    await bot.link()
    bot.clock.advance(3_600)
    async with wired(bot) as (app, slack):
        await send(app, shortcut())
    assert len(slack.views) == 1
    assert [task.kind for task in await bot.store.claim(task_rows.claim_tasks, 10, 60.0)] == [
        TaskKind.DISCOVER
    ]


async def test_a_place_without_a_command_opens_no_form():
    async with run_rig("slurm") as bot:
        said = await bot.press("run_code", "slurm\n", trigger_id="t1")
        assert said == await bot.press("run_code", "gone\nls", trigger_id="t1")
        assert said.view is None


@pytest.mark.parametrize(
    "payload", [shortcut("of_an_earlier_release"), shortcut() | {"user": {"id": "UALICE"}}]
)
async def test_an_unknown_shortcut_and_one_of_nobody_are_answered(bot, payload):
    async with wired(bot) as (app, slack):
        await send(app, payload)
    assert len(slack.views) == 1


async def test_a_form_of_somebody_elses_workspace_starts_nothing(bot):
    await bot.link()
    await bot.link(BOB, ("secret",), username="bob")
    theirs = await bot.workspace("secret", BOB)
    view = {
        "type": "modal",
        "id": "V1",
        "callback_id": "start_workspace",
        "blocks": [{"type": "input", "block_id": "workspace"}],
        "state": {"values": {"workspace": {"workspace": {"selected_option": {"value": theirs.id}}}}},
    }
    async with wired(bot) as (app, _):
        spoken = await send(app, interaction("view_submission", view=view))
    assert "can't find that workspace" in str(spoken.body["view"]["blocks"])
    assert (
        await bot.store.read(operations.open_operations, BOB)
        == await bot.store.read(operations.open_operations, ALICE)
        == []
    )


async def test_the_form_of_a_message():
    async with run_rig() as bot, wired(bot) as (app, slack):
        await send(app, on_message("```\nRscript train.R &amp;&amp; echo done\n```"))
        check_golden("views/run-message", slack.views[0]["view"])
        assert await bot.store.read(runs.list_runs, ALICE) == []


@pytest.mark.parametrize("text", ["ls -l", "echo " + '"' * 1900])
async def test_with_several_places_the_person_chooses_and_the_command_comes_along(text):
    async with run_rig("slurm") as bot, wired(bot) as (app, slack):
        await send(app, on_message(f"```{text}```"))
        asked = slack.views[0]["view"]
        if text == "ls -l":
            check_golden("views/run-message-where", asked)
        chosen = {"selected_option": {"value": "slurm"}}
        state = {"place": {"place": chosen}, "command": {"command": {"value": text}}}
        sent = asked | {"id": "V1", "state": {"values": state}}
        answer = await send(app, interaction("view_submission", view=sent))
        assert answer.body["response_action"] == "update"
        shown = [one["element"] for one in answer.body["view"]["blocks"] if "element" in one]
        assert text in [element.get("initial_value") for element in shown]
        assert "<@UBOB>" in str(answer.body["view"]["blocks"])
        assert await bot.store.read(runs.list_runs, ALICE) == []


async def test_a_command_that_no_form_can_show_whole_is_refused_before_the_choice():
    async with run_rig("slurm") as bot, wired(bot) as (app, slack):
        await send(app, on_message(f"```{'x' * 3001}```"))
        assert "That command has 3001 characters" in str(slack.views[0]["view"])


async def test_an_offer_that_was_never_read_is_waited_for_and_nothing_runs():
    async with run_rig(offer=None) as bot, wired(bot) as (app, slack):
        await send(app, on_message("```ls```"))
        loading = slack.views[0]["view"]
        assert loading["external_id"]
        tasks = await bot.store.claim(task_rows.claim_tasks, 5, 60.0)
        (waiting,) = tasks[0].payload["then"]
        assert waiting["view"] == loading["external_id"]
        await replay(bot.services, ALICE, waiting | {"task": "t1", "problem": "unreachable"})
        (told,) = await bot.notices(NoticeKind.REPLY)
        assert told.body["external_id"] == loading["external_id"]
        assert told.body["text"].startswith("Posit Workbench hasn't told me what it offers.")
        assert await bot.store.read(runs.list_runs, ALICE) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("```ls```", "ls"),
        ("```\n  a\n  b\n```", "a\n  b"),
        ("a ```one``` b ```two```", "one\ntwo"),
        ("`ls -l`", "ls -l"),
        ("`a` `b`", ""),
        ("```unclosed", ""),
        ("", ""),
        (
            "```a &lt; b &amp;amp; <https://x.example.org|x.example.org>```",
            "a < b &amp; https://x.example.org",
        ),
    ],
)
def test_what_a_message_has_for_a_command(text, code):
    assert find_code({"text": text}) == code


@pytest.mark.parametrize("message", [{}, {"text": None}, {"text": ["```a```"]}])
def test_an_odd_message_has_none(message):
    assert find_code(message) in ("", "a")


async def test_where_nothing_runs_commands_it_says_so(bot):
    async with wired(bot) as (app, slack):
        await send(app, on_message("```ls```"))
    assert "No connection here runs commands." in str(slack.views[0]["view"])


@pytest.mark.parametrize(("count", "search"), [(10, []), (11, ["status:workspace"])])
async def test_the_list_begins_with_its_buttons(bot, count, search):
    """Where people can't see them all at once, it has a search."""
    await bot.link(names=tuple(f"notebook {number}" for number in range(count)))
    for typed in ("", "list"):
        answer = await bot.say(typed)
        menu = answer.blocks[1]["elements"]
        assert [one["action_id"] for one in menu] == [*search, "make", "list:refresh"]
    assert "status:workspace" not in str((await bot.say("list --share")).blocks)

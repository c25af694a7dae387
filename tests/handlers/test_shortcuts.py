"""Global shortcuts, which open a modal (or, if that fails, answer in text), and the message shortcut."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.domain.notices import NoticeKind
from bot.domain.people import Principal
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State
from bot.store import accounts, operations
from bot.store import tasks as task_rows
from handlers.replaying import replay
from tests.handlers.rig import activate, invited
from tests.handlers.slack import LittleSlack, bolt_for, interaction, little_slack, send
from tests.rigs.golden import check_golden
from tests.rigs.store import ALICE, BOB


@asynccontextmanager
async def wired(bot: Any) -> AsyncIterator[tuple[Any, LittleSlack]]:
    async with little_slack() as slack:
        yield bolt_for(bot.services, slack), slack


def shortcut(callback_id: str = "start_workspace", who: Principal = ALICE, **keys: Any) -> dict[str, Any]:
    return interaction("shortcut", who, callback_id=callback_id, action_ts="5.5") | keys


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


async def test_window_that_waits_for_a_list_shows_it(bot):
    await activate(bot.store, ALICE, "saturn", "alice")
    async with wired(bot) as (app, slack):
        await send(app, shortcut())
    (opened,) = slack.views
    assert "Checking Saturn Cloud…" in str(opened["view"]["blocks"])
    (task,) = await bot.store.claim(task_rows.claim_tasks, 10, 60.0)
    await bot.link()
    await replay(bot.services, ALICE, task.payload["then"][0] | {"task": task.id})
    (reply,) = await bot.notices()
    assert (reply.kind, reply.body["external_id"]) == (NoticeKind.REPLY, opened["view"]["external_id"])
    assert "notebook" in str(reply.body["view"]["blocks"])
    assert reply.body["view"]["title"] == opened["view"]["title"]


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


async def test_form_saved_for_a_refused_link_offers_one_each_time_and_becomes_the_answer(bot):
    linked = await bot.link()
    await bot.store.write(accounts.refuse, linked.account, None)
    chosen = (await bot.workspace()).id
    state = {"values": {"workspace": {"workspace": {"selected_option": {"value": chosen}}}}}
    blocks = [{"type": "input", "block_id": "workspace"}]
    view = {"type": "modal", "id": "V1", "hash": "1.a", "callback_id": "start_workspace", "blocks": blocks}
    async with wired(bot) as (app, _):
        body = interaction("view_submission", view=view | {"state": state})
        shown = [(await send(app, body)).body["view"] for _ in range(2)]
    assert ["/link/" in str(one) for one in shown] == [True, True]
    (waiting,) = [command for _, _, command in await invited(bot) if command is not None]
    assert waiting["view_external_id"] == shown[1]["external_id"]


@pytest.mark.parametrize(("count", "search"), [(10, []), (11, ["status:workspace"])])
async def test_the_list_begins_with_its_buttons(bot, count, search):
    """If there are too many to see at once, the list has a search."""
    await bot.link(names=tuple(f"notebook {number}" for number in range(count)))
    for typed in ("", "list"):
        answer = await bot.say(typed)
        menu = answer.blocks[1]["elements"]
        assert [one["action_id"] for one in menu] == [*search, "make", "list:refresh"]


async def test_shortcut_beyond_the_limit_always_says_so(bot):
    async with wired(bot) as (app, slack):
        while bot.services.limiter.take(ALICE.key) == 0:
            pass
        for _ in range(2):
            await send(app, shortcut())
    assert ["too quickly" in str(opened["view"]) for opened in slack.views] == [True, True]

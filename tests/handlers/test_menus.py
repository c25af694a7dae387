"""An option chosen in a menu reaches the handler of its button, which asks the same questions."""

from typing import Any

import pytest
import pytest_asyncio

from bot.domain.notices import NoticeKind
from bot.domain.observations import Observed
from bot.domain.operations import OperationVerb
from bot.domain.stops import Consent
from bot.domain.workspaces import State
from bot.messages.blocks import buttons as drawn
from bot.messages.blocks import kit
from bot.store import accounts, operations
from tests.handlers.rig import words
from tests.handlers.slack import LittleSlack, bolt_for, click, interaction, send
from tests.rigs.golden import check_golden
from tests.rigs.store import ALICE, BOB, observe


@pytest_asyncio.fixture
async def running(bot):
    await bot.link()
    busy = Observed(State.RUNNING, stop_risks=frozenset({"busy"}))
    await observe(bot.store, bot.clock, await bot.workspace(), busy)
    return await bot.workspace()


def chosen(value: str, who=ALICE, **keys: Any) -> dict[str, Any]:
    """Return the payload that Slack sends when a menu's option is chosen."""
    option = {"text": {"type": "plain_text", "text": "x", "emoji": False}, "value": value}
    menu = {"type": "overflow", "action_id": kit.MENU, "block_id": "b", "action_ts": "1.1"}
    return click("", who=who, actions=[menu | {"selected_option": option}], **keys)


def at_home(payload: dict[str, Any]) -> dict[str, Any]:
    for key in ("message", "channel", "response_url"):
        del payload[key]
    view = {"id": "V1", "type": "home", "hash": "h"}
    return payload | {"container": {"type": "view", "view_id": "V1"}, "view": view}


def sent(view: dict[str, Any], who=ALICE) -> dict[str, Any]:
    return interaction("view_submission", who) | {"view": view | {"id": "V2", "state": {"values": {}}}}


async def verbs(bot):
    return [one.verb for one in await bot.store.read(operations.open_operations, ALICE)]


@pytest.mark.parametrize("place", [lambda payload: payload, at_home], ids=["message", "home"])
async def test_an_option_that_ends_something_asks_in_a_form_and_does_it_once_agreed(bot, running, place):
    slack = LittleSlack()
    app = bolt_for(bot.services, slack)
    assert (await send(app, place(chosen(f"ask {drawn.make_change('stop', running).text}")))).status == 200
    assert await verbs(bot) == []
    assert await bot.notices(NoticeKind.REPLY) == []
    (opened,) = slack.views
    check_golden("views/agree", {key: opened["view"][key] for key in opened["view"] if key != "external_id"})
    assert (await send(app, sent(opened["view"]))).body == {"response_action": "clear"}
    assert await verbs(bot) == [OperationVerb.STOP]
    # Submitting the same form again counts as the same press.
    await send(app, sent(opened["view"]))
    assert await verbs(bot) == [OperationVerb.STOP]


async def test_where_no_form_opens_the_question_is_a_message(bot, running):
    app = bolt_for(bot.services, LittleSlack(opens=False))
    await send(app, chosen(f"ask {drawn.make_change('stop', running).text}"))
    (told,) = await bot.notices(NoticeKind.REPLY)
    (agrees,) = kit.iterate_buttons(told.body["blocks"])
    assert "everything running in it" in str(told.body["blocks"])
    await bot.press(agrees["action_id"], agrees["value"])
    assert await verbs(bot) == [OperationVerb.STOP]


async def test_an_option_without_a_question_is_pressed_like_its_button(bot, running):
    app = bolt_for(bot.services, LittleSlack())
    await send(app, chosen(f"status {running.id}"))
    (told,) = await bot.notices(NoticeKind.REPLY)
    assert "notebook" in told.body["text"]
    assert (await send(app, chosen("page_url"))).status == 200
    assert await bot.notices(NoticeKind.REPLY) == []


async def test_the_question_is_for_the_owner_and_about_how_it_is_now(bot, running):
    old = drawn.make_change("stop", running).text
    assert "can't find" in words(await bot.press("ask", old, BOB))
    for state in (State.STOPPED, State.RUNNING):
        bot.clock.advance(60)
        await bot.sees(state)
    answer = await bot.press("ask", old)
    assert "so I did nothing" in words(answer)
    assert answer.view is None
    assert await verbs(bot) == []


@pytest.mark.parametrize("verb", ["stop", "suspend"])
async def test_what_has_nothing_to_be_asked_any_more_is_done(bot, running, verb):
    await observe(bot.store, bot.clock, running, Observed(State.RUNNING, stop_risks=frozenset()))
    await bot.press("ask", drawn.make_change(verb, running, agreed=Consent.GIVEN).text)
    assert await verbs(bot) == [OperationVerb(verb)]


async def test_unlinking_from_a_menu_asks_like_its_button(bot, running):
    asked = await bot.press("ask", "unlink:yes saturn")
    assert "delete my access" in words(asked)
    assert [one.connection for one in await bot.store.read(accounts.list_accounts, ALICE)] == ["saturn"]
    await bot.push(asked)
    assert await bot.store.read(accounts.list_accounts, ALICE) == []

"""Listeners: one per kind of payload. The work comes first, then the ack, and refusals are explained."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.domain.notices import NewNotice, NoticeKind
from bot.messages.blocks.limits import MAX_OPTION_LENGTH
from bot.messages.texts import answers
from bot.store import accounts, operations, workspaces
from bot.store import notices as notice_rows
from bot.support.errors import SlackPermanent, StoreBusy, StoreUnsure
from handlers.listeners import register
from tests.handlers.idle import Idle
from tests.handlers.rig import COLLEAGUE, PAGE, STRANGER, Rig, wait_for_code
from tests.handlers.slack import (
    AppResponse,
    LittleSlack,
    bolt_for,
    click,
    command,
    interaction,
    little_slack,
    paced,
    send,
    submission,
)
from tests.rigs.functions import replace_function
from tests.rigs.golden import check_golden
from tests.rigs.store import ALICE


@dataclass
class Wired:
    bot: Rig
    app: AsyncApp
    slack: LittleSlack

    async def send(self, payload: dict[str, Any]) -> AppResponse:
        return await send(self.app, payload)

    async def reply(self) -> dict[str, Any]:
        (notice,) = await self.bot.notices(NoticeKind.REPLY)
        return notice.body


@pytest.fixture
async def wired(bot) -> AsyncIterator[Wired]:
    async with little_slack() as slack:
        yield Wired(bot, bolt_for(bot.services, slack), slack)


class Watched(AsyncAck):
    """An acknowledgement that notes how many notices and operations existed when it was made."""

    def __init__(self, bot: Rig) -> None:
        super().__init__()
        self.bot = bot
        self.seen: list[tuple[int, int]] = []

    async def __call__(self, *given: Any, **named: Any) -> BoltResponse:
        notices = await self.bot.notices(NoticeKind.REPLY)
        self.seen.append((len(await self.bot.store.read(operations.open_operations, ALICE)), len(notices)))
        return await super().__call__(*given, **named)


async def test_the_ack_comes_last_when_all_is_written(bot):
    await bot.link(names=("notebook", "trainer"))
    app, row = bolt_for(bot.services, LittleSlack()), await bot.workspace("trainer")
    typed, pressed = Watched(bot), Watched(bot)
    for ack, payload in ((typed, command("start notebook")), (pressed, click("start", row.id))):
        await app.async_dispatch(AsyncBoltRequest(body=payload, mode="socket_mode", context={"ack": ack}))
    assert typed.seen == [(1, 0)]
    assert pressed.seen == [(2, 1)]


def test_an_app_that_acknowledges_before_the_work_is_refused(bot):
    with pytest.raises(ValueError, match="process_before_response"):
        register(
            AsyncApp(token="xoxb-made-up", signing_secret="x"),
            bot.services,
            paced(bot.services, LittleSlack()),
        )


# -- commands -----------------------------------------------------------------------------------------------


async def test_a_command_of_nobody_is_refused_with_words(wired):
    spoken = await wired.send(command("list", user_id=None))
    assert "Slack didn't tell me who you are" in spoken.body["text"]


async def test_an_unknown_command_is_answered(wired):
    assert (await wired.send(command("list", command="/other"))).body["text"]


async def test_whoever_asks_is_told_when_nobody_carries_it_out(bot):
    await bot.link()
    row = await bot.workspace()
    async with little_slack() as slack:
        app = bolt_for(replace(bot.services, context=replace(bot.services.context, owners=Idle())), slack)
        typed = await send(app, command("start notebook"))
        pressed = click("stop", row.id) | {"response_url": f"{slack.url}respond"}
        assert (await send(app, pressed)).body == ""
        never = {"when": {"when": {"type": "static_select", "selected_option": {"value": "never"}}}}
        planned = submission("", callback_id="stop_later")
        planned["view"] |= {"state": {"values": never}, "private_metadata": row.id}
        sent = await send(app, planned)
        assert answers.NO_WORKER in json.dumps(sent.body["view"]["blocks"])
        said = [json.dumps(one["blocks"]) for one in (typed.body, slack.responses[0])]
    assert "Starting *notebook*" in said[0]
    assert all(answers.NO_WORKER in text for text in said)
    # The operation waits, as does the answer to the submitted form.
    assert len(await bot.store.read(operations.open_operations, ALICE)) == 1
    assert (await bot.notices(NoticeKind.REPLY))[0].body["text"].startswith("Cancelling")


# -- buttons ------------------------------------------------------------------------------------------------


async def test_a_buttons_ack_is_empty_and_its_answer_a_reply_in_the_outbox(wired):
    await wired.bot.link()
    row = await wired.bot.workspace()
    wired.bot.wakes.clear()
    spoken = await wired.send(click("start", row.id))
    assert (spoken.status, spoken.body) == (200, "")
    body = await wired.reply()
    assert body["text"].startswith("Starting notebook")
    assert (body["response_url"], body["channel_id"]) == ("https://hooks.example.org/1", "C1")
    assert (body["replaces"], body["where"]) == (False, "channel")
    assert len(wired.bot.wakes) >= 2


@pytest.mark.parametrize("action_id", ["open_url", "page_url", "link_url"])
async def test_a_button_that_holds_an_address_only_needs_its_ack(wired, action_id):
    assert (await wired.send(click(action_id, "x"))).status == 200
    assert await wired.bot.notices() == []


async def test_open_is_noted_as_use_by_its_owner_alone(wired):
    mine, *_ = (await wired.bot.link()).workspaces
    theirs, *_ = (await wired.bot.link(COLLEAGUE, username="bob")).workspaces
    for row in (mine, theirs):
        assert (await wired.send(click("open_url", row.id))).status == 200
    used = [
        (await wired.bot.store.read(workspaces.find_workspace, row.id)).last_request_at
        for row in (mine, theirs)
    ]
    assert used == [wired.bot.clock.now(), None]


async def test_a_form_that_takes_too_long_does_not_hold_up_the_ack(wired):
    wired.slack.slow = asyncio.Event()
    impatient = bolt_for(wired.bot.services, wired.slack, view_seconds=0.05)
    spoken = await send(impatient, click("enter_code"))
    wired.slack.slow.set()
    assert spoken.status == 200
    assert "Press Enter code" in (await wired.reply())["text"]


async def test_a_click_of_nobody_is_answered_straight_away(wired):
    payload = click("start", "x") | {"user": {"id": "UALICE"}, "response_url": f"{wired.slack.url}respond"}
    assert (await wired.send(payload)).status == 200
    (said,) = wired.slack.responses
    assert "Slack didn't tell me who you are" in said["text"]
    assert said["response_type"] == "ephemeral"
    without = click("start", "x") | {"user": {}, "response_url": None}
    assert (await wired.send(without)).status == 200


async def test_when_even_the_reply_can_not_be_written_it_is_said_straight_away(wired, monkeypatch):
    # Whatever proxy the environment names, the session decides what goes through it.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    wired.bot.store.fails[notice_rows.add_notices] = StoreBusy("2 s")
    await wired.bot.link()
    await wired.send(click("list:refresh", "1") | {"response_url": f"{wired.slack.url}respond"})
    assert wired.slack.responses[0]["blocks"]
    away = click("list:refresh", "1") | {"response_url": "http://127.0.0.1:9/nobody"}
    assert (await wired.send(away)).status == 200


async def test_page_that_slack_refuses_opens_as_text(wired):
    """The page's link is shown nowhere else, so it must open. A form is replaced by text in the channel."""
    await wired.bot.link()
    wired.slack.refused_views = ["invalid_arguments"]
    await wired.send(interaction("shortcut", callback_id="gone"))
    (page,) = wired.slack.views
    assert {one["type"] for one in page["view"]["blocks"]} == {"section"}


USED = (404, '{"ok": false, "error": "used_url"}')


@pytest.mark.parametrize(
    ("answer", "refused", "methods"),
    [
        (USED, [], ["chat.postEphemeral"]),
        (USED, ["chat.postEphemeral"], ["chat.postMessage"]),
        ((400, '{"ok": false, "error": "invalid_blocks"}'), [], ["chat.postEphemeral"]),
        ((500, "rollup_error"), [], []),
    ],
    ids=["used up", "used up, channel closed", "blocks refused", "unknown outcome"],
)
async def test_answer_beside_the_outbox_goes_another_way(wired, answer, refused, methods):
    wired.bot.store.fails[notice_rows.add_notices] = StoreBusy("2 s")
    await wired.bot.link()
    wired.slack.answer = answer
    wired.slack.refusals = {one: SlackPermanent(one, "not_in_channel") for one in refused}
    await wired.send(click("list:refresh", "1") | {"response_url": f"{wired.slack.url}respond"})
    assert [method for method, _ in wired.slack.posts] == methods
    # The message is sent as rendered, then as plain text. If its outcome is unknown, it isn't repeated.
    assert [bool(one.get("blocks")) for one in wired.slack.responses] == [True, False][: 1 + bool(methods)]
    assert all("Your workspaces" in message["text"] for _, message in wired.slack.posts)


@pytest.mark.parametrize("goes_through", [True, False])
async def test_a_reply_that_may_be_written_already_is_said_once(wired, goes_through):
    await wired.bot.link()
    at_all, errors = (
        partial(wired.bot.store._store.write, notice_rows.add_notices),
        [StoreUnsure("long"), StoreBusy("no connection")],
    )

    async def add_notices(notices):
        error = errors.pop(0) if errors else None
        if error is None or (isinstance(error, StoreUnsure) and goes_through):
            await at_all(notices)
        if error is not None:
            raise error

    replace_function(wired.bot.store, notice_rows.add_notices, add_notices)
    await wired.send(click("list:refresh", "1") | {"response_url": f"{wired.slack.url}respond"})
    assert await wired.bot.services.outcome_pool.drain(60.0) == 0
    assert errors == []
    assert wired.slack.responses == []
    assert len(await wired.bot.notices(NoticeKind.REPLY)) == 1


@pytest.mark.parametrize(
    ("channel", "is_ephemeral", "where"),
    [("D1", True, "direct"), ("D2", True, "channel"), ("D2", False, "direct")],
)
async def test_what_one_person_sees_is_in_their_direct_message_where_that_is_known(
    wired, channel, is_ephemeral, where
):
    await wired.bot.link()
    await wired.bot.store.write(notice_rows.add_notices, [NewNotice("1", NoticeKind.MESSAGE, "1", ALICE)])
    (notice,) = await wired.bot.notices()
    await wired.bot.store.write(notice_rows.mark_notice_sent, notice, "D1", "1.1")
    pressed = click("status", (await wired.bot.workspace()).id)
    pressed["container"] |= {"channel_id": channel, "is_ephemeral": is_ephemeral}
    await wired.send(pressed | {"channel": {"id": channel, "name": "directmessage"}})
    assert (await wired.reply())["where"] == where


async def test_link_in_a_channel_answers_its_presser_alone(wired):
    await wired.send(click("invite", "saturn start notebook"))
    body = await wired.reply()
    assert PAGE in str(body["blocks"])
    assert PAGE not in body["text"]


# -- forms and searches -------------------------------------------------------------------------------------


async def test_the_right_code_links_the_account(wired):
    await wait_for_code(wired.bot, "BCDF2345")
    spoken = await wired.send(submission("bcdf-2345"))
    assert spoken.body["response_action"] == "update"
    check_golden("views/linked", spoken.body["view"])
    assert [one.username for one in await wired.bot.store.read(accounts.list_accounts, ALICE)] == ["alice"]


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (submission("BCDF2345", STRANGER), "people in Slack workspaces"),
        (submission("BCDF2345") | {"user": {"id": "UALICE"}}, "Slack didn't tell me who you are"),
    ],
)
async def test_a_form_of_the_wrong_person_is_refused(wired, payload, said):
    await wait_for_code(wired.bot, "BCDF2345")
    spoken = await wired.send(payload)
    assert said in spoken.body["errors"]["code"]
    assert await wired.bot.store.read(accounts.list_accounts, STRANGER) == []
    assert await wired.bot.store.read(accounts.list_accounts, ALICE) == []


async def test_a_form_of_an_earlier_release_is_answered(wired):
    spoken = await wired.send(submission("x", callback_id="launch"))
    assert spoken.body["response_action"] == "update"
    assert "This form is out of date." in json.dumps(spoken.body["view"]["blocks"])


async def search(wired, value, who=ALICE, action_id="start:workspace", **keys):
    payload = interaction("block_suggestion", who) | {"action_id": action_id, "value": value, "block_id": "b"}
    return (await wired.send(payload | keys)).body["options"]


async def test_a_search_completes_ones_own_names(wired):
    await wired.bot.link(names=("notebook", "trainer"))
    assert [one["text"]["text"] for one in await search(wired, "train")] == ["trainer"]
    assert len(await search(wired, "")) == 2
    assert [one["text"]["text"] for one in await search(wired, "notbok")] == ["notebook"]
    assert await search(wired, "", COLLEAGUE) == []
    assert await search(wired, "", STRANGER) == []
    assert await search(wired, "", action_id="start:rockets") == []
    assert await search(wired, "", user={"id": "UALICE"}) == []


async def test_long_names_fit_into_a_search(wired):
    await wired.bot.link(names=("<!channel>" + "x" * 300,))
    (option,) = await search(wired, "")
    assert len(option["text"]["text"]) <= MAX_OPTION_LENGTH
    assert "<" not in option["text"]["text"]


async def test_an_external_clicker_is_told_and_nothing_is_done(wired):
    await wired.bot.link()
    row = await wired.bot.workspace()
    await wired.send(click("stop", row.id, STRANGER))
    assert "people in Slack workspaces" in (await wired.reply())["text"]
    assert await wired.bot.store.read(operations.find_latest_operation, row.id) is None

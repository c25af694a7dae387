"""Answers that must fit into a small acknowledgement, as over Socket Mode: nothing in them is lost."""

from dataclasses import replace

import pytest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.domain.notices import Answer, NoticeKind
from bot.messages.texts import answers
from bot.slack.bolt_context import MAX_BODY_BYTES
from bot.store import notices
from bot.support.errors import StoreBusy
from bot.web.socket import write_frame
from handlers.requests.response_targets import can_acknowledge_with, make_form_body, make_options_body
from tests.handlers.idle import Idle
from tests.handlers.rig import wait_for_code
from tests.handlers.slack import LittleSlack, bolt_for, command, send, submission
from tests.rigs.functions import replace_function

ROOM = 700


def option(number, text="é"):
    return {"text": {"type": "plain_text", "text": text * 10}, "value": str(number)}


def test_fits_counts_bytes_as_they_are_written():
    body = {"text": "é🚀"}
    assert can_acknowledge_with(body, {})
    # Two bytes for the letter, four for the emoji, and the rest for the JSON around them.
    assert can_acknowledge_with(body, {MAX_BODY_BYTES: 18})
    assert not can_acknowledge_with(body, {MAX_BODY_BYTES: 17})


@pytest.mark.parametrize("letter", ["я", "中", "é", "🚀", "\ud83d", '"', "\n", "x"])
def test_fits_counts_what_the_socket_writes(letter):
    """The size computed in advance is that of the frame that is sent."""
    body = {"options": [option(number, letter) for number in range(90)]}
    around = len(write_frame(SocketModeResponse("e-1", payload={}))) - 2
    size = len(write_frame(SocketModeResponse("e-1", payload=body))) - around
    assert can_acknowledge_with(body, {MAX_BODY_BYTES: size})
    assert not can_acknowledge_with(body, {MAX_BODY_BYTES: size - 1})


def test_options_that_fit_stay_a_plain_list():
    assert make_options_body([option(1)], {MAX_BODY_BYTES: ROOM}) == {"options": [option(1)]}
    assert make_options_body([option(number) for number in range(100)], {})["options"][99]["value"] == "99"


@pytest.mark.parametrize("room", [300, 1000, 5000])
def test_options_that_do_not_fit_say_so(room):
    whole = [option(number) for number in range(100)]
    body = make_options_body(whole, {MAX_BODY_BYTES: room})
    (group,) = body["option_groups"]
    assert group["label"]["text"] == answers.MORE_OPTIONS
    assert group["options"] == whole[: len(group["options"])]
    assert can_acknowledge_with(body, {MAX_BODY_BYTES: room})
    # One more option wouldn't fit.
    group["options"].append(whole[len(group["options"])])
    assert not can_acknowledge_with(body, {MAX_BODY_BYTES: room})


def test_form_errors_that_do_not_fit_are_cut():
    context = {MAX_BODY_BYTES: 20_000}
    errors = {f"field{number}": "🚀" * 300 for number in range(20)}
    body = make_form_body(Answer(text="", errors=errors), context)
    assert can_acknowledge_with(body, context)
    assert list(body["errors"]) == list(errors)
    assert len(make_form_body(Answer(text="", errors=errors))["errors"]["field1"]) == 300


def test_form_with_errors_of_very_many_fields_names_the_first():
    errors = {f"field{number}": "é" * 100 for number in range(100)}
    body = make_form_body(Answer(text="", errors=errors), {MAX_BODY_BYTES: 5000})
    assert can_acknowledge_with(body, {MAX_BODY_BYTES: 5000})
    assert [*body["errors"]][:2] == ["field0", "field1"]


async def test_command_answer_that_does_not_fit_becomes_a_reply(bot):
    await bot.link()
    app = bolt_for(bot.services, LittleSlack())
    whole = (await send(app, command("help"))).body
    assert whole["blocks"]
    assert await bot.notices(NoticeKind.REPLY) == []
    assert (await send(app, command("help", trigger_id="2"), ROOM)).body == ""
    (notice,) = await bot.notices(NoticeKind.REPLY)
    assert notice.body["blocks"] == whole["blocks"]
    assert whole["text"].startswith(notice.body["text"])
    assert notice.body["response_url"] == "https://hooks.example.org/1"


async def test_command_answer_without_an_outbox_is_cut(bot):
    await bot.link()

    async def add_notices(_notices):
        raise StoreBusy("no connection")

    app = bolt_for(bot.services, LittleSlack())
    whole = (await send(app, command("help"))).body
    replace_function(bot.store, notices.add_notices, add_notices)
    assert (await send(app, command("help", trigger_id="2"), ROOM)).body["text"][:50] == whole["text"][:50]


async def test_command_answer_without_a_worker_says_so(bot):
    await bot.link()
    idle = replace(bot.services, context=replace(bot.services.context, owners=Idle()))
    said = await send(bolt_for(idle, LittleSlack()), command("help"), ROOM)
    assert answers.NO_WORKER in said.body["blocks"][0]["text"]["text"]
    assert len(await bot.notices(NoticeKind.REPLY)) == 1


async def test_form_page_that_does_not_fit_follows(bot):
    await wait_for_code(bot, "BCDF2345")
    sent = submission("BCDF2345")
    said = await send(bolt_for(bot.services, LittleSlack()), sent, 300)
    assert answers.COMING in str(said.body["view"])
    # The page isn't sent before Slack has had time to show the one that it replaces.
    assert await bot.notices(NoticeKind.REPLY) == []
    bot.clock.advance(1)
    (notice,) = await bot.notices(NoticeKind.REPLY)
    assert notice.body["view_id"] == sent["view"]["id"]
    assert "alice" in str(notice.body["view"])

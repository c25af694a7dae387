"""Tests of smaller rules of the local Slack: encodings, content types, threads, response_urls, inputs."""

import json

import pytest
from aiohttp import web

from playground.slack import inputs
from tests.playground.slack_help import (
    CHEN,
    GENERAL,
    OLIVIA,
    QUIET,
    actions,
    button,
    recorded,
    refusal,
    section,
    slack,
)


@pytest.mark.parametrize(
    ("typed", "passed_on"),
    [
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("see https://x.example/a?b=1&c=2.", "see <https://x.example/a?b=1&amp;c=2>."),
        ("<https://x.example>", "&lt;<https://x.example>&gt;"),
        ("@usher and @nobody in #general", "<@U0USHER> and @nobody in <#C0GENERAL|general>"),
        ("<@U0USHER> <!channel>", "<@U0USHER> &lt;!channel&gt;"),
        ("mail me at olivia@chen", "mail me at olivia@chen"),
    ],
)
async def test_what_people_type_is_passed_on_in_slacks_encoding(server, typed, passed_on):
    await server.say(OLIVIA, GENERAL, typed)
    assert server.seen(OLIVIA, GENERAL)[0]["text"] == passed_on


async def test_a_command_may_ask_for_encoded_names():
    seed = {"app": {"commands": {"/workspace": {"should_escape": True}, "/job": {}}}}
    async with slack(seed=seed) as (server, _client), recorded(server) as app:
        await server.say(OLIVIA, GENERAL, "/workspace share @chen #general")
        await server.say(OLIVIA, GENERAL, "/job run @chen")
        texts = [payload["text"] for payload in app.seen]
        assert texts == ["share <@U0CHEN|chen> <#C0GENERAL|general>", "run @chen"]


JSON = "application/json"


@pytest.mark.parametrize(
    ("content_type", "body", "error"),
    [
        (JSON, b"{", "invalid_json"),
        (JSON, b"[]", "json_not_object"),
        ("image/png", b"x", "invalid_post_type"),
        (JSON, b'{"channel": ["C0GENERAL"], "text": "x"}', "invalid_arguments"),
        (JSON, b'{"channel": "C0GENERAL", "blocks": "["}', "invalid_blocks_format"),
        (JSON, b'{"channel": "C0GENERAL", "blocks": {}}', "invalid_blocks_format"),
    ],
)
async def test_bodies_that_cannot_be_read(server, client, session, content_type, body, error):
    headers = {"Content-Type": content_type, "Authorization": f"Bearer {client.token}"}
    url = f"{server.state.base_url}/api/chat.postMessage"
    async with session.post(url, data=body, headers=headers) as response:
        assert (await response.json())["error"] == error


async def test_json_without_a_charset_works_with_a_warning(server, client, session):
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {client.token}"}
    told = json.dumps({"channel": GENERAL, "text": "x"})
    url = f"{server.state.base_url}/api/chat.postMessage"
    async with session.post(url, data=told, headers=headers) as response:
        answer = await response.json()
        assert (answer["ok"], answer["warning"]) == (True, "missing_charset")
        assert response.headers["X-Accepted-OAuth-Scopes"] == "chat:write"
        assert "Date" in response.headers


async def test_blocks_may_come_as_text_in_a_form(server, client):
    told = {"channel": GENERAL, "text": "x", "blocks": json.dumps([section()])}
    await client.api_call("chat.postMessage", data=told)
    assert server.state.messages[GENERAL][0].blocks[0]["type"] == "section"


async def test_threads_are_read_apart_from_the_history():
    async with slack(seed={"app": {"scopes": ["chat:write", "channels:history"]}}) as (_server, client):
        parent = await client.chat_postMessage(channel=GENERAL, text="card")
        await client.chat_postMessage(channel=GENERAL, text="detail", thread_ts=parent["ts"])
        await client.chat_postMessage(
            channel=GENERAL, text="all", thread_ts=parent["ts"], reply_broadcast=True
        )
        history = await client.conversations_history(channel=GENERAL)
        assert [m["text"] for m in history["messages"]] == ["all", "card"]
        thread = await client.conversations_replies(channel=GENERAL, ts=parent["ts"])
        assert [m["text"] for m in thread["messages"]] == ["card", "detail", "all"]
        told = await refusal(client.conversations_replies(channel=GENERAL, ts="1.0"))
        assert told["error"] == "thread_not_found"
        assert (await refusal(client.conversations_history(channel=QUIET)))["error"] == "not_in_channel"
        bad = await refusal(client.conversations_history(channel=GENERAL, cursor="nonsense"))
        assert bad["error"] == "invalid_cursor"


async def test_lists_of_conversations_and_the_bot_itself(client):
    found = await client.conversations_list(types="public_channel,im", limit=2)
    assert [one["id"] for one in found["channels"]] == ["C0GENERAL", "C0SCIENCE"]
    assert found["response_metadata"]["next_cursor"]
    assert (await refusal(client.conversations_list(types="parrots")))["error"] == "invalid_types"
    assert (await client.bots_info(bot="B0USHER"))["bot"]["user_id"] == "U0USHER"
    assert (await refusal(client.bots_info(bot="B0")))["error"] == "bot_not_found"
    assert (await client.api_test(foo="bar"))["args"] == {"foo": "bar"}
    assert (await refusal(client.api_test(error="my_error")))["error"] == "my_error"


async def test_conversations_open_resumes_and_refuses(client):
    first = await client.conversations_open(users=[OLIVIA])
    again = await client.conversations_open(channel=first["channel"]["id"], return_im=True)
    assert (again["already_open"], again["channel"]["user"]) == (True, OLIVIA)
    assert (await refusal(client.conversations_open(users="")))["error"] == "users_list_not_supplied"
    assert (await refusal(client.conversations_open(users="U0USHER")))["error"] == "cannot_dm_bot"
    several = await refusal(client.conversations_open(users=[OLIVIA, CHEN]))
    assert (several["error"], several["needed"]) == ("missing_scope", "mpim:write")
    wrong = await refusal(client.conversations_open(channel=GENERAL))
    assert wrong["error"] == "method_not_supported_for_channel_type"


@pytest.mark.parametrize(
    ("told", "status", "error"),
    [
        ({"blocks": [{"type": "nothing"}]}, 400, "invalid_blocks"),
        ({"text": ""}, 400, "no_text"),
        ([], 400, "invalid_payload"),
    ],
)
async def test_a_response_url_refuses_what_is_no_message(server, app, session, told, status, error):
    await server.say(OLIVIA, GENERAL, "/workspace")
    async with session.post(app.seen[0]["response_url"], json=told) as response:
        assert (response.status, (await response.json())["error"]) == (status, error)
    async with session.post(f"{server.state.base_url}/commands/T/1/none", json={"text": "x"}) as response:
        assert response.status == 404
    assert server.harness.violations[0]["rule"] == f"response_url_{error}"


@pytest.mark.parametrize(
    ("closed", "told", "status", "error"),
    [
        ({"is_archived": True}, {"text": "x"}, 410, "channel_is_archived"),
        (
            {"restricts": "read_only_channel"},
            {"text": "x", "response_type": "in_channel"},
            403,
            "action_prohibited",
        ),
        ({"restricts": "read_only_channel"}, {"text": "x"}, 200, None),
    ],
    ids=["archived", "restricted for all", "restricted alone"],
)
async def test_response_url_obeys_its_channel(server, app, session, closed, told, status, error):
    """If a channel doesn't accept a message, this isn't counted as the app's mistake."""
    await server.say(OLIVIA, GENERAL, "/workspace")
    for name, value in closed.items():
        setattr(server.state.channels[GENERAL], name, value)
    async with session.post(app.seen[0]["response_url"], json=told) as response:
        assert response.status == status
        assert error is None or (await response.json())["error"] == error
    assert server.harness.violations == []


async def test_the_response_url_of_a_command_replaces_nothing(server, app, session):
    app.answer = lambda _p: web.Response(text="One moment")
    await server.say(OLIVIA, GENERAL, "/workspace")
    await session.post(app.seen[0]["response_url"], json={"text": "Done", "replace_original": True})
    await session.post(app.seen[0]["response_url"], json={"text": "All", "response_type": "in_channel"})
    assert [m["text"] for m in server.seen(OLIVIA, GENERAL)] == ["One moment", "Done", "All"]
    assert [m["text"] for m in server.seen(CHEN, GENERAL)] == ["All"]


ONE, TWO = ({"text": {"type": "plain_text", "text": word}, "value": word} for word in ("one", "two"))


@pytest.mark.parametrize(
    ("element", "value", "held"),
    [
        ({"type": "plain_text_input"}, "x", {"value": "x"}),
        ({"type": "plain_text_input"}, "", {"value": None}),
        ({"type": "datepicker"}, "2026-11-20", {"selected_date": "2026-11-20"}),
        ({"type": "users_select"}, OLIVIA, {"selected_user": OLIVIA}),
        ({"type": "multi_users_select"}, [OLIVIA], {"selected_users": [OLIVIA]}),
        ({"type": "radio_buttons", "options": [ONE, TWO]}, "two", {"selected_option": TWO}),
        ({"type": "checkboxes", "options": [ONE, TWO]}, ["one"], {"selected_options": [ONE]}),
        ({"type": "checkboxes", "options": [ONE, TWO]}, None, {"selected_options": []}),
        ({"type": "static_select", "options": [ONE]}, "", {"selected_option": None}),
        ({"type": "static_select", "option_groups": [{"options": [ONE]}]}, "one", {"selected_option": ONE}),
        ({"type": "external_select"}, ONE, {"selected_option": ONE}),
    ],
)
def test_inputs_hold_their_values_as_payloads_carry_them(element, value, held):
    assert inputs.filled(element, value) == {"type": element["type"], **held}


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ({"type": "static_select", "options": [ONE]}, "two"),
        ({"type": "static_select", "options": [ONE]}, TWO),
        ({"type": "button"}, "x"),
    ],
)
def test_inputs_refuse_what_they_do_not_offer(element, value):
    with pytest.raises(inputs.InputError):
        inputs.filled(element, value)


async def test_presses_on_what_is_not_there_are_refused(server, client):
    sent = await client.chat_postMessage(channel=GENERAL, text="x", blocks=[actions(button())])
    for place, error in [
        ((GENERAL, "1.0", "go"), "message_not_found"),
        ((GENERAL, sent["ts"], "nothing"), "no_such_element"),
        ((None, None, "go"), "view_not_found"),
    ]:
        with pytest.raises(Exception, match=error):
            await server.press(OLIVIA, *place)
    assert (await server.press(OLIVIA, GENERAL, sent["ts"], "go"))["error"] == "dispatch_failed"
    assert "dispatch_failed" in server.seen(OLIVIA, GENERAL)[-1]["text"]


async def test_external_ids_are_unique_and_name_views():
    modal = {
        "type": "modal",
        "title": {"type": "plain_text", "text": "x"},
        "blocks": [],
        "external_id": "mine",
    }
    async with slack() as (server, client), recorded(server) as app:
        await server.say(OLIVIA, GENERAL, "/workspace")
        await client.views_open(trigger_id=app.seen[-1]["trigger_id"], view=modal)
        told = await client.views_update(external_id="mine", view={**modal, "blocks": [section()]})
        assert told["view"]["external_id"] == "mine"
        await server.say(CHEN, GENERAL, "/workspace")
        twice = await refusal(client.views_open(trigger_id=app.seen[-1]["trigger_id"], view=modal))
        assert twice["error"] == "duplicate_external_id"
        bad = await refusal(client.views_update(external_id="mine", view={**modal, "title": None}))
        assert (bad["error"], len(bad["response_metadata"]["messages"])) == ("invalid_arguments", 1)

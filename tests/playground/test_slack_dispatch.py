"""Tests of what the local Slack sends to an app over HTTP: signed, complete, and repeated if necessary."""

import asyncio

import aiohttp
from aiohttp import web

from tests.playground.slack_help import (
    CHEN,
    GENERAL,
    OLIVIA,
    PAVEL,
    SCIENCE,
    actions,
    button,
    recorded,
    slack,
)


async def test_the_command_of_an_enterprise_names_it():
    seed = {"team": {"enterprise_id": "E0ORG", "enterprise_name": "Org"}}
    async with slack(seed=seed) as (server, _client), recorded(server) as app:
        await server.say(OLIVIA, GENERAL, "/workspace")
        assert (app.seen[0]["enterprise_id"], app.seen[0]["enterprise_name"]) == ("E0ORG", "Org")


async def test_plain_text_is_ephemeral_and_a_bad_answer_is_a_violation(server, app):
    app.answer = lambda _p: web.Response(text="Hello")
    await server.say(OLIVIA, GENERAL, "/workspace")
    app.answer = lambda _p: web.json_response({"text": "x", "blocks": [{"type": "nothing"}]})
    told = await server.say(OLIVIA, GENERAL, "/workspace")
    assert [m["ephemeral"] for m in server.seen(OLIVIA, GENERAL)] == [True, True]
    assert told["error"] == "invalid_command_response"
    assert [found["rule"] for found in server.harness.violations] == ["invalid_ack"]


async def test_what_is_no_command_or_comes_in_a_thread_is_not_dispatched(server, client, app):
    sent = await client.chat_postMessage(channel=GENERAL, text="card")
    assert (await server.say(OLIVIA, GENERAL, "/unknown"))["error"] == "unknown_command"
    told = await server.say(OLIVIA, GENERAL, "/workspace list", thread_ts=sent["ts"])
    assert told["error"] == "not_in_threads"
    assert server.seen(OLIVIA, GENERAL)[-1]["text"] == "/workspace is not supported in threads. Sorry!"
    assert app.seen == []


async def test_an_app_that_is_too_slow_shows_operation_timeout():
    async with slack(ack_seconds=0.05) as (server, _client), recorded(server) as app:
        never = asyncio.Event()

        async def slow(_payload):
            await never.wait()
            return web.Response()

        app.answer = slow
        told = await server.say(OLIVIA, GENERAL, "/workspace list")
        never.set()
        assert told["error"] == "operation_timeout"
        shown = server.seen(OLIVIA, GENERAL)[0]
        assert shown["text"] == "/workspace failed with the error operation_timeout"
        assert shown["ephemeral"] is True
        assert server.harness.violations[0]["rule"] == "ack_within_3_s"


async def test_an_app_that_fails_or_is_away_shows_dispatch_failed(server, app):
    app.answer = lambda _p: web.Response(status=404)
    assert (await server.say(OLIVIA, GENERAL, "/workspace"))["error"] == "dispatch_failed"
    server.state.app.request_url = None
    assert (await server.say(OLIVIA, GENERAL, "/workspace"))["error"] == "dispatch_failed"


async def test_a_response_url_lives_for_five_uses_and_thirty_minutes(server, app, session):
    await server.say(OLIVIA, GENERAL, "/workspace")
    await server.say(OLIVIA, GENERAL, "/workspace")
    first, second = (payload["response_url"] for payload in app.seen)
    for number in range(5):
        async with session.post(first, json={"text": str(number)}) as response:
            assert response.status == 200
    async with session.post(first, json={"text": "6"}) as response:
        assert (response.status, (await response.json())["error"]) == (404, "used_url")
    server.harness.clock.advance(1801)
    async with session.post(second, json={"text": "late"}) as response:
        assert (await response.json())["error"] == "expired_url"
    assert [m["text"] for m in server.seen(OLIVIA, GENERAL)] == list("01234")
    assert server.seen(CHEN, GENERAL) == []


async def test_a_button_on_an_ephemeral_message_comes_without_the_message(server, client, app, session):
    sent = await client.chat_postEphemeral(
        channel=GENERAL, user=OLIVIA, text="card", blocks=[actions(button())]
    )
    await server.press(OLIVIA, GENERAL, sent["message_ts"], "go")
    assert "message" not in app.seen[0]
    assert app.seen[0]["container"]["is_ephemeral"] is True
    await session.post(app.seen[0]["response_url"], json={"delete_original": True})
    assert server.seen(OLIVIA, GENERAL) == []


async def test_the_app_hears_of_its_own_messages_in_direct_messages(server, client, app):
    sent = await client.chat_postMessage(channel=OLIVIA, text="one")
    await client.chat_update(channel=sent["channel"], ts=sent["ts"], text="two")
    await client.chat_delete(channel=sent["channel"], ts=sent["ts"])
    await client.chat_postMessage(channel=GENERAL, text="not subscribed there")
    await server.timers.run_due()
    events = [payload["event"] for payload in app.own]
    assert sorted(event.get("subtype", "") for event in events) == ["", "message_changed", "message_deleted"]
    posted = next(event for event in events if "subtype" not in event)
    assert (posted["bot_id"], posted["channel_type"], posted["user"]) == ("B0USHER", "im", "U0USHER")


async def test_another_bot_is_known_by_its_bot_id_and_a_removed_app_hears_nothing(server, app):
    await server.say("U0ROBOT", GENERAL, "@usher list")
    assert (app.seen[0]["event"]["type"], app.seen[0]["event"]["bot_id"]) == ("app_mention", "B0ROBOT")
    await server.uninstall()
    await server.say(OLIVIA, GENERAL, "@usher list")
    assert (await server.say(OLIVIA, GENERAL, "/workspace"))["error"] == "unknown_command"
    assert [payload["event"]["type"] for payload in app.seen[1:]] == ["tokens_revoked", "app_uninstalled"]


async def test_links_of_the_apps_domains_are_told(server, app):
    server.state.app.unfurl_domains = ["acme.example"]
    await server.say(OLIVIA, GENERAL, "see https://app.acme.example/x and https://evilacme.example/y")
    event = app.seen[0]["event"]
    assert event["type"] == "link_shared"
    assert event["links"] == [{"url": "https://app.acme.example/x", "domain": "acme.example"}]


async def test_a_failed_event_comes_again_at_0_1_and_5_minutes(server, app):
    app.answer = lambda _p: web.Response(status=500)
    said = await server.say(OLIVIA, "@bot", "help")
    delivery = server.events.deliveries[said["events"][0]]
    await server.timers.run_due()
    seen = []
    for seconds in (0, 59, 1, 299, 1, 3600):
        server.harness.clock.advance(seconds)
        await server.timers.run_due()
        seen.append(len(delivery.attempts))
    assert seen == [2, 2, 3, 3, 4, 4]
    retries = [headers.get("X-Slack-Retry-Num") for headers, _ in app.raw]
    assert retries == [None, "1", "2", "3"]
    assert app.raw[1][0]["X-Slack-Retry-Reason"] == "http_error"
    assert len({payload["event_id"] for payload in app.seen}) == 1


async def test_the_request_url_is_verified_and_bytes_can_be_played_again(server, app):
    app.answer = lambda payload: web.json_response({"challenge": payload["challenge"]})
    assert await server.verify_request_url() is True
    reply = await server.dispatcher.replay()
    assert reply.ok
    assert app.raw[0][1] == app.raw[1][1]
    assert app.raw[0][0]["X-Slack-Signature"] == app.raw[1][0]["X-Slack-Signature"]


async def test_people_of_another_organisation_have_no_commands_of_the_app(server, app):
    answer = await server.say(PAVEL, SCIENCE, "/workspace list")
    assert (answer["ok"], answer["error"]) == (False, "unknown_command")
    assert app.seen == []
    server.state.team.enterprise_id = server.state.teams["T0PARTNER"].enterprise_id = "E0ALL"
    assert (await server.say(PAVEL, SCIENCE, "/workspace list"))["ok"] is True


async def test_event_repeated_as_new_has_another_id(server, client, app):
    """An unmarked repetition: everything is the same except the event's id."""
    said = await server.say(OLIVIA, "@bot", "hello")
    async with aiohttp.ClientSession() as session:
        asked = {"event_id": said["events"][0], "as_new": True}
        url = f"{client.base_url.removesuffix('api/')}_playground/redeliver"
        async with session.post(url, json=asked) as answer:
            assert (await answer.json())["ok"]
    first, second = app.seen
    assert first["event_id"] != second["event_id"]
    assert first == second | {"event_id": first["event_id"]}
    assert "X-Slack-Retry-Num" not in app.raw[-1][0]

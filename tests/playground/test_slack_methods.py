"""The Web API of the local Slack, through the real client."""

import asyncio

import aiohttp
import pytest

from tests.playground.slack_help import (
    AMIR,
    CHEN,
    GENERAL,
    GRETA,
    OLIVIA,
    PAVEL,
    QUIET,
    SCIENCE,
    actions,
    button,
    refusal,
    section,
    slack,
)


async def test_auth_test_names_the_bot_and_the_scopes():
    async with slack() as (server, client):
        told = await client.auth_test()
        assert (told["user_id"], told["bot_id"], told["team_id"]) == ("U0USHER", "B0USHER", "T0ACME")
        assert told.headers["X-OAuth-Scopes"] == ",".join(server.state.app.scopes)


@pytest.mark.parametrize(
    ("token", "error"),
    [
        ("", "not_authed"),
        ("xoxb-wrong", "invalid_auth"),
        ("revoked", "token_revoked"),
        ("app", "not_allowed_token_type"),
    ],
)
async def test_bad_tokens_are_told_apart(token, error):
    async with slack() as (server, client):
        if token == "revoked":
            token = server.credentials["bot_token"]
            await client.auth_revoke()
        if token == "app":
            token = server.credentials["app_token"]
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{server.state.base_url}/api/auth.test"
        async with aiohttp.ClientSession() as session, session.post(url, headers=headers) as response:
            assert (response.status, (await response.json())["error"]) == (200, error)


async def test_a_token_may_be_a_form_field_but_not_part_of_the_address():
    async with slack() as (server, _client), aiohttp.ClientSession() as session:
        url, told = f"{server.state.base_url}/api/auth.test", {"token": server.credentials["bot_token"]}
        async with session.post(url, data=told) as response:
            assert (await response.json())["ok"] is True
        async with session.get(url, params=told) as response:
            assert (await response.json())["error"] == "not_authed"


async def test_unknown_methods_and_missing_scopes_say_so():
    async with slack() as (server, client):
        told = await refusal(client.api_call("reactions.add"))
        assert told == {"ok": False, "error": "unknown_method", "req_method": "reactions.add"}
        told = await refusal(client.conversations_history(channel=GENERAL))
        assert (told["error"], told["needed"]) == ("missing_scope", "channels:history")
        assert "im:history" in told["provided"]
        rules = [found["rule"] for found in server.harness.violations]
        assert rules == ["slack_unknown_method", "slack_missing_scope"]


async def test_a_message_to_a_person_opens_the_direct_message_and_answers_with_its_id():
    async with slack() as (_server, client):
        told = await client.chat_postMessage(channel=OLIVIA, text="Ready", metadata={
            "event_type": "notice", "event_payload": {"key": "k1"}})  # fmt: skip
        assert told["channel"].startswith("D")
        assert (await client.conversations_open(users=OLIVIA))["channel"]["id"] == told["channel"]
        plain = await client.conversations_history(channel=told["channel"])
        assert "metadata" not in plain["messages"][0]
        full = await client.conversations_history(channel=told["channel"], include_all_metadata=True)
        assert full["messages"][0]["metadata"]["event_payload"] == {"key": "k1"}
        assert (await refusal(client.chat_update(channel=OLIVIA, ts=told["ts"], text="x")))["error"] == (
            "channel_not_found"
        )


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"channel": "U0NOBODY", "text": "x"}, "channel_not_found"),
        ({"channel": "U0USHER", "text": "x"}, "cannot_dm_bot"),
        ({"channel": QUIET, "text": "x"}, "not_in_channel"),
        ({"channel": GENERAL, "text": " "}, "no_text"),
        ({"channel": GENERAL, "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": GENERAL, "text": "x", "blocks": [{"type": "rubbish"}]}, "invalid_blocks"),
        ({"channel": GENERAL, "text": "x", "metadata": {"event_type": "a"}}, "invalid_metadata_schema"),
        ({"text": "x"}, "invalid_arguments"),
    ],
)
async def test_messages_that_slack_refuses(arguments, error):
    async with slack() as (server, client):
        told = await refusal(client.api_call("chat.postMessage", json=arguments))
        assert told["error"] == error
        assert all(not messages for messages in server.state.messages.values())


@pytest.mark.parametrize(
    ("restricts", "thread", "error"),
    [
        ("any", None, "restricted_action"),
        ("read_only_channel", None, "restricted_action_read_only_channel"),
        ("read_only_channel", "1.0", "restricted_action_read_only_channel"),
        ("thread_only_channel", None, "restricted_action_thread_only_channel"),
        ("thread_only_channel", "1.0", None),
        ("non_threadable_channel", None, None),
        ("non_threadable_channel", "1.0", "restricted_action_non_threadable_channel"),
        ("", "locked", "restricted_action_thread_locked"),
    ],
)
async def test_a_channel_can_keep_apps_from_posting(restricts, thread, error):
    async with slack() as (server, client):
        channel = server.state.channels[GENERAL]
        channel.restricts, channel.locked = restricts, {"locked"}
        posting = client.chat_postMessage(channel=GENERAL, text="x", thread_ts=thread)
        if error is None:
            assert (await posting)["ok"]
        else:
            assert (await refusal(posting))["error"] == error


async def test_all_blocks_of_a_message_together_are_limited():
    def blocks(characters):
        fields = [{"type": "mrkdwn", "text": "x" * 2000}] * 4
        rest = {"type": "mrkdwn", "text": "x" * (characters - 8000)}
        return [{"type": "section", "fields": fields}, {"type": "section", "text": rest}]

    async with slack() as (server, client):
        sent = await client.chat_postMessage(channel=GENERAL, text="x", blocks=blocks(10_000))
        for refused in (
            client.chat_postMessage(channel=GENERAL, text="x", blocks=blocks(10_001)),
            client.chat_update(channel=GENERAL, ts=sent["ts"], text="x", blocks=blocks(10_001)),
            client.chat_postEphemeral(channel=GENERAL, user=OLIVIA, text="x", blocks=blocks(10_001)),
        ):
            assert (await refusal(refused))["error"] == "msg_blocks_too_long"
        assert len(server.state.messages[GENERAL]) == 1


async def test_deleted_people_get_no_direct_message():
    async with slack() as (server, client):
        await server.change_person(CHEN, deleted=True)
        assert (await refusal(client.chat_postMessage(channel=CHEN, text="x")))["error"] == "user_disabled"
        assert (await refusal(client.conversations_open(users=CHEN)))["error"] == "user_disabled"
        assert (await refusal(client.conversations_open(users="U0NOBODY")))["error"] == "user_not_found"


async def test_an_update_keeps_what_is_not_given_and_takes_own_messages_only():
    async with slack() as (server, client):
        sent = await client.chat_postMessage(
            channel=GENERAL,
            text="one",
            blocks=[section()],
            metadata={"event_type": "a", "event_payload": {"k": 1}},
        )
        told = await client.chat_update(channel=GENERAL, ts=sent["ts"], text="two")
        assert (told["text"], told["message"]["blocks"][0]["type"]) == ("two", "section")
        assert server.state.message(GENERAL, sent["ts"]).metadata["event_payload"] == {"k": 1}
        said = await server.say(OLIVIA, GENERAL, "hello")
        assert (await refusal(client.chat_update(channel=GENERAL, ts=said["ts"], text="x")))["error"] == (
            "cant_update_message"
        )
        assert (await refusal(client.chat_update(channel=GENERAL, ts="1.2", text="x")))[
            "error"
        ] == "message_not_found"
        long = await refusal(client.chat_update(channel=GENERAL, ts=sent["ts"], text="x" * 4001))
        assert long["error"] == "msg_too_long"
        await client.chat_delete(channel=GENERAL, ts=sent["ts"])
        assert server.state.message(GENERAL, sent["ts"]) is None


async def test_an_ephemeral_message_is_seen_by_one_member_and_cannot_be_updated():
    async with slack() as (server, client):
        told = await client.chat_postEphemeral(channel=GENERAL, user=OLIVIA, text="for you")
        assert [m["text"] for m in server.seen(OLIVIA, GENERAL)] == ["for you"]
        assert server.seen(CHEN, GENERAL) == []
        assert (await refusal(client.chat_update(channel=GENERAL, ts=told["message_ts"], text="x")))[
            "error"
        ] == ("message_not_found")
        outside = await refusal(client.chat_postEphemeral(channel=GENERAL, user=GRETA, text="x"))
        assert outside["error"] == "user_not_in_channel"


async def test_history_pages_newest_first_within_bounds():
    async with slack() as (server, client):
        sent = []
        for number in range(5):
            server.harness.clock.advance(1)
            sent.append(await client.chat_postMessage(channel=OLIVIA, text=str(number)))
        channel, stamps = sent[0]["channel"], [one["ts"] for one in sent]
        first = await client.conversations_history(channel=channel, limit=2)
        assert [m["text"] for m in first["messages"]] == ["4", "3"]
        assert first["has_more"] is True
        cursor = first["response_metadata"]["next_cursor"]
        second = await client.conversations_history(channel=channel, limit=2, cursor=cursor)
        assert [m["text"] for m in second["messages"]] == ["2", "1"]
        between = {"channel": channel, "oldest": stamps[1], "latest": stamps[3]}
        assert [m["text"] for m in (await client.conversations_history(**between))["messages"]] == ["2"]
        whole = await client.conversations_history(**between, inclusive=True)
        assert [m["text"] for m in whole["messages"]] == ["3", "2", "1"]
        bad = await refusal(client.conversations_history(channel=channel, oldest="yesterday"))
        assert bad["error"] == "invalid_ts_oldest"


async def test_people_are_listed_in_pages_and_those_of_other_organisations_looked_up():
    async with slack() as (server, client):
        first = await client.users_list(limit=3)
        rest = await client.users_list(limit=100, cursor=first["response_metadata"]["next_cursor"])
        found = {one["id"]: one for one in [*first["members"], *rest["members"]]}
        assert len(first["members"]) == 3
        assert found[GRETA]["is_restricted"] is True
        assert found[AMIR]["is_admin"] is True
        assert found["U0USHER"]["is_bot"] is True
        assert PAVEL not in found
        assert "email" not in found[OLIVIA]["profile"]
        pavel = (await client.users_info(user=PAVEL))["user"]
        assert (pavel["team_id"], pavel["is_stranger"]) == ("T0PARTNER", False)
        server.state.channels[SCIENCE].members.discard(PAVEL)
        assert (await client.users_info(user=PAVEL))["user"]["is_stranger"] is True
        assert (await refusal(client.users_info(user="U0NOBODY")))["error"] == "user_not_found"


async def test_conversations_are_described():
    async with slack() as (_server, client):
        shown = (await client.conversations_info(channel=SCIENCE, include_num_members=True))["channel"]
        assert (shown["is_ext_shared"], shown["num_members"], shown["is_member"]) == (True, 6, True)
        members = await client.conversations_members(channel=SCIENCE, limit=4)
        assert len(members["members"]) == 4
        assert members["response_metadata"]["next_cursor"]


async def test_reading_methods_take_no_json():
    async with slack() as (_server, client):
        told = await refusal(client.api_call("users.info", json={"user": OLIVIA}))
        assert told["error"] == "invalid_arguments"
        assert told["response_metadata"]["messages"] == ["[ERROR] missing required field: user"]


async def test_budgets_hold_on_the_servers_clock_and_can_be_switched_off():
    async with slack(limits=True) as (server, client):
        await client.chat_postMessage(channel=GENERAL, text="1", blocks=[section(), actions(button())])
        with pytest.raises(Exception, match="ratelimited") as caught:
            await client.chat_postMessage(channel=GENERAL, text="2")
        assert caught.value.response.status_code == 429
        assert caught.value.response.headers["Retry-After"] == "1"
        server.harness.clock.advance(1)
        sent = await client.chat_postMessage(channel=GENERAL, text="2")
        for number in range(50):
            await client.chat_update(channel=GENERAL, ts=sent["ts"], text=f"{number}")
        assert (await refusal(client.chat_update(channel=GENERAL, ts=sent["ts"], text="x")))[
            "error"
        ] == "ratelimited"
        server.harness.clock.advance(60)
        await client.chat_update(channel=GENERAL, ts=sent["ts"], text="later")
        assert [found["rule"] for found in server.harness.violations] == ["rate_limit"] * 2
        server.budgets.on = False
        for _ in range(60):
            await client.chat_update(channel=GENERAL, ts=sent["ts"], text="x")


async def test_a_message_counts_when_it_came_however_slow_slack_is_to_post_it():
    async with slack(limits=True) as (server, client), aiohttp.ClientSession() as session:
        fault = {"path": "/api/chat.postMessage", "delay_s": 0.3}
        await session.post(f"{server.state.base_url}/_playground/faults", json=fault)
        slow = asyncio.create_task(client.chat_postMessage(channel=GENERAL, text="first"))
        async with asyncio.timeout(5):
            while not server.harness.requests["POST /api/chat.postMessage"]:  # noqa: ASYNC110 - it is the server's own count
                await asyncio.sleep(0)
        server.harness.clock.advance(1)
        await client.chat_postMessage(channel=GENERAL, text="second")
        assert not slow.done(), "the second was posted before the first"
        await slow
        assert server.harness.violations == []


async def test_faults_can_strike_after_the_message_was_accepted():
    async with slack() as (server, client), aiohttp.ClientSession() as session:
        fault = {"path": "/api/chat.postMessage", "after": True, "status": 500}
        await session.post(f"{server.state.base_url}/_playground/faults", json=fault)
        with pytest.raises(Exception, match="500"):
            await client.chat_postMessage(channel=GENERAL, text="arrived")
        assert [m.text for m in server.state.messages[GENERAL]] == ["arrived"]

"""Tests of files and threads in the local Slack."""

import io

import aiohttp
import pytest

from playground.slack.errors import SlackError
from tests.playground.slack_help import CHEN, GENERAL, GRETA, OLIVIA, QUIET, actions, button, refusal, slack

LOG = b"".join(b"line %02d\n" % number for number in range(20))
SCOPES = ["chat:write", "files:write", "files:read", "im:history", "commands"]


@pytest.fixture
def options():
    return {"seed": {"app": {"scopes": SCOPES}}}


async def announced(client, length=160, filename="output.log"):
    told = await client.files_getUploadURLExternal(filename=filename, length=length)
    return told["file_id"], told["upload_url"]


async def upload(url, data):
    async with aiohttp.ClientSession() as session, session.post(url, data=data) as response:
        return response.status, await response.text()


async def uploaded(client):
    file_id, url = await announced(client)
    assert await upload(url, LOG) == (200, f"OK - {len(LOG)}")
    return file_id


async def test_the_clients_own_upload_works_and_the_bytes_can_be_fetched(server, client, session):
    opened = await client.chat_postMessage(channel=OLIVIA, text="hello")
    told = await client.files_upload_v2(
        content=LOG, filename="all.bin", title="All", channel=opened["channel"]
    )
    (file,) = server.files(OLIVIA)
    assert (file["id"], file["title"], file["filetype"]) == (told["file"]["id"], "All", "bin")
    url = file["url_private_download"]
    async with session.get(url, headers={"Authorization": f"Bearer {client.token}"}) as response:
        assert await response.read() == LOG
    async with session.get(url, allow_redirects=False) as response:
        assert response.status == 302
    page = f"{server.state.base_url}/_page/file/{file['id']}"
    async with session.get(page, params={"as": OLIVIA}) as response:
        assert response.headers["Content-Disposition"] == "attachment; filename*=UTF-8''all.bin"
        assert await response.read() == LOG
    async with session.get(page, params={"as": CHEN}) as response:
        assert response.status == 404


async def test_bytes_may_come_as_a_form_and_must_have_the_announced_length(server, client):
    file_id, url = await announced(client)
    for wrong in (LOG[:-1], LOG + b"x"):
        assert (await upload(url, wrong))[0] == 400
    assert server.harness.violations[0]["rule"] == "file_length"
    unfinished = await refusal(client.files_completeUploadExternal(files=[{"id": file_id}]))
    assert unfinished["error"] == "file_not_found"
    form = aiohttp.FormData()
    form.add_field("filename", LOG, filename="output.log")
    assert (await upload(url, form))[0] == 200
    await client.files_completeUploadExternal(files=[{"id": file_id}])
    assert server.files(OLIVIA) == []
    assert server.file_bytes("U0USHER", file_id) == LOG
    assert (await upload(url, LOG))[0] == 404
    again = await refusal(client.files_completeUploadExternal(files=[{"id": file_id}]))
    assert again["error"] == "file_not_found"


async def test_a_large_file_is_taken_whole(server, client):
    data = b"0123456789abcdef" * 200_000
    file_id, url = await announced(client, len(data))
    assert (await upload(url, io.BytesIO(data)))[0] == 200
    await client.files_completeUploadExternal(files=[{"id": file_id}])
    assert server.file_bytes("U0USHER", file_id) == data


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"filename": "x"}, "invalid_arguments"),
        ({"length": 1}, "invalid_arguments"),
        ({"filename": "x", "length": "long"}, "invalid_arguments"),
        ({"filename": "x", "length": 0}, "invalid_arguments"),
        ({"filename": "x", "length": 1, "alt_txt": "x" * 1001}, "alt_txt_too_large"),
    ],
)
async def test_announcements_that_slack_refuses(client, arguments, error):
    told = await refusal(client.api_call("files.getUploadURLExternal", params=arguments))
    assert told["error"] == error


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({}, "invalid_arguments"),
        ({"files": "["}, "invalid_arguments"),
        ({"files": []}, "invalid_arguments"),
        ({"files": [{"title": "x"}]}, "invalid_arguments"),
        ({"files": [{"id": "F0NONE"}]}, "file_not_found"),
        ({"channel_id": "C0NOWHERE"}, "channel_not_found"),
        ({"channel_id": OLIVIA}, "channel_not_found"),
        ({"channel_id": QUIET}, "not_in_channel"),
        ({"channels": f"{GENERAL},C0SCIENCE", "thread_ts": "1.2"}, "invalid_arguments"),
        ({"channel_id": GENERAL, "blocks": [{"type": "rubbish"}]}, "invalid_blocks"),
    ],
)
async def test_completions_that_slack_refuses(server, client, arguments, error):
    file_id = await uploaded(client)
    told = arguments if "channel" not in str(arguments) else {"files": [{"id": file_id}], **arguments}
    assert (await refusal(client.api_call("files.completeUploadExternal", json=told)))["error"] == error
    assert all(not messages for messages in server.state.messages.values())
    await client.files_completeUploadExternal(files=[{"id": file_id}], channel_id=GENERAL)
    assert server.file_bytes(CHEN, file_id) == LOG
    with pytest.raises(SlackError, match="file_not_found"):
        server.file_bytes(GRETA, file_id)


async def test_files_need_their_scope_and_have_a_budget():
    async with slack(limits=True, seed={"app": {"scopes": ["chat:write"]}}) as (_server, client):
        for call in (
            client.files_getUploadURLExternal(filename="x", length=1),
            client.files_completeUploadExternal(files=[{"id": "F"}]),
        ):
            told = await refusal(call)
            assert (told["error"], told["needed"]) == ("missing_scope", "files:write")
        for _ in range(99):
            await refusal(client.files_getUploadURLExternal(filename="x", length=1))
        told = await refusal(client.files_getUploadURLExternal(filename="x", length=1))
        assert told["error"] == "ratelimited"


async def test_a_reply_can_be_updated_and_keeps_its_metadata_and_place(server, client):
    card = await client.chat_postMessage(channel=OLIVIA, text="job")
    meta = {"event_type": "tail", "event_payload": {"key": "k"}}
    where = {"channel": card["channel"], "thread_ts": card["ts"]}
    reply = await client.chat_postMessage(**where, text="tail", metadata=meta)
    code = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "a\nb"}]}
    blocks = [{"type": "rich_text", "elements": [code]}, {"type": "markdown", "text": "```\nx\n```"}]
    await client.chat_update(channel=card["channel"], ts=reply["ts"], text="tail 2", blocks=blocks)
    held = server.state.message(card["channel"], reply["ts"])
    assert (held.thread_ts, held.metadata, held.text) == (card["ts"], meta, "tail 2")
    assert held.blocks[0]["elements"][0] == code
    long = await refusal(client.chat_update(channel=card["channel"], ts=reply["ts"], text="x" * 4001))
    assert long["error"] == "msg_too_long"


async def test_a_press_on_a_card_with_replies_names_its_thread(server, client, app):
    card = await client.chat_postMessage(channel=OLIVIA, text="job", blocks=[actions(button())])
    await server.press(OLIVIA, "@bot", card["ts"], "go")
    assert "thread_ts" not in app.seen[-1]["container"]
    await client.chat_postMessage(channel=card["channel"], text="tail", thread_ts=card["ts"])
    await server.press(OLIVIA, "@bot", card["ts"], "go")
    assert app.seen[-1]["container"]["thread_ts"] == card["ts"]
    assert app.seen[-1]["message"]["reply_count"] == 1

"""Whatever Slack's assistant sends, the answer is as its protocol requires."""

import json
from functools import partial

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from mcp_types import (
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    UNSUPPORTED_PROTOCOL_VERSION,
    jsonrpc_message_adapter,
)
from mcp_types.methods import validate_server_result
from pydantic import SecretStr

from bot.domain.observations import Observed
from bot.domain.preferences import Preferences
from bot.domain.workspaces import State
from bot.messages.texts.assistant import NO_END
from bot.store import operations
from bot.store.preferences import save_preferences
from bot.web.front import Front
from bot.web.health import Metrics
from bot.web.replays import Replays
from bot.web.shapes import read_call
from handlers.assistant.tools import TOOLS
from handlers.assistant.web import answer_call
from handlers.requests.command_line import fold_word
from tests.rigs.store import ALICE, observe
from tests.web.signed import SECRET, headers_for

WHO = {"slack": {"user_id": ALICE.user_id, "team_id": ALICE.team_id, "enterprise_id": None}}


@pytest.fixture
async def sends(bot):
    """A function that posts a body and returns the status and the answer, parsed if it is JSON."""
    front = Front(SecretStr(SECRET), bot.clock, Replays(bot.clock.monotonic), Metrics(), read_call)
    app = web.Application()
    app.router.add_route("*", "/slack/mcp", front.guard(partial(answer_call, bot.services)))
    async with TestClient(TestServer(app)) as client:

        async def send(body, content_type="application/json", **more):
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers = headers_for(bot.clock, raw, content_type=content_type) | more
            async with client.post("/slack/mcp", data=raw, headers=headers) as response:
                text = await response.text()
                return response.status, json.loads(text) if response.content_type.endswith("json") else text

        yield send


def call(method="tools/call", number=1, **params):
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"[]", 400), (b"nothing", 400), (b"\xff", 400), (b"[" * 5000, 400), (b"{}", 202),
        ({"jsonrpc": "2.0", "method": "notifications/initialized"}, 202),
        ({"jsonrpc": "2.0", "id": 1, "result": {}}, 202),
        (call(number=1.5), 400), (call(number=None), 400), (call() | {"jsonrpc": "1.0"}, 400),
        (call() | {"params": []}, 400), (call() | {"method": 7}, 400),
    ],
)  # fmt: skip
async def test_what_is_no_request_gets_a_receipt_or_a_refusal(sends, body, status):
    assert (await sends(body))[0] == status


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (call("server/discover"), METHOD_NOT_FOUND), (call("resources/list"), METHOD_NOT_FOUND),
        (call(), INVALID_PARAMS), (call(name="remove"), INVALID_PARAMS),
        (call(name=["start"]), INVALID_PARAMS),
    ],
)  # fmt: skip
async def test_what_is_not_served_is_an_error_of_the_protocol(sends, body, code):
    status, said = await sends(body)
    assert (status, said["error"]["code"], said["id"]) == (200, code, 1)
    assert jsonrpc_message_adapter.validate_python(said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["notebook"], "an object with `name` and `until`"),
        ({"name": 7}, "`name` has to be a text"),
        ({"name": "x" * 201}, "`name` has to be a text of at most 200"),
        ({"until": "18:00"}, "`name` is missing"),
        ({"name": " ", "until": "18:00"}, "`name` is missing"),
        ({"name": "notebook", "yes": "true"}, "there is no field `yes`. This tool takes `name` and `until`"),
        ({"name": "notebook", "until": 2}, "`until` has to be a text"),
        (
            {"name": "notebook", "until": "whenever"},
            "`until` can't be used. I can't read whenever",
        ),
        ({"name": "notebook", "until": "for 100 days"}, "for 100 days is too far away"),
        ({"name": "notebook", "until": "now"}, "`until` can't be used"),
        ({"name": "notebook", "until": "18:00 IST"}, "18:00 Asia/Kolkata"),
        ({"name": "notebook", "until": "--yes"}, "`until` can't be used"),
        ({"name": "nothing"}, "No workspace is called that"),
    ],
)
async def test_a_field_that_cannot_be_read_is_named_in_a_result(sends, bot, arguments, said):
    """Models read results, but several libraries drop the text of protocol errors."""
    await bot.link()
    await bot.store.carry_out(lambda tx: save_preferences(tx, ALICE, Preferences(assistant="stop")))
    status, answer = await sends(call(name="start", arguments=arguments, _meta=WHO))
    result = json.loads(answer["result"]["content"][0]["text"])
    assert (status, result.get("done", [])) == (200, [])
    assert said in result["says"]
    assert "Nothing was done" in result["says"]
    if (
        isinstance(arguments, dict)
        and isinstance(arguments.get("until"), str)
        and arguments.get("name", " ") != " "
    ):
        assert "2027-01-15T18:00:00+00:00" in result["says"]
    assert await bot.store.read(operations.open_operations, ALICE) == []


@pytest.mark.parametrize(
    "more",
    [
        {}, {"until": ""}, {"until": None}, {"until": " "}, {"until": "none"}, {"until": "no end"},
        {"until": "2h"}, {"until": "until 18:00 UTC"}, {"until": "PT2H"}, {"until": "2027-01-15T18:00"},
        {"until": "2027-01-15T18:00:00Z"}, {"until": "18:00+08:00"}, {"until": "18:00 Europe/Berlin"},
        {"until": "", "extra": None},
    ],
)  # fmt: skip
async def test_a_time_is_read_as_it_is_written_or_is_not_given(sends, bot, more):
    await bot.link()
    await bot.store.carry_out(lambda tx: save_preferences(tx, ALICE, Preferences(assistant="start")))
    _, answer = await sends(call(name="start", arguments={"name": "notebook", **more}, _meta=WHO))
    (done,) = json.loads(answer["result"]["content"][0]["text"])["done"]
    is_endless = fold_word(str(more.get("until") or "").strip()) in {"", *NO_END}
    assert (done["did"], "until" in done) == ("start", not is_endless)
    assert ((await bot.workspace()).stop_at is None) is is_endless


@pytest.mark.parametrize("at", ["", None, " ", "now", "immediately", "Right now"])
async def test_a_stop_that_names_no_time_is_now(sends, bot, at):
    row = (await bot.link()).workspaces[0]
    await observe(bot.store, bot.clock, row, Observed(State.RUNNING))
    await bot.store.carry_out(lambda tx: save_preferences(tx, ALICE, Preferences(assistant="stop")))
    _, answer = await sends(call(name="stop", arguments={"name": "notebook", "at": at}, _meta=WHO))
    (done,) = json.loads(answer["result"]["content"][0]["text"])["done"]
    assert done["did"] == "stop"


@pytest.mark.parametrize(
    "meta", [{}, "x", {"slack": []}, {"slack": {}}, {"slack": {"user_id": 7, "team_id": "T1"}}]
)
async def test_a_call_that_names_nobody_is_refused(sends, meta):
    _, said = await sends(call(name="my_workspaces", _meta=meta))
    assert "who you are" in said["result"]["content"][0]["text"]


async def test_another_type_of_content_is_refused(sends):
    assert (await sends(call("ping"), "text/plain"))[0] == 400


@pytest.mark.parametrize("version", ["2025-03-26", "2025-06-18", "2025-11-25"])
async def test_what_is_answered_is_valid_in_each_version(sends, version):
    _, begun = await sends(call("initialize", protocolVersion=version, capabilities={}, clientInfo={}))
    assert begun["result"]["protocolVersion"] == version
    results = {"initialize": begun}
    for method in ("ping", "tools/list"):
        _, results[method] = await sends(call(method, 2))
    _, results["tools/call"] = await sends(call(name="help", _meta=WHO))
    for method, said in results.items():
        validate_server_result(method, version, said["result"])
    tools = {one["name"]: one for one in results["tools/list"]["result"]["tools"]}
    assert {name for name, one in tools.items() if one["annotations"]["readOnlyHint"]} == {
        name for name, tool in TOOLS.items() if tool.only_shows
    }
    assert [name for name, one in tools.items() if one["annotations"]["destructiveHint"]] == ["stop"]


async def test_an_unknown_version_is_answered_with_the_newest(sends):
    _, begun = await sends(call("initialize", protocolVersion=["x"]))
    assert begun["result"]["protocolVersion"] == "2025-11-25"


REVISION = "io.modelcontextprotocol/protocolVersion"


@pytest.mark.parametrize("revision", ["2026-07-28", "2099-01-01", "x", ""])
@pytest.mark.parametrize("is_in_header", [True, False], ids=["header", "meta"])
async def test_another_revision_is_refused_before_anything_is_done(sends, bot, revision, is_in_header):
    """The client couldn't read a result in that revision, and would report success as a failure."""
    row = (await bot.link()).workspaces[0]
    await bot.store.carry_out(lambda tx: save_preferences(tx, ALICE, Preferences(assistant="stop")))
    meta = WHO if is_in_header else WHO | {REVISION: revision}
    headers = {"MCP-Protocol-Version": revision} if is_in_header else {}
    for method in ("server/discover", "initialize", "tools/list", "tools/call"):
        given = {"name": "start", "arguments": {"name": row.name}} if method == "tools/call" else {}
        status, said = await sends(call(method, **given, _meta=meta), **headers)
        assert (status, said["id"], said["error"]["code"]) == (400, 1, UNSUPPORTED_PROTOCOL_VERSION)
        assert said["error"]["data"] == {
            "supported": ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"],
            "requested": revision,
        }
    assert await bot.store.read(operations.open_operations, ALICE) == []
    # The same call in a supported revision is carried out.
    given = {"name": "start", "arguments": {"name": row.name}, "_meta": WHO}
    assert (await sends(call(number=2, **given), **{"MCP-Protocol-Version": "2025-06-18"}))[0] == 200
    assert len(await bot.store.read(operations.open_operations, ALICE)) == 1


async def test_the_same_start_again_within_a_minute_gets_the_first_result(sends, bot):
    await bot.link()
    await bot.store.carry_out(lambda tx: save_preferences(tx, ALICE, Preferences(assistant="start")))
    start = call(name="start", arguments={"name": "notebook"}, _meta=WHO)
    first, again = await sends(start), await sends(start)
    assert first == again
    assert first[0] == 200
    assert json.loads(first[1]["result"]["content"][0]["text"])["done"]
    assert len(await bot.store.read(operations.open_operations, ALICE)) == 1

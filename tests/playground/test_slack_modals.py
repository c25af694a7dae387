"""Tests of the local Slack's modals, home tabs and selects."""

import pytest
from aiohttp import web

from tests.playground.slack_forms import field, modal, opened, typed
from tests.playground.slack_help import GENERAL, OLIVIA, actions, button, refusal, section

NAME = field(typed(), "name")


async def test_a_trigger_opens_one_view_within_three_seconds(server, client, app):
    view = await opened(server, client, app, NAME)
    assert server.sees(OLIVIA)["view"]["id"] == view["id"]
    used = await refusal(client.views_open(trigger_id=app.seen[-1]["trigger_id"], view=modal(NAME)))
    assert used["error"] == "exchanged_trigger_id"
    await server.say(OLIVIA, GENERAL, "/workspace link")
    server.harness.clock.advance(3.5)
    late = await refusal(client.views_open(trigger_id=app.seen[-1]["trigger_id"], view=modal(NAME)))
    assert late["error"] == "expired_trigger_id"
    assert (await refusal(client.views_open(trigger_id="1.2.3", view=modal(NAME))))[
        "error"
    ] == "invalid_trigger_id"


async def test_the_answers_to_a_submission(server, client, app):
    await opened(server, client, app, NAME)
    typed = {"name": {"typed": "x"}}
    app.answer = lambda _p: web.json_response({"response_action": "errors", "errors": {"name": "Too short"}})
    assert (await server.submit(OLIVIA, typed))["errors"] == {"name": "Too short"}
    app.answer = lambda _p: web.json_response({"response_action": "push", "view": modal(section())})
    await server.submit(OLIVIA, typed)
    first, second = server.state.stacks[OLIVIA]
    assert server.sees(OLIVIA)["view"]["previous_view_id"] == first
    app.answer = lambda _p: web.json_response({"response_action": "update", "view": modal(section("new"))})
    await server.submit(OLIVIA)
    assert server.state.views[second].definition["blocks"][0]["text"]["text"] == "new"
    app.answer = lambda _p: web.json_response({"response_action": "errors", "errors": {"nobody": "x"}})
    assert (await server.submit(OLIVIA))["error"] == "invalid_ack"
    assert server.sees(OLIVIA)["view"]["trouble"]
    app.answer = lambda _p: web.json_response({"response_action": "clear"})
    await server.submit(OLIVIA)
    assert server.sees(OLIVIA)["view"] is None


async def test_an_update_with_an_old_hash_conflicts(server, client, app):
    view = await opened(server, client, app, NAME, external_id="mine")
    told = await client.views_update(view_id=view["id"], hash=view["hash"], view=modal(section("loaded")))
    assert told["view"]["hash"] != view["hash"]
    old = await refusal(client.views_update(view_id=view["id"], hash=view["hash"], view=modal(NAME)))
    assert old["error"] == "hash_conflict"
    assert (await refusal(client.views_update(view_id="V0", view=modal(NAME))))["error"] == "not_found"
    await server.close_view(OLIVIA)
    assert (await refusal(client.views_update(view_id=view["id"], view=modal(NAME))))["error"] == "not_found"


async def test_closing_tells_the_app_only_where_it_asked(server, client, app):
    await opened(server, client, app, NAME)
    await server.close_view(OLIVIA)
    assert len(app.seen) == 1
    await opened(server, client, app, NAME, notify_on_close=True)
    await server.close_view(OLIVIA, everything=True)
    assert (app.seen[-1]["type"], app.seen[-1]["is_cleared"]) == ("view_closed", True)


async def test_at_most_three_views_lie_upon_each_other(server, client, app):
    await opened(server, client, app, actions(button()))
    for _ in range(2):
        await server.press(OLIVIA, None, None, "go")
        assert app.seen[-1]["container"]["type"] == "view"
        await client.views_push(trigger_id=app.seen[-1]["trigger_id"], view=modal(actions(button())))
    await server.press(OLIVIA, None, None, "go")
    told = await refusal(client.views_push(trigger_id=app.seen[-1]["trigger_id"], view=modal(NAME)))
    assert told["error"] == "push_limit_reached"


async def test_selects_offer_their_options_or_ask_the_app(server, client, app):
    option = {"text": {"type": "plain_text", "text": "Large"}, "value": "large"}
    static = {"type": "static_select", "action_id": "size", "options": [option]}
    external = {"type": "external_select", "action_id": "image", "min_query_length": 1}
    sent = await client.chat_postMessage(channel=OLIVIA, text="x", blocks=[actions(static, external)])
    assert (await server.options(OLIVIA, "@bot", sent["ts"], "size"))["options"] == [option]
    app.answer = lambda _p: web.json_response({"options": [option]})
    assert (await server.options(OLIVIA, "@bot", sent["ts"], "image", value="l"))["options"] == [option]
    assert (app.seen[-1]["type"], app.seen[-1]["value"]) == ("block_suggestion", "l")
    app.answer = lambda _p: web.json_response({"options": [{"text": "wrong", "value": "x"}]})
    assert (await server.options(OLIVIA, "@bot", sent["ts"], "image", value="l"))[
        "error"
    ] == "invalid_options"
    app.answer = lambda _p: web.Response()
    await server.press(OLIVIA, "@bot", sent["ts"], "size", value="large")
    assert app.seen[-1]["actions"][0]["selected_option"] == option
    held = app.seen[-1]["state"]["values"]["acts"]
    assert held["size"]["selected_option"] == option
    assert held["image"]["selected_option"] is None
    with pytest.raises(Exception, match="invalid_value"):
        await server.press(OLIVIA, "@bot", sent["ts"], "size", value="huge")

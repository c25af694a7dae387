"""Tests of forms in the local Slack's modals: dispatched fields, fields set by the app, kept values."""

import pytest
from aiohttp import web

from playground.slack.errors import SlackError
from tests.playground.slack_forms import external, field, modal, opened, option, plain, select, typed
from tests.playground.slack_help import GENERAL, OLIVIA, actions, button, recorded, section, slack


def suggest(*words):
    return lambda _payload: web.json_response({"options": [option(word) for word in words]})


@pytest.mark.parametrize(
    ("trigger", "on_typing"), [(None, 0), ("on_enter_pressed", 0), ("on_character_entered", 1)]
)
async def test_a_text_dispatches_when_its_configuration_says(trigger, on_typing):
    config = {"dispatch_action_config": {"trigger_actions_on": [trigger]}} if trigger else {}
    async with slack() as (server, client), recorded(server) as app:
        await opened(server, client, app, field(typed(**config), dispatch_action=True))
        await server.fill(OLIVIA, {"typed": "x"})
        assert len(app.seen) == 1 + on_typing
        await server.press(OLIVIA, None, None, "typed", value="xy")
        assert app.seen[-1]["actions"][0] == {
            "type": "plain_text_input",
            "action_id": "typed",
            "block_id": "b",
            "value": "xy",
            "action_ts": app.seen[-1]["actions"][0]["action_ts"],
        }


async def test_an_update_keeps_what_stands_under_the_same_names_and_starts_others_anew(server, client, app):
    view = await opened(
        server,
        client,
        app,
        field(typed("name"), "one"),
        field(typed("path", initial_value="/home"), "two"),
        field(typed("note"), "three"),
        field(typed("kind"), "four"),
    )
    await server.fill(OLIVIA, {"name": "notebook", "note": "gone", "kind": "x"})
    changed = modal(
        field(typed("name", initial_value="ignored"), "one"),
        field(typed("path", initial_value="/ignored"), "two"),
        field(typed("note", initial_value="fresh"), "three:slurm"),
        field(select("kind", "a", "b", initial_option=option("b")), "four"),
    )
    told = await client.views_update(view_id=view["id"], hash=view["hash"], view=changed)
    assert told["view"]["state"]["values"]["two"]["path"]["value"] == "/home"
    assert server.form(OLIVIA).values == {"name": "notebook", "path": "/home", "note": "fresh", "kind": "b"}


async def test_several_external_options_and_groups_can_be_chosen_and_are_limited(server, client, app):
    queues = {**external("queues", max_selected_items=2), "type": "multi_external_select"}
    await opened(server, client, app, field(queues))
    groups = [{"label": plain("Fast"), "options": [option("short"), option("tiny"), option("long")]}]
    app.answer = lambda _p: web.json_response({"option_groups": groups})
    await server.choose(OLIVIA, "queues", pick="short")
    await server.choose(OLIVIA, "queues", "ti", pick="Tiny")
    with pytest.raises(SlackError, match="invalid_value"):
        await server.choose(OLIVIA, "queues", pick="long")
    app.answer = lambda _p: web.Response()
    assert (await server.submit(OLIVIA))["ok"] is True
    held = app.seen[-1]["view"]["state"]["values"]["b"]["queues"]
    assert held == {"type": "multi_external_select", "selected_options": [option("short"), option("tiny")]}


async def test_suggestions_that_fail_say_so(server, client, app):
    await opened(server, client, app, field(external("image")))
    app.answer = lambda _p: web.Response(status=500)
    with pytest.raises(SlackError, match="dispatch_failed"):
        await server.choose(OLIVIA, "image")
    app.answer = suggest(*(f"{number}" for number in range(101)))
    with pytest.raises(SlackError, match="invalid_options"):
        await server.choose(OLIVIA, "image")


BAD = [
    ({"type": "number_input", "is_decimal_allowed": False}, "1.5", "whole"),
    ({"type": "number_input", "is_decimal_allowed": True}, "many", "a number"),
    ({"type": "number_input", "is_decimal_allowed": True, "min_value": "0.5"}, "0.25", "0.5"),
    ({"type": "number_input", "is_decimal_allowed": False, "max_value": "8"}, 9, "8"),
    ({"type": "email_text_input"}, "olivia", "email"),
    ({"type": "url_text_input"}, "x.example", "URL"),
    (typed(min_length=3), "ab", "at least 3"),
    (typed(max_length=3), "abcd", "no more than 3"),
    ({"type": "checkboxes", "options": [option("a")]}, [], "required"),
]


@pytest.mark.parametrize(("element", "value", "words"), BAD)
async def test_what_slacks_client_refuses_never_reaches_the_app(server, client, app, element, value, words):
    await opened(server, client, app, field({**element, "action_id": "typed"}))
    told = await server.submit(OLIVIA, {"b": {"typed": value}})
    assert words in told["errors"]["b"]
    assert server.form(OLIVIA).field("typed").error == told["errors"]["b"]
    assert len(app.seen) == 1


GOOD = [
    ({"type": "number_input", "is_decimal_allowed": True, "min_value": "0"}, 1.5, {"value": "1.5"}),
    ({"type": "timepicker"}, "09:30", {"selected_time": "09:30"}),
    ({"type": "datetimepicker"}, "1800000000", {"selected_date_time": 1_800_000_000}),
    ({"type": "email_text_input"}, "o@acme.example", {"value": "o@acme.example"}),
    (typed(multiline=True), "a\nb", {"value": "a\nb"}),
]


@pytest.mark.parametrize(("element", "value", "held"), GOOD)
async def test_what_pickers_and_inputs_hand_over(server, client, app, element, value, held):
    await opened(server, client, app, field({**element, "action_id": "typed"}))
    assert (await server.submit(OLIVIA, {"b": {"typed": value}}))["ok"] is True
    assert app.seen[-1]["view"]["state"]["values"]["b"]["typed"] == {"type": element["type"], **held}


@pytest.mark.parametrize(("kind", "value"), [("datepicker", "tomorrow"), ("timepicker", "25:00")])
async def test_pickers_offer_no_other_value(server, client, app, kind, value):
    await opened(server, client, app, field({"type": kind, "action_id": "at"}))
    with pytest.raises(SlackError, match="invalid_value"):
        await server.fill(OLIVIA, {"at": value})


async def test_a_chosen_conversation_comes_with_a_response_url(server, client, app, session):
    where = {
        "type": "conversations_select",
        "action_id": "where",
        "default_to_current_conversation": True,
        "response_url_enabled": True,
    }
    await opened(server, client, app, field(where))
    assert server.form(OLIVIA).values == {"where": GENERAL}
    await server.submit(OLIVIA)
    (told,) = app.seen[-1]["response_urls"]
    assert (told["block_id"], told["action_id"], told["channel_id"]) == ("b", "where", GENERAL)
    shown = {"text": "Started", "response_type": "in_channel"}
    async with session.post(told["response_url"], json=shown) as response:
        assert response.status == 200
    assert server.seen(OLIVIA, GENERAL)[-1]["text"] == "Started"


async def test_closing_a_view_may_clear_all_of_them(server, client, app):
    await opened(server, client, app, actions(button()))
    await server.press(OLIVIA, None, None, "go")
    pushed = modal(section(), clear_on_close=True, notify_on_close=True)
    await client.views_push(trigger_id=app.seen[-1]["trigger_id"], view=pushed)
    assert len((await server.close_view(OLIVIA))["closed"]) == 2
    assert (app.seen[-1]["type"], app.seen[-1]["is_cleared"]) == ("view_closed", True)
    assert server.form(OLIVIA) is None


async def test_the_page_api_fills_chooses_and_reads_a_form(server, client, app, session):
    await opened(server, client, app, field(external("image"), "img"), field(typed(), "n"))
    base = f"{server.state.base_url}/_page"

    async def post(path, **told):
        async with session.post(f"{base}/{path}", json={"as": OLIVIA, **told}) as response:
            return await response.json()

    assert (await post("fill", values={"typed": "nb"}))["answers"] == [{"ok": True, "dispatched": False}]
    app.answer = suggest("base")
    assert (await post("choose", action_id="image", query="b"))["ok"] is True
    assert (await post("choose", action_id="image", pick="none"))["offered"] == ["Base"]
    async with session.get(f"{base}/form", params={"as": OLIVIA}) as response:
        form = (await response.json())["form"]
    assert {one["action_id"]: one["value"] for one in form["fields"]} == {"image": "base", "typed": "nb"}
    app.answer = lambda _p: web.Response()
    stale = {"gone": {"x": "y"}, "n": {"typed": "better"}}
    assert (await post("submit", view="V0", values=stale))["error"] == "view_not_found"
    assert (await post("submit", view=form["view_id"], values=stale))["ok"] is True
    assert app.seen[-1]["view"]["state"]["values"]["n"]["typed"]["value"] == "better"

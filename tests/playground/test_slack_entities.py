"""Texts come back as entities, those of plain_text too; people read the characters; values stay."""

import pytest
from aiohttp import web

from playground.demo.person import labels, spoken
from playground.slack.kit import entities
from tests.playground.slack_forms import external, field, modal, opened, plain, typed
from tests.playground.slack_help import GENERAL, OLIVIA, actions, button, recorded, section, slack

NAME, KEPT = "R&D <main>", "R&amp;D &lt;main&gt;"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (NAME, KEPT),
        (KEPT, KEPT),
        ("&amp;lt; &copy; &", "&amp;lt; &amp;copy; &amp;"),
        ("5 < 6 > 4", "5 &lt; 6 &gt; 4"),
    ],
)
def test_a_plain_text_is_kept_with_entities_and_what_is_an_entity_stays(sent, kept):
    assert entities.kept_plain(sent) == kept
    assert entities.kept_plain(kept) == kept


def test_links_and_mentions_stay_what_they_are():
    said = "R&D of <@U0OLIVIA>: <https://x.example/?a=1&b=2|here> <!date^1^{time}|1> 2 < 3"
    kept = "R&amp;D of <@U0OLIVIA>: <https://x.example/?a=1&amp;b=2|here> <!date^1^{time}|1> 2 &lt; 3"
    assert entities.kept_mrkdwn(said) == entities.kept_mrkdwn(kept) == kept


@pytest.mark.parametrize("sent", [NAME, KEPT])
async def test_a_button_is_read_as_characters_and_comes_back_as_entities(sent):
    async with slack() as (server, client), recorded(server) as app:
        pressed = button(text=plain(sent), value=NAME)
        blocks = [section("R&D"), actions(pressed)]
        posted = await client.chat_postMessage(channel=GENERAL, text="R&D", blocks=blocks)
        (shown,) = server.seen(OLIVIA, GENERAL)
        assert labels(shown, "go") == [(NAME, "go")]
        assert f"[{NAME}]" in spoken(shown)
        await server.press(OLIVIA, GENERAL, posted["ts"], "go")
        (payload,) = app.seen
        assert payload["actions"][0]["text"]["text"] == KEPT
        assert payload["actions"][0]["value"] == NAME
        assert payload["message"]["text"] == "R&amp;D"
        assert payload["message"]["blocks"][0]["text"]["text"] == "R&amp;D"


async def test_options_and_labels_are_kept_with_entities_and_values_are_not():
    async with slack() as (server, client), recorded(server) as app:
        told = {"text": plain(NAME), "value": NAME}
        fields = [field(external("pick"), "one"), field(typed("name", initial_value=NAME), "two")]
        fields[0]["label"] = plain(NAME)
        await opened(server, client, app, *fields)
        form = server.form(OLIVIA)
        assert form.field("pick").label == NAME
        assert form.field("name").value == NAME
        app.answer = lambda payload: (
            web.json_response({"options": [told]})
            if payload["type"] == "block_suggestion"
            else web.Response()
        )
        await server.choose(OLIVIA, "pick", "R&D", NAME)
        assert app.seen[-1]["value"] == "R&D"
        await server.submit(OLIVIA)
        held = app.seen[-1]["view"]["state"]["values"]
        assert held["one"]["pick"]["selected_option"] == {**told, "text": plain(KEPT)}
        assert held["two"]["name"]["value"] == NAME
        assert app.seen[-1]["view"]["blocks"][0]["label"]["text"] == KEPT


async def test_an_updated_view_is_kept_so_too():
    async with slack() as (server, client), recorded(server) as app:
        view = await opened(server, client, app, section("R&D"))
        changed = modal(section(KEPT))
        await client.views_update(view_id=view["id"], view=changed)
        assert server.form(OLIVIA).words == (NAME,)

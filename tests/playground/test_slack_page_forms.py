"""Browser tests for the forms on the local Slack's page."""

import json

import pytest
from aiohttp import web

from tests.playground.browser import Browser
from tests.playground.slack_forms import external, field, modal, opened, option, plain, select, typed
from tests.playground.slack_help import OLIVIA, recorded, slack

pytestmark = pytest.mark.browser


def entry(action_id: str, tag: str = "input") -> str:
    return f"document.querySelector('[data-action={action_id}] {tag}, {tag}[data-action={action_id}]')"


async def type_into(browser, action_id, text, tag="input"):
    """Type text into the field, as from a keyboard."""
    await browser.ask(f"{entry(action_id, tag)}.focus()")
    await browser.tell("Input.insertText", text=text)


async def test_a_form_keeps_what_is_typed_while_the_app_changes_it():
    cluster = field(select("cluster", "local", "slurm"), "where", dispatch_action=True, optional=True)
    name = field(typed("name", placeholder=plain("notebook")), "name")
    env = field(typed("env", multiline=True), "env", optional=True)
    async with slack(clock=None) as (server, client), recorded(server) as app:
        view = await opened(server, client, app, name, cluster, env)

        def answer(payload):
            if payload["type"] == "block_suggestion":
                return web.json_response({"options": [option("base"), option("ruby")]})
            if payload["type"] == "view_submission" and len(app.seen) < 5:
                wrong = {"response_action": "errors", "errors": {"name": "Taken already"}}
                return web.json_response(wrong)
            return web.Response()

        app.answer = answer
        async with Browser.started() as browser:
            await browser.open(f"{server.state.base_url}/?as={OLIVIA}")
            await browser.until(f"{entry('name')} && document.activeElement === {entry('name')}")
            await browser.tell("Input.insertText", text="notebook")
            await browser.ask(
                f"{{const s = {entry('cluster', 'select')}; s.value = 'slurm'; "
                "s.dispatchEvent(new Event('change', {bubbles: true}))}"
            )
            await app.arrived(2)
            assert app.seen[-1]["view"]["state"]["values"]["name"]["name"]["value"] == "notebook"
            await type_into(browser, "env", "A=1", "textarea")
            image = field(external("image"), "image:slurm")
            await client.views_update(view_id=view["id"], view=modal(name, cluster, image, env))
            await browser.until(entry("image"))
            assert await browser.ask(f"document.activeElement === {entry('env', 'textarea')}")
            await browser.tell("Input.insertText", text="2")
            assert await browser.ask(f"{entry('env', 'textarea')}.value") == "A=12"
            await type_into(browser, "image", "ru")
            await browser.until("document.querySelectorAll('.option').length === 2")
            await browser.ask("document.querySelectorAll('.option')[1].click()")
            assert await browser.ask(f"{entry('image')}.value") == "Ruby"
            await browser.ask("document.querySelector('#modal footer .primary').click()")
            await browser.until("document.querySelector('.wrong .error').textContent === 'Taken already'")
            assert await browser.ask(f"document.activeElement === {entry('name')}")
            await browser.ask("document.querySelector('#modal footer .primary').click()")
            await browser.until("!document.getElementById('modal').open")
            values = app.seen[-1]["view"]["state"]["values"]
            assert values["env"]["env"]["value"] == "A=12"
            assert values["image:slurm"]["image"]["selected_option"] == option("ruby")
            assert browser.complaints == []


async def test_what_a_test_enters_is_shown_too():
    several = field({**select("zones", "a", "b", "c"), "type": "multi_static_select"}, "zones")
    async with slack(clock=None) as (server, client), recorded(server) as app:
        await opened(server, client, app, field(typed("name"), "name"), several)
        async with Browser.started() as browser:
            await browser.open(f"{server.state.base_url}/?as={OLIVIA}")
            await browser.until(entry("name"))
            await server.fill(OLIVIA, {"name": "notebook", "zones": ["b", "c"]})
            await browser.until(f"{entry('name')}.value === 'notebook'")
            chips = "JSON.stringify([...document.querySelectorAll('.chip')].map((c) => c.firstChild.data))"
            await browser.until(f"{chips} === '{json.dumps(['B', 'C'], separators=(',', ':'))}'")
            await browser.ask("document.querySelector('.chip button').click()")
            await browser.ask("document.querySelector('#modal footer .primary').click()")
            await app.arrived(2)
            held = app.seen[-1]["view"]["state"]["values"]["zones"]["zones"]["selected_options"]
            assert held == [option("c")]

"""Two people at a local Slack and a local Coder, with the bot as it is installed: start, and create.

Everything runs in processes of its own, with the machine's clock: this takes about a minute.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack

import aiohttp
from usher_coder.local import SEED

from playground.demo.person import Person
from playground.demo.stage import environment_of, manifest_of, register
from playground.demo.story import Provider, Story
from playground.demo.usher import start_usher, wait_for_usher
from playground.processes import ready_line, reserved_port, start_child

TOKENS = {name: f"{name:x<10}-0123456789abcdefABCDEF" for name in ("olivia", "chen")}
CONNECTION = '[connections.coder]\nprovider = "coder"\nfrom = "usher-coder"\nbase_url = "{url}"\n'


def seed():
    users = [{"name": name, "token": token} for name, token in TOKENS.items()]
    return {
        **SEED,
        "users": users,
        "workspaces": [{"owner": "olivia", "name": "training", "template": "docker"}],
    }


def at_coder(url, owner, other, **how):
    async def log_in(browser, account):
        await browser.submit(await browser.get(f"{url}/login"), username=account[0], password=account[1])

    return Provider(
        connection="coder",
        title="Coder",
        then_words="",
        token=TOKENS[owner],
        owner=(owner, TOKENS[owner]),
        other=(other, TOKENS[other]),
        log_in=log_in,
        opened=rf"code-server of {owner} is running",
        **how,
    )


async def test_people_start_create_open_and_stop_workspaces(tmp_path):
    (tmp_path / "seed.json").write_text(json.dumps(seed()))
    async with AsyncExitStack() as stack:
        slack_child = await start_child("slack", ["playground", "slack", "--port", "0"], tmp_path)
        stack.push_async_callback(slack_child.stop)
        words = ["usher_coder.local", "--port", "0", "--seed", str(tmp_path / "seed.json")]
        coder_child = await start_child("coder", words, tmp_path)
        stack.push_async_callback(coder_child.stop)
        slack, coder = await asyncio.gather(ready_line(slack_child), ready_line(coder_child))
        port = reserved_port()
        environment = environment_of(tmp_path, slack, CONNECTION.format(url=coder["url"]), port)
        bot = await start_usher(tmp_path, environment)
        stack.push_async_callback(bot.stop)
        url = f"http://127.0.0.1:{port}"
        await wait_for_usher(bot, url)
        await register(slack["url"], url, await manifest_of(environment))

        session = await stack.enter_async_context(aiohttp.ClientSession())
        started = at_coder(
            coder["url"], "olivia", "chen", first_words="/workspace start training", workspace="training"
        )
        created = at_coder(
            coder["url"],
            "chen",
            "olivia",
            first_words="/workspace link coder",
            workspace="paper",
            form={"template": "Docker", "name": "paper"},
        )
        told = []
        olivia = Person(session, slack["url"], "U0OLIVIA", "Olivia")
        chen = Person(session, slack["url"], "U0CHEN", "Chen")
        await asyncio.gather(Story(olivia, told.append).play(started), Story(chen, told.append).play(created))

        async with session.get(f"{coder['url']}/_playground/stats") as answer:
            stats = await answer.json()
        log = (tmp_path / "usher.log").read_text()
    assert stats["status_reads"] >= 6
    assert stats["violations"] == [], "a read came within ten seconds of the last one"
    assert stats["smallest_gap_s"] >= 10
    assert [token for token in TOKENS.values() if token in log + "\n".join(told)] == []

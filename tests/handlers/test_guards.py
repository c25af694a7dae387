"""Guards of people's actions in Slack, tested with input that an earlier guard would have rejected."""

import json

import pytest

from bot.domain import policy
from bot.domain.notices import Answer
from bot.messages.blocks import kit
from bot.messages.blocks.button_values import ButtonValue
from handlers.requests.response_targets import make_command_body
from tests.handlers.rig import COLLEAGUE, rig, words

IDE = "https://d-1.saturn.example.org/lab?token=secret"
OTHER = kit.button("Stop", ButtonValue("stop", "ws_1"))


def overflow(*options):
    """Return a menu whose options open addresses."""
    given = [
        {"text": kit.plain(label, 30), "value": press.text, **({"url": url} if url else {})}
        for label, press, url in options
    ]
    return {"type": "overflow", "action_id": "more", "options": given}


def row(*elements):
    return {"type": "actions", "elements": list(elements)}


PRIVATE = {
    "open": [row(OTHER, kit.button("Open", "open_url", url=IDE))],
    "page": [row(kit.button("See", "page_url", url=IDE))],
    "link": [row(kit.button("Link", "link_url", url=IDE))],
    # Whatever its action is called, the button opens an address.
    "unnamed": [row(kit.button("Look", "later_version", url=IDE))],
    # The button gets its address only when it is pressed.
    "unwritten": [row(kit.button("Open", "open_url"))],
    "beside a text": [{**kit.section("notebook"), "accessory": kit.button("Open", "open_url", url=IDE)}],
    "name": [kit.section(f"*{kit.link(IDE, 'notebook')}*")],
    "menu": [
        row(overflow(("Stop", ButtonValue("stop", "ws_1"), None), ("Open", ButtonValue("open_url"), IDE)))
    ],
}


@pytest.mark.parametrize("blocks", PRIVATE.values(), ids=PRIVATE)
def test_an_answer_is_for_whoever_asked_alone(blocks):
    body = make_command_body(Answer("notebook", blocks))
    assert (body["response_type"], body["blocks"]) == ("ephemeral", blocks)


async def refusals(bot):
    return [
        (entry["action"], json.loads(entry["detail"])["rule"])
        for entry in await bot.audit()
        if entry["result"] == "refused"
    ]


async def test_verb_shown_for_free_text_is_authorised(monkeypatch):
    monkeypatch.setattr(policy, "ADMINISTRATORS", policy.ADMINISTRATORS | {"settings"})
    async with rig(administrators=frozenset({COLLEAGUE.user_id})) as bot:
        answer = await bot.direct("what are my settings?")
        assert "Only Usher admins" in words(answer)
        assert await refusals(bot) == [("settings", "policy.not_administrator")]

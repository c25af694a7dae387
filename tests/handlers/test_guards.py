"""Guards of what people do in Slack, each met by what an earlier one would have kept away."""

import json

import pytest

from bot.domain import policy
from bot.domain.notices import Answer, NoticeKind
from bot.domain.surfaces import Surface, Where
from bot.messages.blocks import kit
from bot.messages.blocks.button_values import ButtonValue
from handlers.requests.response_targets import make_command_body, make_reply_notice
from tests.handlers.rig import COLLEAGUE, rig, words
from tests.rigs.clock import CountingIds
from tests.rigs.store import ALICE

IDE = "https://d-1.saturn.example.org/lab?token=secret"
OTHER = kit.button("Stop", ButtonValue("stop", "ws_1"))


def overflow(*options):
    """Return a menu that opens addresses."""
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
    # Whatever the button is called, it leads somewhere.
    "unnamed": [row(kit.button("Look", "later_version", url=IDE))],
    # Its address comes with the press.
    "unwritten": [row(kit.button("Open", "open_url"))],
    "beside a text": [{**kit.section("notebook"), "accessory": kit.button("Open", "open_url", url=IDE)}],
    "name": [kit.section(f"*{kit.link(IDE, 'notebook')}*")],
    "menu": [
        row(overflow(("Stop", ButtonValue("stop", "ws_1"), None), ("Open", ButtonValue("open_url"), IDE)))
    ],
}


def as_sent(answer):
    """Return whether each way of answering shows an answer to the whole channel, with what it sends."""
    surface = Surface("mention", Where.MENTION, channel_id="C1", interaction="event:1")
    body, notice = make_command_body(answer), make_reply_notice(answer, surface, ALICE, CountingIds())
    assert notice.kind is NoticeKind.REPLY
    return [(body["response_type"] == "in_channel", body), (notice.body["in_channel"], notice.body)]


@pytest.mark.parametrize("blocks", PRIVATE.values(), ids=PRIVATE)
@pytest.mark.parametrize("is_shared", [True, False])
def test_an_address_is_answered_to_whoever_asked_alone_even_if_they_share_it(blocks, is_shared):
    for is_for_all, body in as_sent(Answer("notebook", blocks, in_channel=is_shared)):
        assert not is_for_all
        assert body["blocks"] == blocks


@pytest.mark.parametrize("is_shared", [True, False])
def test_an_answer_without_an_address_is_shared_as_asked(is_shared):
    blocks = [kit.section("notebook runs"), row(OTHER)]
    for is_for_all, _ in as_sent(Answer("notebook", blocks, in_channel=is_shared)):
        assert is_for_all is is_shared


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

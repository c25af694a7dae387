"""One guard for every way in: after any error, the person gets an answer the same way, and it is logged."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.domain.notices import Answer
from bot.domain.people import Person
from bot.domain.surfaces import Surface, Where
from bot.messages.blocks.button_values import ButtonValue
from bot.support.errors import SecretError, StoreBusy
from handlers.assistant.tools import TOOLS, run_tool
from handlers.dispatch import run_button, run_form, run_search, run_shortcut, run_text
from handlers.requests.response_targets import make_command_body, make_form_body
from tests.handlers.rig import GUEST, STRANGER
from tests.rigs.store import ALICE

VIEW = {"callback_id": "code", "blocks": [{"type": "input", "block_id": "code"}]}


async def ask(bot, way: str, who=ALICE) -> dict[str, Any]:
    """Send a request in this way, and return what Slack gets."""
    where = Where.FORM if way == "form" else Where.CHANNEL
    surface = Surface(way, where, interaction=f"{way}:{bot.count}")
    bot.count += 1
    match way:
        case "form":
            return make_form_body(await run_form(bot.services, who, surface, "code", VIEW))
        case "search":
            return {"options": await run_search(bot.services, who, "start:workspace", "", {})}
        case "shortcut":
            answer: Answer = await run_shortcut(bot.services, who, surface, "start_workspace")
        case "assistant":
            slack = {"user_id": who.user_id, "team_id": who.team_id, "enterprise_id": who.enterprise_id}
            return {
                "text": await run_tool(bot.services, slack, TOOLS["my_workspaces"], {}, f"signed:{bot.count}")
            }
        case "button":
            answer = await run_button(bot.services, who, surface, ButtonValue("list", "1"))
        case _:
            answer = await run_text(bot.services, who, surface, "list")
    return make_command_body(answer)


WAYS = ["command", "message", "button", "shortcut", "form", "search", "assistant"]


def said(way: str, body: dict[str, Any]) -> str:
    """Return the text that a person reads. A form stays open, and a search finds nothing."""
    if way == "search":
        assert body == {"options": []}
        return ""
    if way == "form":
        assert body["response_action"] == "errors"
        return str(body["errors"]["code"])
    return str(body["text" if way == "assistant" else "blocks"])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who", [GUEST, STRANGER])
async def test_whom_the_policy_refuses_is_told_and_audited_whatever_way_they_come(bot, way, who):
    await bot.store.save_people([Person(GUEST, "Greta", is_guest=True, seen_at=bot.clock.now())])
    with capture_logs() as logged:
        body = await ask(bot, way, who)
    assert way == "search" or "Ask a" in said(way, body)
    (entry,) = await bot.audit()
    assert (entry["actor"], entry["result"]) == (who.key, "refused")
    assert [line["event"] for line in logged] == ["refused"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("error", "event", "told"),
    [
        (StoreBusy("2 s"), "store failed", "I can't reach my own records right now"),
        (SecretError("swapped"), "failed", "I can no longer read your stored link"),
        (ZeroDivisionError(), "failed unexpectedly", "Something went wrong on my side"),
    ],
)
async def test_what_goes_wrong_is_an_answer_whatever_way_they_come(bot, way, error, event, told):
    bot.store.fails["person"] = error
    with capture_logs() as logged:
        body = await ask(bot, way)
    text = said(way, body)
    assert [line["event"] for line in logged] == [event]
    assert way == "search" or (told in text and logged[0]["reference"] in text)


@pytest.mark.parametrize("way", [way for way in WAYS if way != "search"])
async def test_too_many_requests_are_refused_whatever_way_they_come(bot, way):
    # An assistant's requests for her are counted separately.
    while bot.services.limiter.take(ALICE.key + ("assistant" if way == "assistant" else "")) == 0:
        pass
    assert "You're sending requests too quickly" in said(way, await ask(bot, way))


async def test_a_search_is_not_counted(bot):
    await bot.link()
    while bot.services.limiter.take(ALICE.key) == 0:
        pass
    assert (await ask(bot, "search"))["options"]

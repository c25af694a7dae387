"""First contact: who gets the introduction to Usher, once, with which first steps, and who doesn't."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot.domain.notices import Answer, NoticeKind
from bot.messages.blocks import replies
from bot.messages.blocks.limits import MAX_MESSAGE_BLOCKS
from bot.messages.texts import answers
from bot.store import accounts
from bot.support.errors import StoreBusy
from handlers.dispatch import add_introduction
from handlers.helping import list_first_steps
from handlers.requests.greetings import GreetedPeople
from tests.handlers.rig import (
    GUEST,
    Cloud,
    Hub,
    PlainProvider,
    activate,
    buttons,
    one_cloud,
    rig,
    without_nonces,
    words,
)
from tests.handlers.slack import bolt_for, click, command, little_slack, message, send
from tests.rigs.clock import FakeClock
from tests.rigs.counting import counting
from tests.rigs.golden import check_golden, check_limits
from tests.rigs.providers import fake_settings
from tests.rigs.store import ALICE


@asynccontextmanager
async def wired(bot) -> AsyncIterator:
    async with little_slack() as slack:
        yield bolt_for(bot.services, slack)


def answered(body) -> Answer:
    return Answer(body["text"], tuple(body["blocks"]))


async def test_a_first_command_is_answered_with_what_usher_is_and_the_first_steps_once(bot):
    async with wired(bot) as app:
        first = answered((await send(app, command("start notebook"))).body)
        # The text is followed by the pages' addresses, for people who don't see the buttons.
        first = replace(first, text=first.text.partition("\nLink Hub: <")[0])
        check_limits(first)
        check_golden("answers/first-contact", without_nonces(first))
        again = answered((await send(app, command("start notebook", trigger_id="t2"))).body)
        assert answers.WHAT not in words(again)
        assert list(buttons(again)) == ["Link Hub", "Link Saturn Cloud", "Enter code"]


@pytest.mark.parametrize("text", ["link", "link hub", "link saturn", "login"])
async def test_first_link_is_answered_with_linking_alone(text):
    """The answer doesn't offer a workspace that needs no link, since the person asked to link."""
    clock = FakeClock()
    clouds = {
        "saturn": Cloud(clock, fake_settings("saturn", title="Saturn Cloud")),
        "hub": Hub(clock, fake_settings("hub", title="Hub", base_url="https://hub.example.test")),
        "sphere": Hub(clock, fake_settings("sphere", title="Courses", linking=("none",))),
    }
    async with rig(connections=clouds) as bot, wired(bot) as app:
        first = answered((await send(app, command(text))).body)
        assert answers.WHAT.rstrip(".") in words(first)
        offered = {one["action_id"].partition(":")[0] for one in buttons(first).values()}
        assert offered <= {"invite", "link_url", "enter_code"}


@pytest.mark.parametrize("text", ["list", "qzqzqz", "help"])
async def test_guests_are_refused_and_not_introduced(bot, text):
    bot.people.marks["UGRETA"] = {"is_guest": True}
    async with wired(bot) as app:
        answer = answered((await send(app, command(text, GUEST))).body)
        assert answers.WHAT not in words(answer)
        assert await bot.store.write(accounts.note_introduction, GUEST) is not None


async def test_a_press_is_no_introduction(bot):
    await bot.link()
    async with wired(bot) as app:
        await send(app, click("status", (await bot.workspace()).id))
        assert answers.WHAT not in str([one.body for one in await bot.notices(NoticeKind.REPLY)])
        assert await bot.store.write(accounts.note_introduction, ALICE) is not None


async def test_a_store_that_fails_costs_the_introduction_and_not_the_answer(bot):
    await bot.say("help")
    bot.store.fails = {accounts.note_introduction: StoreBusy("full")}
    answer = replies.answer("Done.")
    assert await add_introduction(bot.services, ALICE, answer) == answer
    bot.store.fails = {}
    assert await add_introduction(bot.services, ALICE, answer) != answer


async def test_an_introduction_is_written_once_and_then_only_read_after_a_restart(bot):
    await bot.say("help")
    assert await bot.store.person(ALICE) is not None
    answer = replies.answer("Done.")
    new, known, restarted = (
        [(1, ["introduction"]), (2, ["note_introduction", "accounts"])],
        [],
        [(1, ["introduction"])],
    )
    for waits in (new, known, restarted):
        if waits is restarted:
            bot.services = replace(bot.services, greeted=GreetedPeople(bot.services.context))
        with counting(bot.store, "none", 1) as count:
            is_introduced = await add_introduction(bot.services, ALICE, answer) != answer
        assert (count.waits, is_introduced) == (waits, waits is new)


async def labels(bot):
    steps = await list_first_steps(bot.services, ALICE)
    return [(one["text"]["text"], one["action_id"], one.get("value")) for one in steps]


async def test_the_first_steps_are_those_that_work_here():
    clock = FakeClock()
    saturn = Cloud(clock, fake_settings("saturn", title="Saturn Cloud"))
    hub = Hub(clock, fake_settings("hub", title="Hub", base_url="https://hub.example.test"))
    shared = Hub(clock, fake_settings("hub", title="Hub", linking=("none",)))
    asked = Cloud(clock, fake_settings("saturn", title="Saturn Cloud", linking=("admin",)))
    show = ("Show my workspaces", "list", None)
    async with rig(connections={"saturn": saturn}) as bot:
        assert await labels(bot) == [("Link Saturn Cloud", "invite:0", "saturn")]
        await activate(bot.store, ALICE, "saturn")
        assert await labels(bot) == [show]
    async with rig(connections={"saturn": saturn, "hub": hub}) as bot:
        # One button for each account, in the order of the Home tab.
        several = [("Link Hub", "invite:0", "hub"), ("Link Saturn Cloud", "invite:1", "saturn")]
        assert await labels(bot) == several
        await activate(bot.store, ALICE, "hub")
        assert await labels(bot) == [show]
    async with rig(connections={"hub": shared}) as bot:
        # Nobody has a workspace here yet, so the list isn't offered first.
        assert await labels(bot) == [("New workspace", "make", "workspace hub")]
        assert answers.WHAT_WITHOUT_ACCOUNTS in words(await introduced_to(bot))
    async with rig(connections={"saturn": asked}) as bot:
        assert await labels(bot) == [("Ask to link Saturn Cloud", "ask_link:0", "saturn")]
    third = Cloud(clock, fake_settings("third", title="Third"))
    async with rig(connections={"saturn": saturn, "hub": hub, "third": third}) as bot:
        await activate(bot.store, ALICE, "hub")
        assert await labels(bot) == [show]
    async with rig() as bot:
        bot.connections.clear()
        assert await labels(bot) == []


async def introduced_to(bot):
    await bot.say("help")
    return await add_introduction(bot.services, ALICE, replies.answer("Done."))


@pytest.mark.parametrize("is_linked", [False, True])
async def test_the_first_help_says_once_what_usher_is(bot, is_linked):
    if is_linked:
        await bot.link()
    first = words(await add_introduction(bot.services, ALICE, await bot.direct("help")))
    assert first.count("I start, stop and open") == 1
    assert "`start NAME`" in first


async def test_a_list_of_ones_own_is_a_new_message_and_a_refresh_is_not(bot):
    await bot.link()
    assert not (await bot.press("list")).replaces
    assert (await bot.press("list:refresh", "1")).replaces


def test_a_long_answer_keeps_within_the_limit():
    body = [
        {"type": "section", "text": {"type": "mrkdwn", "text": str(n)}} for n in range(MAX_MESSAGE_BLOCKS)
    ]
    told = replies.add_introduction(Answer("x", tuple(body)), answers.WHAT, [replies.list_button()])
    check_limits(told)
    assert told.blocks[0]["text"]["text"] == answers.WHAT
    assert told.blocks[-1]["type"] == "actions"


async def test_two_ways_to_link_one_account_are_told_apart():
    async with one_cloud(PlainProvider, linking=("token", "admin")) as bot:
        for typed in ("list", "link", "link saturn"):
            waits = f"saturn {typed}" if typed == "list" else "saturn"
            assert buttons(await bot.say(typed))["Ask to link Saturn Cloud"]["value"] == waits
        pressed = await bot.say("start notebook")
        assert "Ask to link Saturn Cloud" in buttons(pressed)
        assert "No token? Press *Ask to link Saturn Cloud*" in words(pressed)
        # The waiting command is kept, whichever way the account is linked.
        assert buttons(pressed)["Ask to link Saturn Cloud"]["value"] == "saturn start notebook"


async def test_a_first_greeting_begins_with_hi(bot):
    async with wired(bot) as app:
        await send(app, message("hi"))
        (told,) = await bot.notices(NoticeKind.REPLY)
        first, second = answered(told.body).blocks[:2]
        assert first["text"]["text"] == f"Hi! {answers.WHAT}"
        assert second["text"]["text"].startswith("Type ")

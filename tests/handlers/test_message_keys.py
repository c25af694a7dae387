"""A message is identified by its channel and ``ts``, or by its author's send id, however it is delivered."""

import asyncio
from dataclasses import replace
from operator import attrgetter

import pytest

from bot.domain.installations import Installation, Installations
from bot.domain.people import Principal
from bot.domain.steps import Update
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.store import inbox, notices, operations, sweeping
from bot.store.inbox import REDELIVERY_SECONDS
from bot.store.tables import NOTICES
from bot.support.errors import SlackFailed, StoreBusy
from handlers.events import on_app_mention
from handlers.requests.event_request import EventRequest
from handlers.requests.payload import make_message_key, make_send_key
from tests.handlers.rig import COLLEAGUE, rig
from tests.handlers.slack import SAID, LittleSlack, bolt_for, mention, message, send
from tests.rigs.store import ALICE

EARLIER, LATER = "1799999990.000100", "1800000000.000900"
SENT = {"client_msg_id": "c-1"}
#: Sam, whose organisation has installed Usher: as shown in a shared channel, and as Usher knows them.
SAM, SAM_AT_ORG = Principal(None, "T3", "USAM"), Principal("E1", "E1", "USAM")
STRANGER = Principal(None, "T9", "UPAVEL")


@pytest.fixture
def app(bot):
    return bolt_for(bot.services, LittleSlack())


@pytest.fixture
async def sides():
    """A bot that is installed in two Slack workspaces and in an organisation."""
    async with rig() as bot:
        places = Installations()
        places.replace(
            [
                Installation("T1", bot_user_id="UBOT"),
                Installation("T2", bot_user_id="UBOT2"),
                Installation(None, "E1", is_org_wide=True, bot_user_id="UBOT3"),
            ]
        )
        bot.people.enterprises["T3"] = "E1"
        context = replace(bot.services.context, installation=places)
        bot.services = replace(bot.services, context=context)
        yield bot


async def replies(bot):
    """Return the recipient and the body of each reply."""
    query = "SELECT * FROM notices WHERE kind = 'reply' ORDER BY created_at"
    rows = await bot.store.engine.read(lambda tx: NOTICES.parse_all(tx.all(query)))
    return [(row.principal, row.body) for row in rows]


async def hears_side(bot, place, author, bot_user=None):
    """Deliver a mention in a shared channel, as Slack sends it for one of the installations."""
    team, enterprise = (None, place) if place.startswith("E") else (place, None)
    outer = {
        "event_id": f"Ev{place}",
        "context_team_id": team,
        "authorizations": [{"team_id": team, "enterprise_id": enterprise, "is_bot": True}],
        "is_ext_shared_channel": True,
    }
    own = {"team_id": "T3", "enterprise_id": "E1"} if enterprise else {"team_id": place}
    bot_user = bot_user or ("UBOT3" if author == SAM else "UBOT")
    body = mention(f"<@{bot_user}> start notebook", author, user_team=author.team_id, outer=outer | own)
    await on_app_mention(EventRequest(body, bot.services, ""))


# -- one message -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(message("start notebook", event_id="Ev2", **SENT), id="event-id"),
        pytest.param(message("start notebook", event_id="Ev2"), id="without-client-id"),
        pytest.param(mention("<@UBOT> start notebook", channel="D1", **SENT), id="mention"),
        pytest.param(
            message("start notebook", event_id="Ev2", subtype="thread_broadcast", **SENT), id="broadcast"
        ),
        pytest.param(message("start notebook", event_id="Ev2", ts=LATER, **SENT), id="stored-later"),
        pytest.param(message("start notebook", event_id="Ev2", ts=EARLIER, **SENT), id="stored-earlier"),
    ],
)
@pytest.mark.parametrize("is_turned", [False, True], ids=["", "turned"])
async def test_message_delivered_again_is_done_once(bot, app, again, is_turned):
    await bot.link()
    both = [message("start notebook", **SENT), again]
    for one in both[::-1] if is_turned else both:
        assert (await send(app, one)).status == 200
    # The author's client sent no id, so only the channel and ``ts`` identify the message.
    assert len(await bot.store.read(operations.open_operations, ALICE)) == 1
    # In a direct message, the card is the answer.
    assert await replies(bot) == []


async def test_names_of_one_message_lead_to_one_key(bot, app):
    """The message comes without a client's id, with one, and stored under another ``ts``.

    All three are one message.
    """
    await send(app, message("about"))
    await send(app, message("about", event_id="Ev2", **SENT))
    await send(app, message("about", event_id="Ev3", ts=LATER, **SENT))
    assert len(await replies(bot)) == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"ts": LATER, "client_msg_id": "c-2"}, id="send"),
        pytest.param({"ts": LATER}, id="ts"),
        pytest.param({"channel": "D2", "client_msg_id": "c-2"}, id="channel"),
        pytest.param({"who": COLLEAGUE, "ts": LATER, **SENT}, id="author"),
    ],
)
async def test_same_words_said_twice_are_two_wishes(bot, app, other):
    await send(app, message("about", **SENT))
    await send(app, message("about", event_id="Ev1", **other))
    assert len(await replies(bot)) == 2


async def test_concurrent_deliveries_are_done_once(bot, app):
    await bot.link()
    told = [message("start notebook", event_id=f"Ev{n}", ts=ts, **SENT) for n, ts in enumerate((SAID, LATER))]
    answered = await asyncio.gather(*(send(app, one) for one in told * 3))
    assert {one.status for one in answered} == {200}
    assert [row["action"] for row in await bot.audit()].count("workspace.start") == 1
    assert await replies(bot) == []


@pytest.mark.parametrize("failing", [inbox.resolve_key, notices.add_notices], ids=attrgetter("__name__"))
async def test_delivery_that_was_not_written_uses_no_key(bot, app, failing):
    await bot.link()
    bot.store.fails[failing] = StoreBusy("2 s")
    assert (await send(app, mention("<@UBOT> start notebook", **SENT))).status == 503
    del bot.store.fails[failing]
    again = mention("<@UBOT> start notebook", outer={"event_id": "Ev2"}, **SENT)
    assert (await send(app, again)).status == 200
    assert len(await bot.store.read(operations.open_operations, ALICE)) == 1
    assert len(await replies(bot)) == 1


@pytest.mark.parametrize("text", ["stop notebook", "hello", "help", "about", "do what you like"])
async def test_message_of_hours_ago_is_not_answered_again(bot, app, text):
    await bot.link()
    await bot.sees(State.RUNNING)
    await send(app, message(text, **SENT))
    for operation in await bot.store.read(operations.open_operations, ALICE):
        await bot.store.write(operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FULFILLED))
    said = await replies(bot)
    for hours in (0.1, 10.0, 13.8):
        bot.clock.advance(hours * 3600.0)
        await bot.store.perform(sweeping.sweep)
        await send(app, message(text, event_id=f"Ev{hours}", **SENT))
    assert bot.clock.now() - float(SAID) > REDELIVERY_SECONDS - 600.0
    assert await replies(bot) == said
    assert await bot.store.read(operations.open_operations, ALICE) == []


# -- both sides of a shared channel ----------------------------------------------------------------


@pytest.mark.parametrize("order", [("T1", "T2"), ("T2", "T1")], ids="-".join)
async def test_mention_on_both_sides_is_done_once(sides, order):
    await sides.link()
    for place in order:
        await hears_side(sides, place, ALICE)
    assert len(await sides.store.read(operations.open_operations, ALICE)) == 1
    ((reader, body),) = await replies(sides)
    assert (reader, body["channel_id"]) == (ALICE, "C1")


async def test_mention_of_the_other_side_s_bot_is_done(sides):
    await sides.link()
    await hears_side(sides, "T2", ALICE, bot_user="UBOT2")
    assert len(await sides.store.read(operations.open_operations, ALICE)) == 1


@pytest.mark.parametrize("order", [("T1", "E1"), ("E1", "T1")], ids="-".join)
async def test_member_of_an_organisation_is_served_on_every_side(sides, order):
    """The other side doesn't show that Sam's Slack workspace belongs to the organisation."""
    await sides.link(SAM_AT_ORG)
    for place in order:
        await hears_side(sides, place, SAM)
    assert len(await sides.store.read(operations.open_operations, SAM_AT_ORG)) == 1
    ((reader, _body),) = await replies(sides)
    assert reader == SAM_AT_ORG


async def test_side_that_cannot_tell_the_author_uses_no_key(sides):
    await sides.link(SAM_AT_ORG)
    sides.people.silent = True
    with pytest.raises(SlackFailed):
        await hears_side(sides, "T1", SAM)
    sides.people.silent = False
    await hears_side(sides, "E1", SAM)
    assert len(await sides.store.read(operations.open_operations, SAM_AT_ORG)) == 1
    assert len(await replies(sides)) == 1


@pytest.mark.parametrize(("order", "count"), [("own-first", 1), ("other-first", 2)], ids=["own", "other"])
async def test_side_naming_another_author_uses_no_key(sides, order, count):
    """In a shared channel, a Slack workspace may name its own team instead of the author's.

    Usher refuses that author, but the real author still gets an answer.
    """
    await sides.link()
    other = replace(ALICE, team_id="T9")
    for place, author in [("T1", ALICE), ("T2", other)][:: 1 if order == "own-first" else -1]:
        await hears_side(sides, place, author)
    assert len(await sides.store.read(operations.open_operations, ALICE)) == 1
    assert len(await replies(sides)) == count


async def test_stranger_is_refused_once_by_a_side(sides):
    for place in ("T2", "T1"):
        await hears_side(sides, place, STRANGER)
    ((reader, body),) = await replies(sides)
    assert "only work for people in Slack workspaces" in body["text"]
    # Usher can't post in the stranger's own Slack workspace.
    assert reader == Principal(None, "T2", STRANGER.user_id)


# -- the keys --------------------------------------------------------------------------------------


def test_keys_name_the_message_and_the_author_s_send():
    said = message("list", **SENT)
    assert make_message_key(said) == f"message:D1:{SAID}"
    assert make_send_key(said, ALICE) == f"send:c-1:{ALICE.key}"
    assert make_send_key(message("list"), ALICE) == ""


@pytest.mark.parametrize("missing", ["ts", "channel"])
def test_message_without_a_place_has_its_event_s_key(missing):
    assert make_message_key(message("list", **{missing: None})) == "event:Ev1"

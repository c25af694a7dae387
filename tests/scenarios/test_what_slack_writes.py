"""Messages as Slack delivers them: mentions of Usher, names made into links, forwarded text, Slackbot's."""

import pytest
import pytest_asyncio

from playground.slack.events import SUBSCRIPTIONS
from tests.rigs.scenario import ALICE
from tests.rigs.scenario.cloud import SEED, cloud_world
from tests.rigs.scenario.people import BOT, GENERAL

LINKED_NAMES = ("20250713", "report.example")
FORWARDED_MESSAGE = {
    "is_share": True,
    "is_msg_unfurl": True,
    "author_id": "U0CHEN",
    "text": "start report.example",
}


@pytest_asyncio.fixture
async def named(tmp_path):
    """A world with workspaces whose names look like a number and an address to Slack."""
    more = [{"owner": "alice", "name": name, "start_seconds": 5} for name in LINKED_NAMES]
    seed = {**SEED, "workspaces": [*SEED["workspaces"], *more]}
    async with cloud_world(tmp_path, saturn_seed=seed) as world:
        await world.alice.has_linked("alice")
        yield world


async def deliver(world, text, place=BOT, user=ALICE, **keys):
    """Deliver a message as Slack would encode it. Return the messages that Alice gets in that place."""
    state = world.slack.state
    await world.pass_time(2)
    channel, heard = state.place(ALICE, place), {shown.ts for shown in world.alice.hears(0, place)}
    event = {
        "type": "message" if place == BOT else "app_mention",
        "user": user,
        "text": text,
        "ts": state.new_ts(),
    }
    event |= {"team": state.team.id, "channel": channel.id} | keys
    event |= {"event_ts": event["ts"]} | ({"channel_type": "im"} if place == BOT else {})
    subscription = SUBSCRIPTIONS["im"] if place == BOT else "app_mention"
    assert await world.slack.events.emit(event, subscription=subscription)
    await world.pass_time(3)
    return [shown for shown in world.alice.hears(0, place) if shown.ts not in heard]


@pytest.mark.parametrize("text", ["start notebook {0}", "<@{1}> start notebook {0}", "{0} start notebook"])
@pytest.mark.parametrize("place", [BOT, GENERAL], ids=["direct", "channel"])
async def test_own_mention_is_nobody_elses(linked, text, place):
    app = linked.slack.state.app
    await deliver(linked, text.format(f"<@{app.bot_user}>", app.bot_id), place)
    await linked.pass_time(60)
    assert "is ready" in linked.alice.only("ready").text


async def test_other_mention_is_refused(linked):
    (answer,) = await deliver(linked, "<@U0USHER> start notebook for <@U0CHEN>", GENERAL)
    assert "I only work with your own workspaces" in answer.text
    assert linked.calls("POST .*/start") == 0


@pytest.mark.parametrize(
    "text",
    [
        "start <tel:20250713|20250713>",
        "start <tel:20250713|2025-0713>",
        "start <https://report.example|report.example>",
        "start <http://report.example/|Report.Example>",
    ],
    ids=["number", "signs", "address", "slash"],
)
async def test_linked_name_starts_its_workspace(named, text):
    if "2025-0713" in text:
        named.cloud_name = await named.alice.types("alias 20250713 2025-0713")
    await deliver(named, text)
    await named.pass_time(60)
    assert "is ready" in named.alice.only("ready").text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("&gt; start <http://report.example|report.example>", "“start report.example”"),
        ("run <http://etl.py|etl.py>", "`job run etl.py`? / [Run etl.py]"),
    ],
    ids=["quotation", "job"],
)
async def test_question_shows_a_linked_name_as_it_is_read(named, text, said):
    (question,) = await deliver(named, text)
    assert said in question.text.replace("\n", " / ")
    assert "|" not in question.text


async def test_label_that_hides_another_address_starts_nothing(named):
    (answer,) = await deliver(named, "start <https://other.example|report.example>")
    assert "can't find a workspace called *https://other.example*" in answer.text
    assert named.calls("POST .*/start") == 0


@pytest.mark.parametrize("subtype", [{}, {"subtype": "message_share"}], ids=["plain", "message_share"])
async def test_forwarded_words_are_not_read_and_own_words_are(named, subtype):
    (answer,) = await deliver(named, "", attachments=[FORWARDED_MESSAGE], **subtype)
    assert "I don't read forwarded messages." in answer.text
    assert named.calls("POST .*/start") == 0
    await deliver(named, "start notebook", attachments=[FORWARDED_MESSAGE], **subtype)
    await named.pass_time(60)
    assert "*notebook*" in named.alice.only("ready").text
    assert named.calls("POST .*/start") == 1


@pytest.mark.parametrize("place", [BOT, GENERAL], ids=["direct", "channel"])
async def test_slackbot_is_not_answered(linked, place):
    before = linked.calls("", linked.slack)
    assert await deliver(linked, "Reminder: <@U0USHER> start notebook.", place, "USLACKBOT") == []
    assert linked.calls("users.info", linked.slack) == 0
    assert linked.calls("POST .*/start") == 0
    assert before

"""Usher does nothing for people until Slack has said who they are; their requests are kept meanwhile."""

import re

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.people import Person
from bot.domain.surfaces import Where
from bot.domain.tasks import TaskKind
from bot.services.caller import Caller
from bot.store import accounts, counts, operations, tasks
from handlers.assistant.tools import TOOLS, run_tool
from handlers.replaying import replay
from tests.handlers.rig import invited, words
from tests.rigs.store import ALICE

DAY = 86_400.0


async def waiting(bot):
    (task,) = await bot.store.claim(tasks.claim_tasks, 10, 60.0)
    assert task.kind is TaskKind.LOOK_UP_PERSON
    assert task.subject == ALICE.key
    return task.payload["then"]


@pytest.mark.parametrize("mark", ["is_guest", "is_bot", "is_deleted", "is_stranger"])
async def test_who_may_not_gets_no_link_no_account_and_no_task(bot, mark):
    bot.people.marks[ALICE.user_id] = {mark: True}
    for text in (
        "link",
        "link saturn",
        "list",
        "start notebook",
        "new saturn",
        "about",
        "job run",
        "add id-1",
    ):
        assert re.search("Ask (a|someone)", words(await bot.say(text))), text
    for action in ("invite", "make", "class_press"):
        await bot.press(action, "saturn")
    assert await invited(bot) == []
    assert await bot.store.read(accounts.list_accounts, ALICE) == []
    assert (await bot.store.perform(counts.count_rows))["tasks"] == 0
    # Slack was asked once, and its answer is used from then on.
    assert bot.people.asked == [ALICE.user_id]


@pytest.mark.parametrize("mark", ["is_guest", "is_bot", "is_deleted", "is_stranger"])
@pytest.mark.parametrize("text", ["list", "start notebook"])
async def test_nobody_is_refused_by_what_slack_said_some_time_ago(bot, mark, text):
    """A mistake in the directory was corrected, but the event that says so was lost."""
    await bot.link()
    await bot.workspace()
    bot.clock.advance(1)
    await bot.store.save_people([Person(ALICE, "Alice", seen_at=bot.clock.now(), **{mark: True})])
    bot.clock.advance(60)
    assert not re.search("Ask (a|someone)", words(await bot.say(text)))
    assert bot.people.asked == [ALICE.user_id]


@pytest.mark.parametrize(
    ("text", "asks"), [("about", 0), ("help", 0), ("list", 1), ("link", 1), ("start", 1), ("stop", 1)]
)
async def test_an_old_record_will_do_to_show_things_and_not_to_change_them(bot, text, asks):
    old = bot.clock.now() - DAY - 1
    await bot.store.save_people([Person(ALICE, "Alice", seen_at=old)])
    await bot.say(text)
    assert len(bot.people.asked) == asks
    await bot.say(text)
    assert len(bot.people.asked) == asks


async def test_an_old_record_will_do_for_the_list_of_somebody_who_is_linked(bot):
    await bot.link()
    await bot.store.save_people([Person(ALICE, "Alice", seen_at=bot.clock.now() - DAY - 1)])
    await bot.say("list")
    assert bot.people.asked == []


async def test_while_slack_is_silent_a_command_is_kept_and_runs_afterwards(bot):
    bot.people.silent = True
    for _ in range(2):
        answer = await bot.say("link saturn", interaction="command:same")
        assert "Checking with Slack who you are" in words(answer)
    (command,) = await waiting(bot)
    assert command["text"] == "link saturn"
    assert await bot.store.person(ALICE) is None
    bot.people.silent = False
    await replay(bot.services, ALICE, command)
    (notice,) = await bot.notices()
    assert "Link your Saturn Cloud account" in str(notice.body)


async def test_so_is_a_button_with_what_it_stands_for(bot):
    bot.people.silent = True
    assert "Checking with Slack who you are" in words(await bot.press("invite", "saturn start notebook"))
    await bot.press("job_list")
    commands = await waiting(bot)
    assert [one["press"] for one in commands] == ["invite saturn start notebook", "job_list"]
    assert await invited(bot) == []
    bot.people.silent = False
    await replay(bot.services, ALICE, commands[0])
    ((principal, connection, then),) = await invited(bot)
    assert (principal, connection, then["text"]) == (ALICE, "saturn", "start notebook")


async def test_a_button_that_has_asked_does_not_ask_again_after_that(bot):
    await bot.link()
    row = await bot.workspace()
    bot.connections["saturn"].ends_for_good = True
    bot.clock.advance(DAY + 1)
    bot.people.silent = True
    await bot.press("force:yes", row.id)
    (command,) = await waiting(bot)
    bot.people.silent = False
    await replay(bot.services, ALICE, command)
    operation = await bot.store.read(operations.find_latest_operation, row.id)
    assert (operation.verb, operation.agreed) == (OperationVerb.FORCE, True)


async def test_what_an_assistant_asks_is_not_kept_as_nobody_has_read_yet_whether_it_agrees(bot):
    bot.people.silent = True
    slack = {"user_id": ALICE.user_id, "team_id": ALICE.team_id, "enterprise_id": ALICE.enterprise_id}
    said = await run_tool(bot.services, slack, TOOLS["stop"], {"name": "notebook", "at": "--yes"}, "signed")
    assert "I couldn't check with Slack who you are" in said
    assert (await bot.store.perform(counts.count_rows))["tasks"] == 0


async def test_it_is_not_kept_for_ever_and_a_form_says_so_itself(bot):
    bot.people.silent = True
    await bot.say("link saturn")
    (command,) = await waiting(bot)
    await replay(bot.services, ALICE, command)
    (notice,) = await bot.notices()
    assert "I couldn't check with Slack who you are" in str(notice.body)
    answer = await bot.press("field", "x", where=Where.FORM, view_id="V1")
    assert "I couldn't check with Slack who you are" in words(answer)
    assert await bot.store.claim(tasks.claim_tasks, 10, 60.0) == []


async def test_what_was_known_long_ago_lets_nobody_in_while_slack_is_silent(bot):
    await bot.link()
    caller = Caller(bot.services.context, ALICE)
    assert (await caller.decide("start")).allowed
    bot.clock.advance(2 * DAY)
    bot.people.silent = True
    assert (await caller.decide("start")).rule == "policy.unknown_person"

"""start, stop and restart: stored and answered at once, and never doing more than was asked for."""

import pytest

from bot.domain.notices import NoticeKind
from bot.domain.observations import Observed
from bot.domain.operations import OperationVerb
from bot.domain.workspaces import State
from bot.services.operation_requests import begin_operation
from bot.services.workspaces import add_workspace
from bot.store import accounts, discovered, operations
from bot.store.cards import CARD_DELAY_SECONDS
from bot.support.errors import Refused
from tests.handlers.rig import PAGE, buttons, invited, one_cloud, without_nonces, words
from tests.rigs.golden import check_golden
from tests.rigs.store import ALICE, observe, refuse

URL = "https://app.example.test/ide/1"


async def latest(bot, name="notebook"):
    return await bot.store.read(operations.find_latest_operation, (await bot.workspace(name)).id)


@pytest.mark.parametrize("verb", ["start", "stop", "restart"])
async def test_an_operation_is_written_with_its_card_and_its_audit(bot, verb):
    await bot.link(state=State.STOPPED if verb == "start" else State.RUNNING)
    check_golden(f"answers/{verb}", await bot.say(f"{verb} notebook"))
    operation = await latest(bot)
    assert operation.verb == OperationVerb(verb)
    assert operation.is_open
    assert operation.deadline_at == bot.clock.now() + 1800
    assert await bot.notices() == []
    bot.clock.advance(CARD_DELAY_SECONDS)
    (card,) = await bot.notices()
    assert (card.kind, card.subject, card.principal) == (NoticeKind.CARD, operation.id, ALICE)
    assert card.body["channel_id"] == "C1"
    entry = (await bot.audit())[-1]
    assert (entry["actor"], entry["action"], entry["result"]) == (ALICE.key, f"workspace.{verb}", "accepted")
    assert operation.reference in str(entry["detail"])
    assert bot.wakes


async def test_a_bare_start_with_several_asks_which(bot):
    await bot.link(names=("notebook", "trainer"))
    check_golden("answers/start-which", await bot.say("start"))
    assert await bot.store.read(operations.open_operations, ALICE) == []


async def test_what_runs_already_is_said_with_its_age_and_looked_at_again(bot):
    row = (await bot.link()).workspaces[0]
    await observe(bot.store, bot.clock, row, Observed(State.RUNNING, URL))
    bot.clock.advance(120)
    answer = await bot.say("start notebook")
    assert words(answer) == (
        "*notebook* is already running (as of <!date^1800000000^{time}|08:00 UTC>). "
        "I'll check again and send you the link."
    )
    assert (await latest(bot)).is_open


async def test_what_no_longer_exists_is_not_started(bot):
    await bot.link()
    account = await bot.store.read(accounts.find_account, ALICE, "saturn")
    for _ in range(2):
        await bot.store.perform(discovered.merge_discovered, account.id, [])
    answer = await bot.say("start notebook")
    assert "no longer exists" in words(answer)
    assert list(buttons(answer)) == ["Forget"]
    assert await bot.store.read(operations.open_operations, ALICE) == []


async def test_without_a_link_the_command_waits_for_one(bot):
    answer = await bot.say("start notebook")
    check_golden("answers/not-linked", without_nonces(answer))
    assert [waiting["text"] for _, _, waiting in await invited(bot)] == ["start notebook"] * 2


async def test_with_one_connection_it_is_named():
    async with one_cloud() as bot:
        answer = await bot.say("start notebook")
    assert words(answer).startswith("To start *notebook*, link your Saturn Cloud account.")


async def test_a_refused_link_asks_for_a_new_one(bot):
    account = (await bot.link()).account
    assert await refuse(bot.store, account)
    answer = await bot.say("start notebook")
    assert "Saturn Cloud no longer accepts your link" in words(answer)
    assert buttons(answer)["Link again"]["url"].startswith(PAGE)
    ((_, _, waiting),) = await invited(bot)
    assert waiting["text"] == "start notebook"
    assert await bot.store.read(operations.open_operations, ALICE) == []


async def test_a_connection_that_was_taken_away_is_said(bot):
    await bot.link()
    row = await bot.workspace()
    del bot.connections["saturn"]
    assert "The connection saturn isn't set up any more." in words(await bot.press("start", row.id))
    assert words(await bot.say("list"))


async def test_use_cases_refuse_by_themselves_too(bot):
    """A use case checks the account again, whoever calls it."""
    await bot.link()
    row = await bot.workspace()
    restarted = await bot.services.create_caller(ALICE, "r:1").run(
        begin_operation, row.id, OperationVerb.RESTART
    )
    assert restarted.operation.verb is OperationVerb.RESTART
    account = await bot.store.read(accounts.find_account, ALICE, "saturn")
    await refuse(bot.store, account)
    with pytest.raises(Refused) as refused:
        await bot.services.create_caller(ALICE, "r:2").run(begin_operation, row.id, OperationVerb.START)
    assert refused.value.rule == "account.refused"
    with pytest.raises(Refused) as refused:
        await bot.services.create_caller(ALICE).run(add_workspace, "hub", "id-1", None)
    assert refused.value.rule == "account.none"

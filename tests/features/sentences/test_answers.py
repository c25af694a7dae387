"""The answers to sentences that were read: several requests, *it* and places, runs, and open questions."""

from bot.domain.workspaces import State
from bot.features.sentences.reading import read
from bot.store import accounts, operations
from handlers import routes
from handlers.names import Names
from tests.handlers.rig import buttons, words
from tests.handlers.run_rig import going, run_rig
from tests.rigs.store import ALICE, hide_workspace


async def test_yes_to_several_requests_takes_a_press(bot):
    await bot.link(names=("notebook", "report"))
    said = words(await bot.talk("start notebook and stop report", "yes"))
    assert said.startswith("To do that with *notebook*, *report*, press the button above.")
    assert await bot.store.read(operations.open_operations, ALICE) == []


async def test_it_at_a_place_offers_workspaces_there_though_all_are_up(bot):
    await bot.link(names=("notebook", "report"))
    await bot.link(connection="hub", names=("lab",))
    for name in ("notebook", "report"):
        await bot.sees(State.RUNNING, name)
    assert set(buttons(await bot.say("start it on saturn"))) == {"Start notebook", "Start report"}


async def test_stop_of_a_run_with_a_slip_is_only_offered():
    async with run_rig() as bot:
        run = await going(bot, "train.R")
        looked = tuple(account.id for account in await bot.store.read(accounts.list_accounts, ALICE))
        answer = await bot.say("stop trian.R", looked=looked)
        assert words(answer) == "This will stop the run *train.R* on Posit Workbench."
        assert [button["value"] for button in buttons(answer).values()] == [run.id]


async def test_yes_after_the_workspaces_of_a_question_are_gone(bot):
    await bot.link(names=("notes", "notebook"))
    assert len(buttons(await bot.talk("start note"))) == 2
    for name in ("notes", "notebook"):
        await hide_workspace(bot.store, (await bot.workspace(name)).id)
    assert words(await bot.talk("yes")).startswith("I didn't ask you anything.")


async def test_status_of_a_connection_is_about_its_health(bot):
    await bot.link(names=("notebook", "report"))
    assert words(await bot.say("status saturn")).startswith("I don't know of any problem with *Saturn Cloud*")


async def test_order_about_hours_of_several_is_offered_for_each(bot):
    await bot.link(names=("notebook", "report"))
    for name in ("notebook", "report"):
        await bot.say(f"hours {name} weekdays 9:00-17:00")
    assert set(buttons(await bot.say("pause until monday"))) == {
        "Pause the hours of notebook until monday",
        "Pause the hours of report until monday",
    }


async def test_words_of_questions_beside_a_run_are_not_left_out():
    async with run_rig() as bot:
        names = Names((), [await going(bot, "train.R")])
        text = ("logs", "train.R", "for", "2h", "ready")
        assert read(text, "job", routes.list_verbs_by_folder(), names).which.left_out == ("for 2h",)

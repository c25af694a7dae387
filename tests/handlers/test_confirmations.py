"""Confirmations: what runs at once, what is only offered, several workspaces, and later changes."""

import pytest

from bot.domain.notices import NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.steps import Update
from bot.domain.stops import StopEffect
from bot.domain.surfaces import Where
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.services.operation_requests import begin_operation
from bot.store import operations, workspaces
from tests.handlers.rig import Cloud, Rig, buttons, one_cloud, words
from tests.rigs.golden import check_golden
from tests.rigs.store import ALICE, BOB


class Erasing(Cloud):
    """A provider that erases a workspace when it is stopped."""

    def stop_effects(self, workspace):
        return {"stop": StopEffect.ERASES}


async def up(bot: Rig, *names: str) -> None:
    for name in names:
        await bot.sees(State.RUNNING, name)


async def open_ones(bot: Rig) -> list[str]:
    names = {one.id: one.title for one in await bot.store.perform(workspaces.read_workspaces, ALICE)}
    found = [
        f"{one.verb} {names[one.workspace_id]}"
        for one in await bot.store.read(operations.open_operations, ALICE)
    ]
    return sorted(found)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I'm done with notebook", "Stop notebook"),
        ("stop notebok", "Stop notebook"),
        ("stop note", "Stop notebook"),
    ],
)
async def test_a_guess_that_ends_something_is_one_press_away_and_done_on_it(bot: Rig, text, label):
    await bot.link()
    await up(bot, "notebook")
    answer = await bot.say(text)
    assert await open_ones(bot) == []
    (button,) = buttons(answer).values()
    assert "confirm" not in button
    await bot.push(answer, label)
    assert await open_ones(bot) == ["stop notebook"]


async def test_what_changed_since_the_offer_is_told_and_not_done(bot: Rig):
    await bot.link(names=("notebook", "training", "report"))
    await up(bot, "notebook", "training", "report")
    answer = await bot.say("stop all")
    await bot.sees(State.STOPPED, "training")
    report = await bot.workspace("report")
    restarted = await bot.services.create_caller(ALICE, "r").run(
        begin_operation, report.id, OperationVerb.RESTART
    )
    await bot.store.write(
        operations.save_step, Update(restarted.operation.id, 0.0, outcome=Outcome.FULFILLED)
    )
    done = await bot.push(answer, "Stop 3 workspaces")
    assert "Stopping *notebook*" in words(done)
    assert "*training* has changed since" in words(done)
    assert "*report* has changed since" in words(done)
    assert await open_ones(bot) == ["stop notebook"]


async def test_start_under_way_is_named_among_several(bot: Rig):
    """The last read found the workspace stopped, but the answer mustn't say so once a start is accepted."""
    await bot.link(names=("notebook", "training", "report"))
    for name in ("notebook", "training"):
        await bot.say(f"start {name}")
    assert words(await bot.say("start notebook and training")) == (
        "There's nothing to do. *notebook* is already starting. *training* is already starting."
    )
    assert "*notebook* is already starting." in words(await bot.say("start notebook and report"))


async def test_a_button_for_several_works_for_its_owner_only(bot: Rig):
    await bot.link(names=("notebook", "training"))
    await bot.link(BOB, ("theirs",), username="bob")
    await up(bot, "notebook", "training")
    answer = await bot.say("stop all")
    done = await bot.push(answer, "Stop 2 workspaces", principal=BOB)
    assert "I haven't done anything" in words(done)
    assert await open_ones(bot) == []


async def test_several_are_started_and_stopped_at_a_time_with_one_press(bot: Rig):
    await bot.link(names=("notebook", "training", "report"))
    await up(bot, "report")
    answer = await bot.say("start all for 2h")
    check_golden("answers/several-at", answer)
    assert await open_ones(bot) == []
    done = await bot.push(answer, "Start 2 workspaces until 10:00 UTC")
    check_golden("answers/several-at-done", done)
    assert await open_ones(bot) == ["start notebook", "start training"]
    ends = [(await bot.workspace(name)).stop_at for name in ("notebook", "training", "report")]
    assert ends == [bot.clock.now() + 7200, bot.clock.now() + 7200, None]
    await bot.push(await bot.say("keep all"), "Keep 2 workspaces running")
    assert (await bot.workspace("notebook")).stop_at is None
    later = await bot.say("stop all in 1h")
    assert "Stop 3 workspaces at 09:00 UTC" in buttons(later)
    await bot.push(later, "Stop 3 workspaces at 09:00 UTC")
    assert (await bot.workspace("report")).stop_mode == "stop"
    assert await open_ones(bot) == ["start notebook", "start training"]
    bot.clock.advance(7200)
    passed = await bot.push(later, "Stop 3 workspaces at 09:00 UTC")
    assert "That time has passed" in words(passed)


async def test_several_stops_at_a_time_that_end_for_good_say_so():
    async with one_cloud(Erasing) as bot:
        await bot.link(names=("notebook", "training"), state=State.RUNNING)
        assert words(await bot.say("stop notebook training at 18:00")).count("for good") == 2


async def test_what_will_end_for_good_at_a_time_says_so_among_several():
    async with one_cloud(Erasing) as bot:
        await bot.link(names=("notebook", "training"))
        answer = await bot.say("start notebook training for 2h")
        assert words(answer).count("this will end it for good") == 2
        await bot.push(answer, "Start 2 workspaces until 10:00 UTC")
        assert (await bot.workspace("notebook")).stop_agreed


async def test_what_ends_for_good_says_so_among_several_and_by_itself():
    async with one_cloud(Erasing) as bot:
        await bot.link(names=("notebook", "training"))
        await up(bot, "notebook", "training")
        answer = await bot.say("stop all")
        assert words(answer).count("this will end it for good. Everything stored only in it is lost.") == 2
        typed = await bot.say("stop notebook")
        assert words(typed) == words(await bot.say("kill notebook"))
        dialog = buttons(await bot.say("status notebook"))["Stop"]["confirm"]["text"]["text"]
        said = words(typed).replace("*notebook*", "notebook")
        assert said == f"{dialog} To continue, press *End it*."
        assert await open_ones(bot) == []
        await bot.push(answer, "Stop 2 workspaces")
        assert [one.agreed for one in await bot.store.read(operations.open_operations, ALICE)] == [True, True]


async def test_cancel_ends_a_start_and_leaves_alone_what_runs(bot: Rig):
    await bot.link(names=("notebook", "training"))
    await up(bot, "training")
    await bot.say("start notebook")
    assert "Nothing that can be cancelled" in words(await bot.say("cancel training"))
    assert await open_ones(bot) == ["start notebook"]
    assert "Cancelling the start" in words(await bot.say("cancel notebook"))
    assert await open_ones(bot) == ["stop notebook"]


@pytest.mark.parametrize(
    ("state", "keys", "is_stopped"),
    [
        pytest.param(State.FAILED, {}, True, id="failed"),
        pytest.param(State.UNKNOWN, {}, True, id="unknown"),
        pytest.param(State.FAILED, {"actions": frozenset({"start"})}, False, id="nothing-left"),
        pytest.param(State.STOPPED, {}, False, id="stopped"),
    ],
)
async def test_what_may_still_run_is_stopped_like_what_runs(bot: Rig, state, keys, is_stopped):
    """*Stop all*, planned stops and buttons treat a workspace as down only if that is known."""
    await bot.link(names=("notebook",))
    await bot.sees(State.STOPPED)
    await bot.sees(state, **keys)
    shown = await bot.say("status notebook")
    assert ("Stop" in buttons(shown)) is is_stopped
    planned = words(await bot.say("stop notebook in 2h"))
    assert ("isn't running, so there's nothing to stop later" in planned) is not is_stopped
    await bot.say("stop all --yes")
    assert await open_ones(bot) == (["stop notebook"] if is_stopped else [])


async def test_one_button_for_several_names_all_of_them_and_does_no_more(bot: Rig):
    await bot.link(names=("notebook", "training", "report"))
    await up(bot, "notebook", "training", "report")
    await bot.say("forget report")
    answer = await bot.say("stop all")
    assert await open_ones(bot) == []
    done = await bot.push(answer, "Stop 2 workspaces")
    check_golden("answers/several-done", done)
    assert await open_ones(bot) == ["stop notebook", "stop training"]
    again = await bot.push(answer, "Stop 2 workspaces")
    assert "*notebook* is already stopping" in words(again)
    assert "running" not in words(again)
    assert await open_ones(bot) == ["stop notebook", "stop training"]


async def test_in_a_direct_message_several_are_said_at_once_and_have_no_cards(bot: Rig):
    await bot.link(names=("notebook", "training"))
    await up(bot, "notebook", "training")
    answer = await bot.direct("stop all")
    await bot.sees(State.STOPPED, "training")
    done = await bot.push(answer, "Stop 2 workspaces", channel_id="D1", where=Where.DIRECT)
    assert words(done).startswith("Stopping *notebook*.")
    assert "*training* has changed since" in words(done)
    await up(bot, "training")
    assert "Stopping *training*." in words(await bot.direct("stop all --yes"))
    assert [one for one in await bot.notices() if one.kind is NoticeKind.CARD] == []
    assert await open_ones(bot) == ["stop notebook", "stop training"]
    assert "There's nothing to do" in words(await bot.direct("stop all --yes"))


async def test_several_are_done_at_once_by_those_who_said_yes_beforehand(bot: Rig):
    await bot.link(names=("notebook", "training"))
    await up(bot, "notebook", "training")
    await bot.say("stop all")
    assert await open_ones(bot) == []
    await bot.say("kill all --yes")
    assert await open_ones(bot) == ["stop notebook", "stop training"]


async def test_a_planned_stop_is_moved_by_what_was_asked_for_and_no_other_is_guessed(bot: Rig):
    await bot.link(names=("notebook", "training"))
    await up(bot, "notebook")
    await bot.say("stop notebook in 1h")
    planned = bot.clock.now() + 3600
    await bot.say("keep notebook 2h longer")
    assert (await bot.workspace("notebook")).stop_at == planned + 7200
    assert "Choose a time within" in words(await bot.say("keep notebook 14 days longer"))
    assert "nothing to extend" in words(await bot.say("keep training 1h longer"))


async def test_remove_is_said_beforehand_only_with_the_whole_name(bot: Rig):
    await bot.link()
    for text in ("remove note --yes", "remove notebok --yes", "remove my notebook --yes"):
        await bot.say(text)
    assert await open_ones(bot) == []
    await bot.say("remove notebook --yes")
    assert await open_ones(bot) == ["remove notebook"]


async def test_several_that_end_for_good_are_asked_about_unless_agreed():
    async with one_cloud(Erasing) as bot:
        await bot.link(names=("notebook", "training"))
        await up(bot, "notebook", "training")
        assert "for good" in words(await bot.say("stop notebook and training"))
        assert await open_ones(bot) == []
        await bot.say("stop notebook and training --yes")
        assert await open_ones(bot) == ["stop notebook", "stop training"]

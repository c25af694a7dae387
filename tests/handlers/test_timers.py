"""Planned stops: set, moved and cancelled by text, buttons and forms, with the answers."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.forms import Spec
from bot.domain.notices import NoticeKind
from bot.domain.observations import Created, Observed
from bot.domain.operations import OperationVerb
from bot.domain.steps import Update
from bot.domain.tasks import TaskKind
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.messages.blocks.notices import render
from bot.services.operation_requests import create_workspace
from bot.services.restored_backups import pause_restored
from bot.store import accounts, creations, operations, tasks, timers, workspaces
from tests.handlers.rig import COLLEAGUE, buttons, one_cloud, rig, submit, words
from tests.rigs.golden import check_golden
from tests.rigs.store import ALICE, accept_operation, observe, refuse, within

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600.0


@pytest.fixture
async def bot():
    async with rig() as made:
        await made.link(names=("notebook", "training"))
        await made.zone()
        yield made


async def stop_at(bot, name="notebook"):
    return (await bot.workspace(name)).stop_at


def at_hour(bot, hour, day=0):
    """Return a full hour in Alice's time zone, today or on a later day."""
    today = datetime.fromtimestamp(bot.clock.now(), BERLIN)
    return today.replace(hour=hour, minute=0, second=0, microsecond=0).timestamp() + day * 86_400


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("stops", "Before that, Saturn Cloud stops it"),
        ("stops_anyway", "Before that, Saturn Cloud stops it"),
        ("removed", "Before that, Saturn Cloud removes it"),
    ],
)
async def test_a_plan_beyond_the_providers_end_says_so_when_it_is_made(bot, mode, said):
    await bot.sees(State.RUNNING, expires_at=bot.clock.now() + HOUR, expiry_mode=mode)
    answer = await bot.say("keep notebook until 18:00")
    assert said in words(answer)
    assert ("unless it's used" in words(answer)) == (mode == "stops")
    assert said not in words(await bot.say("keep notebook until 9:30"))


@pytest.mark.parametrize(
    ("plan", "short"),
    [
        ("start notebook until 18:00", "start notebook until 9:30"),
        ("stop notebook at 18:00", "stop notebook at 9:30"),
        ("hours notebook daily 8:00-18:00", "hours notebook daily 8:00-9:30"),
        ("hours notebook daily -18:00", "hours notebook daily -9:30"),
    ],
)
async def test_each_way_to_plan_a_stop_says_that_the_providers_end_is_sooner(bot, plan, short):
    bot.services.connections["saturn"].facets = lambda: frozenset({"extension"})
    await bot.sees(State.RUNNING, expires_at=bot.clock.now() + HOUR, expiry_mode="stops")
    assert "Before that, Saturn Cloud stops it" in words(await bot.say(plan))
    assert "Before that" not in words(await bot.say(short))


async def test_a_plan_for_several_names_those_that_end_sooner(bot):
    await bot.sees(State.RUNNING, expires_at=bot.clock.now() + HOUR, expiry_mode="stops")
    await observe(bot.store, bot.clock, await bot.workspace("training"), Observed(State.RUNNING))
    answer = words(await bot.say("stop notebook and training at 18:00"))
    assert "Before that, Saturn Cloud stops *notebook*" in answer
    assert "stops *training*" not in answer


async def test_an_hour_more_beyond_the_providers_end_says_so(bot):
    await bot.sees(State.RUNNING, expires_at=bot.clock.now() + 1.5 * HOUR, expiry_mode="stops_anyway")
    await bot.say("stop notebook at 10:00")
    row = await bot.workspace("notebook")
    moved = await bot.press(f"hour_more:u{row.stop_at:.0f}", row.id)
    assert "Before that, Saturn Cloud stops it" in words(moved)


async def test_what_a_provider_can_extend_is_kept_two_hours_more(bot):
    bot.services.connections["saturn"].facets = lambda: frozenset({"extension"})
    await bot.sees(State.RUNNING, expires_at=bot.clock.now() + HOUR, expiry_mode="stops")
    answer = await bot.say("stop notebook at 18:00")
    press = buttons(answer)["Keep 2 h more"]
    kept = await bot.press(press["action_id"], press["value"])
    assert "I'm asking Saturn Cloud to stop *notebook*" in words(kept)
    (task,) = [
        one for one in await bot.store.claim(tasks.claim_tasks, 9, 60.0) if one.kind is TaskKind.EXTEND
    ]
    assert task.payload == {"until": bot.clock.now() + 3 * HOUR}
    # If use doesn't postpone the end at the provider, Usher doesn't offer to postpone it.
    await bot.sees(State.RUNNING, expires_at=bot.clock.now() + HOUR, expiry_mode="stops_anyway")
    assert "Keep 2 h more" not in buttons(await bot.say("stop notebook at 18:00"))
    await bot.sees(State.STOPPED)
    assert "isn't running" in words(await bot.press(press["action_id"], press["value"]))


# It is 09:00 in Berlin.
@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("start notebook for 2h", 11),
        ("start notebook until 18:00", 18),
        ("START NOTEBOOK UNTIL 6PM", 18),
        ("start for 2h", None),
        ("restart notebook for 2 hours", 11),
        ("start 'notebook' for 90 min", 10.5),
        ("start notebook 2h", 11),
    ],
)
async def test_a_start_says_until_when(bot, text, hour):
    if text.startswith("re"):
        await bot.sees(State.RUNNING)
        await bot.sees(State.SUSPENDED)
    now = bot.clock.now()
    answer = await bot.say(text)
    if hour is None:
        # Whichever button is pressed, the time is the same.
        assert "Which workspace?" in words(answer)
        assert await stop_at(bot) is None
        answer = await bot.push(answer, "Start notebook until 11:00")
        hour = 11
    assert abs(await stop_at(bot) - (at_hour(bot, 0) + hour * HOUR)) <= bot.clock.now() - now + 30
    assert "I'll stop *notebook* at <!date^" in words(answer)
    assert (await bot.store.read(operations.find_latest_operation, (await bot.workspace()).id)).is_open


async def test_an_answer_says_until_when(bot):
    check_golden("answers/start-until", await bot.say("start notebook until 18:00"))
    assert (await bot.direct("start training until 18:00")).text == ""
    said = words(await bot.direct("start training until 08:00"))
    assert "That time has already passed today, so I've set it for tomorrow." in said


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("stop notebook at 6pm", 18),
        ("stop notebook in 2 hours", 11),
        ("stop notebook by 18h", 18),
        ("stop notebook 6pm", 18),
        ("stop notebook tomorrow at 9:00", 33),
        ("suspend notebook at 6pm", 18),
        ("keep notebook until 20:00", 20),
    ],
)
async def test_a_stop_later_writes_no_operation(bot, text, hour):
    workspace = await bot.sees(State.RUNNING)
    answer = await bot.say(text)
    assert abs(await stop_at(bot) - (at_hour(bot, 0) + hour * HOUR)) < 30
    assert await bot.store.read(operations.find_latest_operation, workspace.id) is None
    verb = text.split()[0]
    assert verb == "keep" or (await bot.workspace()).stop_mode == verb
    assert list(buttons(answer)) == ([] if verb == "keep" else ["Cancel it"])
    entry = (await bot.audit())[-1]
    assert (entry["actor"], entry["action"]) == (ALICE.key, "workspace.timer")


async def test_changed_and_taken_back(bot):
    await bot.sees(State.RUNNING)
    first = await bot.say("stop notebook at 18:00")
    check_golden("answers/stop-later", first)
    await bot.say("stop notebook at 20:00")
    assert await stop_at(bot) == at_hour(bot, 20)
    assert "keeps running" in words(await bot.say("keep notebook"))
    assert await stop_at(bot) is None
    assert "has no planned stop" in words(await bot.say("keep notebook"))


async def test_the_warnings_buttons(bot):
    # A duration ends between two full seconds, and the buttons carry the exact time.
    bot.clock.advance(0.4)
    workspace = await bot.sees(State.RUNNING)
    await bot.say("stop notebook in 2 hours")
    planned = await stop_at(bot)
    for _ in range(2):
        answer = await bot.press(f"hour_more:u{planned:.0f}", workspace.id)
        assert answer.replaces
        assert await stop_at(bot) == pytest.approx(planned + HOUR, abs=1.0)
    assert "keeps running" in words(await bot.push(answer, "Keep running"))
    assert await stop_at(bot) is None
    late = await bot.press(f"hour_more:u{planned:.0f}", workspace.id)
    assert "no longer has a planned stop" in words(late)


async def test_a_press_after_the_stop_has_begun_does_not_say_that_it_keeps_running(bot):
    workspace = await bot.sees(State.RUNNING)
    await bot.say("stop notebook at 18:00")
    at = at_hour(bot, 18)
    operation = (
        await accept_operation(
            bot.store, workspace, OperationVerb.STOP, deadline_seconds=600.0, planned_for=at
        )
    ).operation
    await within(bot.store, timers.end_timer, workspace.id, at)
    said = words(await bot.press(f"keep_running:u{at:.0f}", workspace.id))
    assert "keeps running" not in said
    assert "no longer has a planned stop" in said
    assert "Stopping" in said
    assert "The card in our direct messages" not in said
    await observe(bot.store, bot.clock, workspace, Observed(State.STOPPED))
    await bot.store.write(operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FULFILLED))
    said = words(await bot.press(f"keep_running:u{at:.0f}", workspace.id))
    assert "keeps running" not in said
    assert "Stopped" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stop notebook for 2h", "`/workspace stop notebook at 18:00`"),
        ("stop notebook until 18:00", "`/workspace stop notebook at 18:00`"),
        ("suspend notebook until tomorrow 9:00", "`/workspace suspend notebook at 18:00`"),
        ("stopp notebook für 2 Stunden", "`/workspace stop notebook at 18:00`"),
        ("stop for 2h", "`/workspace stop NAME at 18:00`"),
        ("start notebook until 2h", "Type `for 2h` or `at 02:00`."),
        ("stop notebook today 8:00", "has already passed"),
        ("stop notebook in 20 days", "too far away"),
        ("stop training at 18:00", "isn't running, so there's nothing to stop later"),
    ],
)
async def test_what_can_not_be_done_is_said_with_what_can(bot, text, said):
    await bot.sees(State.RUNNING)
    assert said in words(await bot.say(text))
    assert await stop_at(bot) is None
    assert await bot.store.read(operations.find_latest_operation, (await bot.workspace()).id) is None


async def test_a_workspace_of_that_name_is_what_is_meant(bot):
    await bot.link(names=("notebook", "training", "report at 5pm"))
    await bot.sees(State.RUNNING, "report at 5pm")
    await bot.say("stop report at 5pm")
    assert await stop_at(bot, "report at 5pm") is None
    assert (
        await bot.store.read(operations.find_latest_operation, (await bot.workspace("report at 5pm")).id)
    ).is_open


async def test_an_old_button_does_not_stop_at_once(bot):
    workspace = await bot.sees(State.RUNNING)
    assert "That time has passed" in words(await bot.press("stop:1:u1600000000", workspace.id))
    assert await bot.store.read(operations.find_latest_operation, workspace.id) is None


async def test_buttons_of_a_failed_start_say_what_to_type_instead(bot):
    """Slack may not open the form, and the time of *Keep trying* may have passed."""
    key = (await bot.workspace()).id
    assert "`/workspace start notebook --wait until TIME`" in words(await bot.press("try_until", key))
    passed = words(await bot.press("keep_trying:u1600000000", key))
    assert passed == "That time has passed, so I haven't done anything. Ask again with a later time."


async def test_what_ends_for_good_asks_first():
    async with one_cloud() as bot:
        bot.connections["saturn"].ends_for_good = True
        await bot.link()
        await bot.zone()
        await bot.sees(State.RUNNING)
        asked = await bot.say("stop notebook at 18:00")
        check_golden("answers/stop-later-for-good", asked)
        assert await stop_at(bot) is None
        await bot.push(asked, "End it then")
        workspace = await bot.workspace()
        assert (workspace.stop_at, workspace.stop_agreed) == (at_hour(bot, 18), True)
        await bot.say("keep notebook")
        await bot.say("stop notebook at 18:00 --yes")
        assert await stop_at(bot) == at_hour(bot, 18)


async def test_the_form_asks_in_the_same_words_if_that_ends_it_for_good_by_now():
    async with one_cloud() as bot:
        await bot.link()
        await bot.zone()
        workspace = await bot.sees(State.RUNNING)
        view = await form(bot, workspace)
        bot.connections["saturn"].ends_for_good = True
        sent = await send(bot, view, other="18:00")
        assert await stop_at(bot) is None
        typed = await bot.say("stop notebook at 18:00")
        assert sent["response_action"] == "update"
        asked = str(sent["view"]["blocks"][0])
        assert asked == str(typed.blocks[0])
        await bot.push(typed, "End it then")
        workspace = await bot.workspace()
        assert (workspace.stop_at, workspace.stop_agreed) == (at_hour(bot, 18), True)


async def test_what_has_ended_asks_by_what_its_successor_will_lose():
    async with one_cloud() as bot:
        provider = bot.connections["saturn"]
        provider.ends_for_good = True
        await bot.link(names=())
        await bot.zone()
        made = await bot.services.create_caller(ALICE, "make").run(create_workspace, "saturn", Spec("lab"))
        row = await bot.store.write(
            creations.name_created, made.operation.id, Created("m1", "lab"), provider.gate_key("m1")
        )
        await bot.store.write(operations.save_step, Update(made.operation.id, 0.0, outcome=Outcome.FULFILLED))
        await observe(bot.store, bot.clock, row, Observed(State.RUNNING))
        await observe(bot.store, bot.clock, row, Observed(State.GONE))
        asked = await bot.say("start lab for 2h")
        assert "can't be started again" in words(asked)
        await bot.push(asked, "End it then")
        (lab,) = [
            one for one in await bot.store.perform(workspaces.read_workspaces, ALICE) if one.is_provisional
        ]
        assert lab.stop_agreed
        assert abs(lab.stop_at - bot.clock.now() - 2 * HOUR) < 30


async def form(bot, workspace):
    answer = await bot.press("stop_later", workspace.id)
    assert answer.view is not None
    assert "To choose when it stops, type `" in words(answer)
    return answer.view


async def send(bot, view, when="", other="", principal=ALICE):
    option = {"selected_option": {"value": when} if when else None}
    values = {"when": {"when": option}, "other": {"other": {"value": other}}}
    sent = {**view, "id": "V1", "state": {"values": values}}
    bot.count += 1
    return await submit(bot.services, principal, sent, f"view:{bot.count}")


async def test_the_form_sets_changes_and_takes_back(bot):
    workspace = await bot.sees(State.RUNNING)
    view = await form(bot, workspace)
    check_golden("views/stop-later", view)
    assert await send(bot, view, when="120") == {"response_action": "clear"}
    assert abs(await stop_at(bot) - bot.clock.now() - 2 * HOUR) < 30
    assert await send(bot, view, other="18:00") == {"response_action": "clear"}
    assert await stop_at(bot) == at_hour(bot, 18)
    view = await form(bot, workspace)
    check_golden("views/stop-later-again", view)
    assert await send(bot, view, when="never") == {"response_action": "clear"}
    assert await stop_at(bot) is None


async def test_no_form_opens_for_a_workspace_that_has_stopped(bot):
    workspace = await bot.sees(State.STOPPED)
    answer = await bot.press("stop_later", workspace.id)
    assert answer.view is None
    assert "isn't running, so there's nothing to stop later" in words(answer)


async def test_the_form_says_what_it_can_not_read(bot):
    workspace = await bot.sees(State.RUNNING)
    view = await form(bot, workspace)
    assert "Choose a time" in (await send(bot, view))["errors"]["when"]
    assert "I can't read soon as a time" in (await send(bot, view, other="soon"))["errors"]["other"]
    assert "can't find that workspace" in str(await send(bot, view, when="60", principal=COLLEAGUE))
    assert await stop_at(bot) is None


async def test_what_a_backup_had_planned_is_set_again_only_by_a_press(bot):
    await bot.sees(State.RUNNING)
    await bot.say("stop notebook at 18:00")
    planned = await stop_at(bot)
    await pause_restored(bot.store)
    assert await stop_at(bot) is None
    (notice,) = await bot.notices(NoticeKind.PLANNED_STOP_FAILED)
    question = render(notice.kind, await bot.services.gatherer.describe_notice(notice))
    assert "Should I still stop *notebook* on Saturn Cloud" in words(question)
    assert words(await bot.push(question, "Leave it")) == "Left as it is."
    assert await stop_at(bot) is None
    await bot.push(question, "Stop it")
    assert await stop_at(bot) == planned


async def test_refused_link_promises_nothing_where_no_command_waits(bot):
    workspace = await bot.sees(State.RUNNING)
    view = await form(bot, workspace)
    assert await refuse(bot.store, await bot.store.read(accounts.find_account, ALICE, "saturn"))
    shown = await send(bot, view, when="120")
    assert "Link again here." in str(shown["view"]["blocks"])
    pressed = await bot.press(f"stop:u{bot.clock.now() + HOUR:.0f}", f"{workspace.id}@{workspace.generation}")
    assert words(pressed).startswith("Saturn Cloud no longer accepts your link. Link again here.")
    said = "Link again here and I'll carry on with your request."
    assert said in words(await bot.say("stop notebook in 2 hours"))

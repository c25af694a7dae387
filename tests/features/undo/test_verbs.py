"""Taking back: for every verb that changes something, what *undo* does, and the answers of *no*."""

import pytest

from bot.domain.observations import Observed
from bot.domain.steps import Update
from bot.domain.stops import PlannedStop
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State
from bot.features.home import store as home_store
from bot.features.home.messages import render_home as draw
from bot.features.home.model import Home, HomeUse
from bot.features.home.use_cases import HomeGatherer
from bot.features.hours import store as hour_rows
from bot.features.hours import use_cases as hours_use_cases
from bot.messages.verb import Effect, list_verbs
from bot.store import operations, runs, timers
from tests.features.undo.everything import everything
from tests.handlers.rig import buttons, one_cloud, words
from tests.handlers.run_rig import going, run_rig, step
from tests.handlers.settings_form import FIELDS, NONE, save
from tests.rigs.homes import use_home
from tests.rigs.store import ALICE, BOB, observe
from tests.rigs.today import list_requests


async def asked(bot, text, **keys):
    bot.clock.advance(1)
    return await bot.direct(text, **keys)


#: By verb: what is said to change something, after what was said before.
RESTORED: dict[str, list[tuple[str, ...]]] = {
    "start": [("start notebook",), ("start notebook for 2h",)],
    "resume": [("resume asleep",)],
    "stop": [("stop report",), ("stop report at 6pm",), ("stop report at 6pm", "stop report at 8pm")],
    "suspend": [("suspend report",), ("suspend report at 6pm",)],
    "restart": [("restart report",)],
    "keep": [("stop report at 6pm", "keep report"), ("keep report until 20:00",)],
    "hours": [
        ("hours notebook weekdays 9:00-18:00",),
        ("hours notebook weekdays 9:00-18:00", "hours notebook weekdays 10:00-18:00"),
        ("hours notebook weekdays 9:00-18:00", "hours notebook off"),
        ("hours notebook weekdays 9:00-18:00", "hours notebook skip tomorrow"),
        ("hours notebook weekdays 9:00-18:00", "hours notebook skip tomorrow", "hours notebook on"),
    ],
    "queue": [("queue notebook",), ("queue notebook", "queue notebook until 20:00")],
    "unqueue": [("queue notebook", "unqueue"), ("queue notebook", "unqueue notebook")],
    "add": [("forget notebook", "add notebook")],
    "alias": [("alias notebook thesis",), ("alias notebook thesis", "alias thesis --clear")],
    "notify": [("notify notebook off",), ("notify notebook on", "notify notebook usual")],
    "forget": [("forget notebook",), ("stop report at 6pm", "forget report")],
    "remove": [("remove notebook --yes",)],
}
#: They only open a form, ask or show a page, or can't be taken back.
OTHERS = {"cancel", "card", "new", "press", "unlink"}


@pytest.fixture
async def bot():
    async with one_cloud() as one:
        await one.link(names=("notebook", "report", "asleep"))
        for name, state in (("report", State.RUNNING), ("asleep", State.SUSPENDED)):
            await one.sees(state, name)
        yield one


@pytest.mark.parametrize("said", [one for many in RESTORED.values() for one in many], ids=" then ".join)
async def test_what_is_taken_back_is_as_it_was_and_nothing_is_sent(bot, said):
    *before, last = said
    for text in before:
        await asked(bot, text)
    was = await everything(bot.store)
    await asked(bot, last)
    assert await everything(bot.store) != was
    answer = await asked(bot, "undo")
    assert await everything(bot.store) == was, words(answer)
    assert not [
        one
        for one in await bot.store.claim(operations.claim_operations, 10, 60.0)
        if one.subject.id not in before
    ]


async def test_settings_are_taken_back_by_their_button_in_the_home(bot):
    await save(bot, **FIELDS, **NONE)
    was = await everything(bot.store)
    bot.clock.advance(1)
    await save(bot, tell=[], **NONE)
    assert await everything(bot.store) != was
    assert "Your settings are as they were before." in words(await asked(bot, "undo"))
    assert await everything(bot.store) == was


async def begun(bot, name, **update):
    """Let the engine have sent what was begun for a workspace."""
    operation = await bot.store.read(operations.find_latest_operation, (await bot.workspace(name)).id)
    assert await bot.store.write(operations.save_step, Update(operation.id, 5.0, called=True, **update))


@pytest.mark.parametrize("typed", ["undo", "revert"])
async def test_what_is_under_way_is_said_and_left_with_what_leads_back(bot, typed):
    await asked(bot, "stop report")
    await begun(bot, "report", stop_call=Call.ACCEPTED)
    was = await everything(bot.store)
    answer = await asked(bot, typed)
    assert words(answer) == "I'm already stopping *report*."
    assert list(buttons(answer)) == ["Start it again"]
    assert await everything(bot.store) == was
    await bot.push(answer)
    (operation,) = await bot.store.read(operations.open_operations, ALICE)
    assert operation.verb == "start"


async def test_the_card_of_a_stop_takes_it_back_until_it_was_sent(bot):
    assert not (await asked(bot, "stop report")).text
    card = await asked(bot, "status report")
    assert "I've cancelled the stop of *report*." in words(await bot.push(card, "Undo"))
    assert await bot.store.read(operations.open_operations, ALICE) == []
    assert words(await bot.push(card, "Undo")) == "There's nothing left to undo."
    await asked(bot, "stop report")
    await begun(bot, "report", stop_call=Call.ACCEPTED)
    assert "Undo" not in buttons(await asked(bot, "status report"))


@pytest.mark.parametrize(
    ("said", "name", "sent", "verb", "answer"),
    [
        pytest.param(
            "stop report",
            "report",
            {"stop_call": Call.ACCEPTED},
            "start",
            "The stop of *report* had already been sent to Saturn Cloud, so I'm starting it again. "
            "I'll message you when it's ready.",
            id="stop",
        ),
        pytest.param(
            "suspend report",
            "report",
            {"stop_call": Call.ACCEPTED},
            "start",
            "The suspension of *report* had already been sent to Saturn Cloud, so I'm starting it again. "
            "I'll message you when it's ready.",
            id="suspend",
        ),
        pytest.param(
            "start notebook",
            "notebook",
            {"start_call": Call.ACCEPTED},
            "stop",
            "The start of *notebook* had already been sent to Saturn Cloud, so I'm stopping it. "
            "I'll message you when it has stopped.",
            id="start",
        ),
    ],
)
@pytest.mark.parametrize("over", [False, True], ids=["under_way", "fulfilled"])
async def test_undo_button_leads_back_from_what_was_sent(bot, said, name, sent, verb, answer, over):
    """*Undo* under a stop never worked, as a call is sent before anybody can press."""
    stopping = await bot.say(said)
    await begun(bot, name, **sent)
    if over:
        await begun(bot, name, outcome=Outcome.FULFILLED)
        await bot.sees(State.STOPPED if verb == "start" else State.RUNNING, name)
    before = await bot.workspace(name)
    first = await bot.push(stopping, "Undo", interaction="press:1")
    assert words(first) == answer
    assert words(await bot.push(stopping, "Undo", interaction="press:1")) == answer
    operation = await bot.store.read(operations.find_latest_operation, before.id)
    assert (operation.verb, operation.is_open) == (verb, True)
    # What leads back can be undone in turn, but a stop isn't what a suspension was.
    if said.startswith("suspend") and not over:
        assert "Undo" not in buttons(first)
        assert "I've cancelled" in words(await bot.direct("undo"))
    else:
        assert "I've cancelled" in words(await bot.push(first, "Undo"))
    assert words(await bot.push(stopping, "Undo")) == f"*{name}* has changed since, so I left it as it is."


@pytest.mark.parametrize("first", ["suspend report", "restart report"])
async def test_undo_of_a_start_after_a_suspension_never_stops(bot, first):
    """A stop would lose the memory that the suspension keeps, without a question."""
    await bot.say(first)
    await begun(bot, "report", stop_call=Call.ACCEPTED)
    await bot.sees(State.STOPPING, "report")
    bot.clock.advance(5)
    started = await bot.say("start report")
    assert "Undo" not in buttons(started)
    await begun(bot, "report", start_call=Call.ACCEPTED)
    (starting,) = await bot.store.read(operations.open_operations, ALICE)
    # A button that was drawn before.
    assert words(await bot.press("undo", started.offers)) == "I'm already starting *report*."
    assert await bot.store.read(operations.open_operations, ALICE) == [starting]


@pytest.mark.parametrize("over", [False, True], ids=["under_way", "fulfilled"])
@pytest.mark.parametrize(
    "since", ["", "keep report", "stop report at 8pm"], ids=["unchanged", "kept", "moved"]
)
async def test_undo_of_a_sent_stop_restores_the_planned_end(bot, over, since):
    """The end goes once the stop is done, so the workspace ran past the time that its person had set."""
    await asked(bot, "stop report at 6pm")
    bot.clock.advance(1)
    stopping = await bot.say("stop report")
    await begun(bot, "report", stop_call=Call.ACCEPTED)
    if since:
        await asked(bot, since)
    planned = (await bot.workspace("report")).stop_at
    if over:
        await bot.sees(State.STOPPED, "report")
        await begun(bot, "report", outcome=Outcome.FULFILLED)
        assert (await bot.workspace("report")).stop_at is None
    assert "I'm starting it again" in words(await bot.push(stopping, "Undo"))
    assert (await bot.workspace("report")).stop_at == planned


def _put(tx, _caller, workspace_id, end):
    timers.plan_stop(tx, workspace_id, end)


async def test_undo_of_a_sent_stop_restores_the_end_of_a_lesson(bot):
    """A start by hand in a lesson says that it goes on; *Undo* says that it is as before."""
    workspace = await bot.workspace("report")
    lesson = PlannedStop(bot.clock.now() + 7200.0, "stop", warns=True, because="lesson", source="rule_1")
    await bot.services.create_caller(ALICE).run(_put, workspace.id, lesson)
    bot.clock.advance(1)
    stopping = await bot.say("stop report")
    await begun(bot, "report", stop_call=Call.ACCEPTED)
    assert "I'm starting it again" in words(await bot.push(stopping, "Undo"))
    assert (await bot.workspace("report")).planned_stops.rows == (lesson,)


async def test_undo_of_a_sent_stop_leaves_out_an_end_that_is_past(bot):
    await asked(bot, "stop report in 1 minute")
    bot.clock.advance(1)
    stopping = await bot.say("stop report")
    await begun(bot, "report", stop_call=Call.ACCEPTED)
    await bot.sees(State.STOPPED, "report")
    await begun(bot, "report", outcome=Outcome.FULFILLED)
    bot.clock.advance(90)
    assert "I'm starting it again" in words(await bot.push(stopping, "Undo"))
    assert (await bot.workspace("report")).stop_at is None


async def test_undo_button_asks_before_it_stops_what_is_busy(bot):
    started = await bot.say("start notebook")
    await begun(bot, "notebook", start_call=Call.ACCEPTED)
    workspace = await bot.workspace("notebook")
    await observe(bot.store, bot.clock, workspace, Observed(State.RUNNING, stop_risks=frozenset({"busy"})))
    await begun(bot, "notebook", outcome=Outcome.FULFILLED)
    answer = await bot.push(started, "Undo")
    assert words(answer) == "I've already started *notebook*."
    assert "confirm" in buttons(answer)["Stop"]


async def test_undo_button_of_long_ago_only_offers_what_leads_back(bot):
    stopped = await bot.say("stop report")
    await begun(bot, "report", stop_call=Call.ACCEPTED)
    await begun(bot, "report", outcome=Outcome.FULFILLED)
    bot.clock.advance(121)
    answer = await bot.push(stopped, "Undo")
    assert words(answer) == "I've already stopped *report*."
    assert list(buttons(answer)) == ["Start it again"]
    assert await bot.store.read(operations.open_operations, ALICE) == []


@pytest.mark.parametrize("said", ["restart report", "start report", "stop asleep"])
async def test_undo_is_not_offered_where_nothing_leads_back(bot, said):
    assert "Undo" not in buttons(await bot.say(said))


async def test_nothing_that_ends_for_good_leads_back():
    async with one_cloud() as bot:
        bot.connections["saturn"].ends_for_good = True
        await bot.link(names=("lab",))
        started = await bot.say("start lab")
        await begun(bot, "lab", start_call=Call.ACCEPTED)
        assert not buttons(started)
        answer = await asked(bot, "undo")
        assert words(answer) == (
            "I'm already starting *lab*. That can't be undone.\n"
            "Stopping it would end it for good, so I've left it as it is."
        )
        assert not buttons(answer)
        await bot.sees(State.RUNNING, "lab")
        await begun(bot, "lab", outcome=Outcome.FULFILLED)
        await asked(bot, "stop lab --yes")
        await begun(bot, "lab", stop_call=Call.ACCEPTED)
        answer = await asked(bot, "undo")
        assert words(answer) == "I'm already stopping *lab*. That can't be undone."
        assert not buttons(answer)


async def test_a_stop_of_what_was_coming_up_is_taken_back_to_that(bot):
    await asked(bot, "start notebook for 2h")
    was = await everything(bot.store)
    await asked(bot, "stop notebook")
    answer = await asked(bot, "undo")
    assert "I'm starting it as you asked before" in words(answer)
    assert await everything(bot.store) == was


async def test_undo_of_a_start_leads_back_to_the_stop_that_was_sent(bot):
    await asked(bot, "stop report")
    await begun(bot, "report", stop_call=Call.ACCEPTED)
    await asked(bot, "start report")
    await asked(bot, "undo")
    assert [one.verb for one in await bot.store.read(operations.open_operations, ALICE)] == ["stop"]


async def test_what_has_changed_since_is_left_alone(bot):
    answer = await asked(bot, "alias notebook thesis")
    await asked(bot, "alias thesis diary")
    assert words(await bot.push(answer, "Undo")) == "*diary* has changed since, so I left it as it is."
    assert (await bot.workspace("notebook")).alias == "diary"
    # One after the other, each is as it was left.
    await asked(bot, "undo")
    await asked(bot, "undo")
    assert (await bot.workspace("notebook")).alias is None
    assert words(await bot.push(answer, "Undo")) == "There's nothing left to undo."


async def test_a_stop_that_comes_back_warns_first(bot):
    await asked(bot, "stop report in 5 minutes")
    assert (await bot.workspace("report")).stop_warned
    await asked(bot, "keep report")
    bot.clock.advance(60)
    assert "will be stopped" in words(await asked(bot, "undo"))
    workspace = await bot.workspace("report")
    assert not workspace.stop_warned
    assert workspace.stop_at == pytest.approx(bot.clock.now() + 300.0)


async def test_it_is_about_the_conversation_and_the_last_two_minutes(bot):
    await asked(bot, "alias notebook thesis")
    await bot.say("alias report paper", channel_id="C7")
    bot.clock.advance(1)
    assert words(await bot.say("undo", channel_id="D1")) == "It's called *notebook* again."
    bot.clock.advance(121)
    assert (
        words(await bot.say("undo", channel_id="C7"))
        == "There's nothing recent to undo, and nothing of yours is under way."
    )
    assert (await bot.workspace("report")).alias == "paper"


async def test_nobody_takes_back_what_somebody_else_did(bot):
    answer = await asked(bot, "alias notebook thesis")
    await bot.link(BOB, names=("theirs",), username="bob")
    (button,) = buttons(answer).values()
    said = await bot.press(button["action_id"], button["value"], BOB)
    assert "I don't know that request" in words(said)
    assert (
        words(await bot.say("undo", BOB, channel_id="D1"))
        == "There's nothing recent to undo, and nothing of yours is under way."
    )
    assert (await bot.workspace("notebook")).alias == "thesis"


async def test_a_repeated_delivery_takes_back_once(bot):
    await asked(bot, "alias notebook one")
    await asked(bot, "alias one two")
    first = await bot.say("undo", interaction="command:same", channel_id="D1")
    assert await bot.say("undo", interaction="command:same", channel_id="D1") == first
    assert (await bot.workspace("notebook")).alias == "one"


async def test_repeated_undo_of_a_deleted_action_is_refused(bot):
    """Unlinking an account deletes the actions on it."""
    await asked(bot, "alias notebook thesis")
    await bot.say("undo", interaction="command:same", channel_id="D1")
    await asked(bot, "unlink saturn --yes")
    again = await bot.say("undo", interaction="command:same", channel_id="D1")
    assert words(again) == "I don't know that request any more."


async def test_what_can_not_be_taken_back_says_what_can_be_done_instead(bot):
    await asked(bot, "alias notebook thesis")
    await asked(bot, "unlink saturn --yes")
    # What was done there is forgotten with the account.
    assert await list_requests(bot.services.context, ALICE) == ["unlink your Saturn Cloud account"]
    answer = await asked(bot, "undo")
    assert words(answer) == "That can't be undone.\nTo link Saturn Cloud again, type `link Saturn Cloud`."


@pytest.mark.parametrize(
    "said", ["alias notebook thesis", "hours notebook daily 9:00-18:00", "notify notebook off"]
)
async def test_an_open_home_is_drawn_at_once_after_an_act_and_after_its_undo(bot, said):
    await use_home(bot.store, ALICE, HomeUse())
    for text in (said, "undo"):
        (home,) = await bot.store.claim(home_store.claim_wanted_homes, 10, 60.0)
        await bot.store.write(home_store.record_published, home, "digest", "hash")
        assert await bot.store.claim(home_store.claim_wanted_homes, 10, 60.0) == []
        await asked(bot, text)
    assert len(await bot.store.claim(home_store.claim_wanted_homes, 10, 60.0)) == 1


def test_every_verb_that_changes_something_is_tried():
    changing = {name for name, verb in list_verbs("workspace").items() if verb.effect is not Effect.SHOWS}
    assert changing == RESTORED.keys() | OTHERS | {"undo"}


async def test_what_was_not_sent_is_cancelled_and_said(bot):
    await asked(bot, "stop report")
    (stopping,) = await bot.store.read(operations.open_operations, ALICE)
    assert words(await asked(bot, "undo")) == (
        "I've cancelled the stop of *report*. Nothing had been sent to Saturn Cloud."
    )
    assert (await bot.store.read(operations.find_operation, stopping.id)).cause == "cancelled"
    assert await bot.store.read(operations.open_operations, ALICE) == []
    assert (
        words(await asked(bot, "undo"))
        == "There's nothing recent to undo, and nothing of yours is under way."
    )


async def test_without_an_act_it_says_what_is_under_way_or_that_nothing_is(bot):
    assert (
        words(await asked(bot, "undo"))
        == "There's nothing recent to undo, and nothing of yours is under way."
    )
    await asked(bot, "start notebook")
    await begun(bot, "notebook", start_call=Call.ACCEPTED)
    bot.clock.advance(600)
    answer = await asked(bot, "undo")
    assert words(answer) == "I'm already starting *notebook*."
    assert list(buttons(answer)) == ["Stop"]


async def test_a_run_is_cancelled_until_it_was_sent_and_its_stop_too():
    async with run_rig() as bot:
        await asked(bot, "job run posit -- ls")
        assert words(await asked(bot, "undo")) == (
            "I've cancelled the run of *ls*. Nothing had been sent to Posit Workbench."
        )
        assert await bot.store.claim(runs.claim_runs, 10, 60.0) == []
        launched = await bot.say("job run posit -- date")
        (run,) = [one for one in await bot.store.read(runs.list_runs, ALICE) if one.is_open]
        await step(bot, run, remote_id="r-1", start_call=Call.ACCEPTED)
        assert words(await bot.push(launched, "Undo")) == (
            "The run of *date* had already been sent to Posit Workbench, so I'm stopping it. "
            "I'll message you when it has stopped."
        )
        assert (await bot.store.read(runs.find_run, run.id)).requested_stop == "stop"
        run = await going(bot)
        assert "Undo" not in buttons(await bot.say("job stop train.R"))
        said = "I've cancelled the stop of *train.R*. Nothing had been sent to Posit Workbench."
        assert words(await asked(bot, "undo")) == said
        assert (await bot.store.read(runs.find_run, run.id)).requested_stop == ""
        await asked(bot, "job stop train.R")
        await bot.store.write(runs.save_run_step, Update(run.id, 5.0, stop_call=Call.ACCEPTED, called=True))
        assert words(await asked(bot, "undo")) == "I'm already stopping *train.R*."


async def test_requests_of_a_day_are_shown_in_the_home(bot):
    await asked(bot, "start notebook")
    await asked(bot, "stop report at 5pm")
    await asked(bot, "alias asleep owl")
    await asked(bot, "undo")
    home = await HomeGatherer(bot.services.context, bot.services.gatherer).own(Home(ALICE, bot.clock.now()))
    (shown,) = [block for block in draw(home)["blocks"] if "rename" in str(block)]
    lines = shown["text"]["text"].splitlines()
    said = [line.partition(" · ")[2].partition(" <!")[0] for line in lines]
    assert said == ["~rename *asleep*~", "stop *report*", "start *notebook*"]
    # It is about the day that its person has.
    bot.clock.advance(86_400)
    assert await list_requests(bot.services.context, ALICE) == []


async def test_what_hours_do_is_told_as_theirs(bot):
    await asked(bot, "hours notebook daily 9:00-18:00")
    (rule,) = await bot.store.read(hour_rows.list_rules_of_person, ALICE)
    bot.clock.advance(rule.after(bot.clock.now()).at - bot.clock.now())
    await bot.sees(State.STOPPED)
    await bot.services.create_caller(ALICE).run(hours_use_cases.carry_out, rule)
    assert "start *notebook*, by its hours" in await list_requests(bot.services.context, ALICE)
    await begun(bot, "notebook", start_call=Call.ACCEPTED)
    assert words(await asked(bot, "undo")) == "I'm already starting *notebook*."

"""What is said after a question or an act and goes on with it: slots of the last request are replaced."""

import pytest

from bot.domain import time_parsing
from bot.domain.forms import Choice, Field, Form, Spec
from bot.domain.observations import Observed
from bot.domain.snapshots import Snapshot
from bot.domain.steps import Update
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State
from bot.features.hours import store as hours_store
from bot.services.operation_requests import create_workspace
from bot.store import operations, runs, snapshots, workspaces
from tests.handlers.rig import activate, buttons, one_cloud, rig, words
from tests.handlers.run_rig import run_rig, step
from tests.rigs.clock import FakeClock
from tests.rigs.forms import Workbench
from tests.rigs.maker import Maker
from tests.rigs.providers import fake_settings
from tests.rigs.store import ALICE, linked, observe


@pytest.fixture
async def bot():
    async with rig() as one:
        await one.link(names=("notebook", "report", "training"))
        await linked(one.store, ALICE, ("training",), connection="hub", username="alice")
        await one.sees(State.RUNNING, "report")
        yield one


async def runs_training(bot):
    """Let what is called *training* on Saturn Cloud run, too."""
    (workspace,) = [
        one
        for one in await bot.store.perform(workspaces.read_workspaces, ALICE)
        if (one.title, one.connection) == ("training", "saturn")
    ]
    await observe(bot.store, bot.clock, workspace, Observed(State.RUNNING))


async def wanted(bot):
    """Return what is wanted: operations, timers in hours from now, and hours."""
    rows = await bot.store.perform(workspaces.read_workspaces, ALICE)
    of = {one.id: f"{one.title}@{one.connection}" for one in rows}
    found = [
        f"{one.verb} {of[one.workspace_id]}"
        for one in await bot.store.read(operations.open_operations, ALICE)
    ]
    timers = ((one.title, one.stop_at) for one in rows if one.stop_at is not None)
    found += [f"timer {title} {(at - bot.clock.now()) / 3600:.0f}" for title, at in timers]
    for one in await bot.store.read(hours_store.list_rules_of_person, ALICE):
        days = ",".join(sorted(one.days))
        found.append(f"{days} {one.starts}-{one.stops}")
    return found


EVERY = [f"Stop {name} then" for name in ("notebook", "report", "training@Saturn Cloud", "training@Hub")]


@pytest.mark.parametrize(
    ("said", "labels"),
    [
        (["stop report at 5pm", "and stop both at 6pm"], EVERY),
        (["start notebook", "stop both at 6pm"], ["Stop 2 workspaces at 6:00 PM UTC"]),
        (["start notebook", "start training@hub", "stop both"], ["Stop 2 workspaces"]),
        (
            ["start notebook at 2pm", "same for training@hub", "and stop both at 4pm"],
            ["Hours for notebook: 15 Jan 14:00-16:00", "Hours for training@Hub: 15 Jan 14:00-16:00"],
        ),
        (["stop report at 5pm", "make it 6pm", "forget it, 5 was fine"], ["Undo"]),
    ],
    ids=["one", "two that run", "the last two", "hours", "taken back"],
)
async def test_both_and_it_of_a_phrase_are_never_only_the_last_one(bot, said, labels):
    *before, last = said
    await bot.talk(*before)
    wanted_before = await wanted(bot)
    assert list(buttons(await bot.direct(last))) == labels
    assert await wanted(bot) == wanted_before


async def test_a_number_after_a_length_is_a_length_while_time_goes_on(bot):
    bot.clock.ticks = 0.001
    await bot.talk("stop report in an hour", "make that 2")
    assert await wanted(bot) == ["timer report 2"]


OFFERED = {"saturn": {"names": ["Jupyter", "Common"]}, "posit": {"names": ["RStudio", "Common"]}}


class Studio(Maker):
    """Offer templates."""

    def form(self, snapshot, purpose, values, principal):
        choices = tuple(Choice(name.casefold(), name) for name in snapshot["names"])
        return Form((Field("template", "Template", "choice", choices),))


STARTED = ["start notebook@saturn", "timer notebook 1"]
WEEKDAYS = "fri,mon,thu,tue,wed"


@pytest.mark.parametrize(
    ("first", "then", "found"),
    [
        ("stop report at 5pm", "make that 6", ["timer report 10"]),
        ("stop report in 2 hours", "make that 6", ["timer report 6"]),
        ("stop report in 2 hours", "no, in 3", ["timer report 3"]),
        ("start notebook for 4 hours", "make it for 2", ["start notebook@saturn", "timer notebook 2"]),
        ("start notebook for 4 hours", "2 is enough", ["start notebook@saturn", "timer notebook 2"]),
        ("stop report at 5pm", "6 actually", ["timer report 10"]),
        ("stop report at 5pm", "no, now", ["stop report@saturn"]),
        ("start notebook", "also training@hub", ["start notebook@saturn", "start training@hub"]),
        ("start notebook", "and report?", ["start notebook@saturn"]),
        ("stop report at 5pm", "make it 6pm", ["timer report 10"]),
        ("start notebook for 2h", "make that 6 hours", ["start notebook@saturn", "timer notebook 6"]),
        ("start notebook", "and stop it at 5pm", ["start notebook@saturn", "timer notebook 9"]),
        ("start notebook every weekday at 9", "and stop it at 5", [f"{WEEKDAYS} 540-1020"]),
        ("start notebook every weekday at 9", "except Fridays", ["mon,thu,tue,wed 540-None"]),
        ("hours notebook weekdays 9:00-18:00", "make that 10", [f"{WEEKDAYS} 600-1080"]),
        ("stop report", "in an hour", ["timer report 1"]),
        ("start notebook", "in an hour", ["2027-01-15 541-None"]),
        ("start training@hub", "not the hub one", ["start training@saturn"]),
        ("start training@hub", "no, the saturn one", ["start training@saturn"]),
        ("start training@saturn", "not the hub one", ["start training@saturn"]),
        ("start notebook", "no, training@hub", ["start training@hub"]),
        ("stop report", "don't stop report", []),
        ("start notebook", "not notebook", []),
        ("stop report", "don't stop anything", []),
        ("stop report", "don't stop notebook", ["stop report@saturn"]),
        ("start notebook", "with EPOCHS=20", ["start notebook@saturn"]),
        # another time
        ("stop report at 5pm", "till 8:30 instead", ["timer report 12"]),
        ("stop report at 5pm", "make that quarter to six", ["timer report 10"]),
        ("stop report at 5pm", "actually tomorrow", ["timer report 33"]),
        ("stop report at 5pm", "no, an hour earlier", ["timer report 8"]),
        ("stop report tomorrow at 9", "in the evening i mean", ["timer report 37"]),
        ("stop report tomorrow at 9", "9pm", ["timer report 37"]),
        ("stop report tomorrow at 9", "make it 10", []),
        ("start notebook for 4 hours", "until 6 is enough", ["start notebook@saturn", "timer notebook 10"]),
        ("status report", "till 6pm", ["timer report 10"]),
        # another time than one that is ruled out
        ("stop report tomorrow at 9:00", "not tomorrow, monday", ["timer report 73"]),
        ("stop report tomorrow at 9:00", "not tomorrow monday", ["timer report 73"]),
        ("stop report tomorrow at 17:00", "no, not tomorrow but on monday", ["timer report 81"]),
        ("stop report tomorrow at 17:00", "monday, not tomorrow", ["timer report 81"]),
        ("stop report at 17:00", "not 17:00, 18:00", ["timer report 10"]),
        ("stop report at 17:00", "not at 5 but at 6pm", ["timer report 10"]),
        ("stop report at 17:00", "not 5 but 6", ["timer report 10"]),
        ("stop report at 17:00", "not at 5", []),
        ("stop report at 17:00", "not at 6", ["timer report 9"]),
        ("stop report tomorrow at 17:00", "not today", ["timer report 33"]),
        ("stop report in 2 hours", "not 2 hours, 3", ["timer report 3"]),
        ("start notebook tomorrow at 9", "not tomorrow, monday", ["2027-01-18 540-None"]),
        ("start notebook tomorrow at 9", "not at 9 but at 10", ["2027-01-16 600-None"]),
        ("start notebook tomorrow at 9", "not tomorrow", []),
        ("hours notebook sat 9:00-17:00", "not saturday, sunday", ["sun 540-1020"]),
        ("hours notebook weekdays 9:00-17:00", "not 9, 10", [f"{WEEKDAYS} 600-1020"]),
        ("stop report tomorrow at 9", "not tomorrow, monday", []),
        ("stop report tomorrow at 9", "not tomorrow, monday at 9pm", ["timer report 85"]),
        ("stop report at 5pm", "by 2 hours", ["timer report 11"]),
        ("stop report at 5pm", "change that to 18:00", ["timer report 10"]),
        ("stop report at 5pm", "change it to 6pm", ["timer report 10"]),
        ("stop report at 5pm", "can you change the time to 6", ["timer report 10"]),
        ("stop report at 5pm", "move it to 18:00", ["timer report 10"]),
        ("start training@hub", "the one on saturn instead", ["start training@saturn"]),
        # another object, or one more
        ("stop report", "I was meaning training@saturn and not report", ["stop training@saturn"]),
        ("stop report", "no not report. training@saturn", ["stop training@saturn"]),
        ("stop report", "and training@saturn too", ["stop report@saturn", "stop training@saturn"]),
        ("stop report at 5pm", "same for training@saturn", ["timer report 9", "timer training 9"]),
        ("stop report at 5pm", "and training@saturn an hour later", ["timer report 9", "timer training 10"]),
        (
            "start notebook for 1h",
            "same for training@hub",
            [*STARTED, "start training@hub", "timer training 1"],
        ),
        ("start training@hub", "no, the other one", ["start training@saturn"]),
        ("hours notebook weekdays 9:00-17:00", "only mon to thu", ["mon,thu,tue,wed 540-1020"]),
        # taken back
        ("stop report", "ok I need it back now", []),
        ("stop report", "keep it running", []),
        ("start notebook", "forget it, cancel that start", []),
        ("stop report at 5pm", "now", ["stop report@saturn"]),
        # what is asked: its verb and its time stay
        ("stop at 6pm", "the saturn training one", ["timer training 10"]),
        ("start training for 2h", "the hub one", ["start training@hub", "timer training 2"]),
        ("start training", "the second", ["start training@hub"]),
        ("start training", "the one on the hub", ["start training@hub"]),
        ("start training", "the one on saturn", ["start training@saturn"]),
        ("start training", "on saturn", ["start training@saturn"]),
        ("start training", "on the hub pls", ["start training@hub"]),
        ("stop", "training@saturn at 6pm", ["timer training 10"]),
        ("stop reprot at 5pm", "yes but at 6pm", ["timer report 10"]),
        ("stop reprot", "no, training@saturn", ["stop training@saturn"]),
        ("stop everything but training", "hm also not report", []),
        ("remove notebook", "hm no, just hide it", []),
        ("start notebook", "list", ["start notebook@saturn"]),
    ],
)
async def test_what_follows_an_act_amends_it(bot, first, then, found):
    if "training" in then and "stop" in first:
        await runs_training(bot)
    answer = await bot.talk(first, then)
    assert sorted(await wanted(bot)) == sorted(found), words(answer) if answer.text else ""


@pytest.mark.parametrize(
    ("said", "more", "begun"),
    [("in an hour", [], []), ("no, training@saturn", ["Undo"], ["stop training@saturn"])],
)
async def test_what_was_sent_is_not_amended_and_what_is_meant_beside_it_is_done(bot, said, more, begun):
    await runs_training(bot)
    await bot.talk("stop report")
    (operation,) = await bot.store.read(operations.open_operations, ALICE)
    assert await bot.store.write(
        operations.save_step, Update(operation.id, 5.0, called=True, stop_call=Call.ACCEPTED)
    )
    answer = await bot.talk(said)
    assert words(answer).startswith("I'm already stopping *report*.")
    assert ("Stopping *training*. I'll message you when that's done." in words(answer)) is bool(begun)
    assert list(buttons(answer)) == ["Start it again", *more]
    assert await wanted(bot) == ["stop report@saturn", *begun]


@pytest.mark.parametrize(
    "said",
    [
        "no stop training@saturn",
        "and training@saturn is down",
        "and training@saturn was fine yesterday",
        "and bob's training@saturn too",
        "and training@saturn if it's idle",
        "and trianing@saturn too",
        "leave early today",
        "sorry im late today",
    ],
)
async def test_what_only_says_something_changes_nothing(bot, said):
    await runs_training(bot)
    await bot.talk("stop report", said)
    assert await wanted(bot) == ["stop report@saturn"]


@pytest.mark.parametrize(
    ("said", "off"),
    [("no, tuesday", {19}), ("not monday, tuesday", {19}), ("and wednesday neither", {18, 20})],
)
async def test_a_day_without_hours_becomes_another_one_or_one_of_two(bot, said, off):
    await bot.talk("hours notebook weekdays 9:00-17:00", "hours notebook skip monday", said)
    (rule,) = await bot.store.read(hours_store.list_rules_of_person, ALICE)
    assert rule.off == {f"2027-01-{day}" for day in off}


@pytest.mark.parametrize(
    ("first", "then", "off"),
    [
        ("pause the hours of notebook", "only until wednesday", range(15, 20)),
        ("pause the hours of notebook", "until wednesday", range(15, 20)),
        ("pause the hours of notebook", "until next week", range(15, 18)),
        ("pause the hours of notebook", "only today", range(15, 16)),
        ("pause notebook until monday", "no, until wednesday", range(15, 20)),
        ("pause notebook until monday", "make it wednesday", range(15, 20)),
        ("skip notebook today", "until wednesday", range(15, 20)),
        ("pause the hours of notebook", "just for this week pls", range(15, 18)),
    ],
    ids=["only until", "until", "next week", "only today", "until again", "other day", "skipped", "week"],
)
async def test_end_of_a_pause_follows_and_its_hours_stay(bot, first, then, off):
    await bot.talk("hours notebook weekdays 9:00-18:00", first, then)
    (rule,) = await bot.store.read(hours_store.list_rules_of_person, ALICE)
    assert (rule.days, rule.paused) == (time_parsing.WEEKDAYS, "")
    assert rule.off == {f"2027-01-{day}" for day in off}


@pytest.mark.parametrize("then", ["make it 6", "by an hour", "not at 5 but at 6", "an hour later"])
async def test_undo_after_another_time_brings_the_time_before_back(bot, then):
    await bot.talk("stop report at 5pm", then)
    assert await wanted(bot) == ["timer report 10"]
    await bot.talk("undo")
    assert await wanted(bot) == ["timer report 9"]


@pytest.mark.parametrize(
    ("before", "then", "labels"),
    [
        (["start notebook", "start training@hub too"], "only notebook sorry", ["Stop training@Hub"]),
        (["start notebook", "start training@hub too"], "just training@hub", ["Stop notebook"]),
        (["stop report at 5pm", "same for training@saturn"], "only report", ["Keep training@Saturn Cloud"]),
    ],
    ids=["first", "last", "planned"],
)
async def test_only_one_of_two_acts_offers_a_way_back_from_the_other(bot, before, then, labels):
    if "stop" in before[0]:
        await runs_training(bot)
    await bot.talk(*before)
    wanted_before = await wanted(bot)
    assert list(buttons(await bot.talk(then))) == labels
    assert await wanted(bot) == wanted_before


async def test_only_stop_in_a_list_of_plans_is_cancelled(bot):
    await bot.sees(State.RUNNING, "notebook")
    await bot.talk("stop report at 5pm")
    bot.clock.advance(600)
    await bot.talk("what is planned for today?", "cancel that")
    assert await wanted(bot) == []
    await bot.talk("stop report at 5pm", "stop notebook at 5pm")
    bot.clock.advance(600)
    await bot.talk("what is planned for today?", "cancel that")
    assert len(await wanted(bot)) == 2


async def test_half_of_the_day_stays_open_on_another_day(bot):
    answer = await bot.talk("stop report tomorrow at 9", "not tomorrow, monday")
    assert [label.split()[-2:] for label in buttons(answer)] == [["monday", "09:00"], ["monday", "21:00"]]


@pytest.mark.parametrize("before", [[], ["pause the hours of notebook", "resume the hours of notebook"]])
async def test_until_a_day_never_changes_days_of_hours(bot, before):
    await bot.talk("hours notebook weekdays 9:00-18:00", *before, "until wednesday")
    assert [one for one in await wanted(bot) if "-" in one] == [f"{WEEKDAYS} 540-1080"]


async def test_pause_until_a_time_of_day_stays_a_pause(bot):
    await bot.talk("hours notebook weekdays 9:00-18:00", "pause the hours of notebook", "until monday 9am")
    (rule,) = await bot.store.read(hours_store.list_rules_of_person, ALICE)
    assert rule.paused == "person"


async def test_pause_of_several_hours_gets_an_end_for_each(bot):
    await bot.talk("hours notebook weekdays 9:00-18:00", "hours report weekdays 9:00-18:00")
    answer = await bot.talk("pause all hours", "until wednesday")
    assert list(buttons(answer)) == [
        f"Pause the hours of {name} until wednesday" for name in ("notebook", "report")
    ]


@pytest.mark.parametrize(
    "before",
    [
        ["start notebook every weekday at 9", "and stop it at 17:00"],
        ["hours notebook weekdays 10:00-18:00", "hours notebook weekdays 9:00-17:00"],
    ],
    ids=["completed", "replaced"],
)
async def test_a_day_less_leaves_one_set_of_hours(bot, before):
    await bot.talk(*before, "not on fridays though")
    assert [one for one in await wanted(bot) if "-" in one] == ["mon,thu,tue,wed 540-1020"]


@pytest.mark.parametrize(
    ("first", "then", "labels"),
    [
        ("stop report at 5pm", "make it 6?", ["Stop report at 18:00"]),
        ("stop report at 5pm", "6 instead?", ["Stop report at 18:00"]),
        ("hours report weekdays 9:00-17:00", "and saturdays too?", ["Hours for report: sat 09:00-17:00"]),
        ("hours report weekdays 9:00-17:00", "not on fridays?", ["Show my workspaces"]),
        ("stop report at 5pm", "stop report now?", ["Stop report"]),
    ],
    ids=["make it", "instead", "one more day", "one day less", "now"],
)
async def test_what_is_only_asked_after_an_act_is_offered(bot, first, then, labels):
    await bot.talk(first)
    before = await wanted(bot)
    assert list(buttons(await bot.direct(then))) == labels
    assert await wanted(bot) == before


@pytest.mark.parametrize("said", ["don't stop report, training@hub instead", "don't stop report, notebook"])
async def test_a_ban_of_another_verb_goes_on_with_nothing(bot, said):
    await bot.talk("start notebook")
    before = await wanted(bot)
    await bot.direct(said)
    assert await wanted(bot) == before


@pytest.mark.parametrize(("seconds", "found"), [(290, ["timer report 10"]), (310, [])])
async def test_a_question_owns_what_is_said_in_five_minutes(bot, seconds, found):
    await bot.talk("stop reprot")
    bot.clock.advance(seconds)
    await bot.talk("yes but at 6pm")
    assert await wanted(bot) == found


async def test_a_name_is_amended_and_what_an_act_does_not_take_is_said(bot):
    await bot.talk("alias notebook thesis", "make that diary")
    assert (await bot.workspace("notebook")).alias == "diary"
    answer = await bot.talk("except Fridays")
    assert words(answer) == "That doesn't fit what I last did with *diary*, so I haven't changed anything."
    assert list(buttons(answer)) == ["Undo"]
    async with run_rig() as other:
        answer = await other.talk("job run posit -- ls", "with EPOCHS=20")
        assert "That doesn't fit what I last did with *ls*, so I haven't changed anything." in words(answer)


class Variable(Workbench):
    """Take variables for runs."""

    variables_key = "environment"


async def variables(bot):
    """Return the variables of all runs that weren't cancelled, the oldest first."""
    rows = sorted(await bot.store.read(runs.list_runs, ALICE), key=lambda one: one.created_at)
    return [one.spec.texts("environment") for one in rows if one.outcome is not Outcome.CANCELLED]


async def test_a_run_takes_variables_in_its_place_until_it_was_sent_and_with_a_press_then():
    async with run_rig(kind=Variable) as bot:
        await bot.talk("job run posit -- python train.py")
        await bot.talk("with EPOCHS=20, LR=0.1")
        assert await variables(bot) == [("EPOCHS=20", "LR=0.1")]
        await bot.talk("with EPOCHS=30")
        assert await variables(bot) == [("EPOCHS=30", "LR=0.1")]
        (run,) = [one for one in await bot.store.read(runs.list_runs, ALICE) if one.is_open]
        await step(bot, run, remote_id="r1", start_call=Call.ACCEPTED, called=True)
        answer = await bot.talk("with EPOCHS=40")
        assert "I've already launched *python train.py*." in words(answer)
        assert await variables(bot) == [("EPOCHS=30", "LR=0.1")]
        assert list(buttons(answer)) == ["Stop", "Run again with EPOCHS=40"]
        await bot.push(answer, "Run again with EPOCHS=40")
        assert await variables(bot) == [("EPOCHS=30", "LR=0.1"), ("EPOCHS=40", "LR=0.1")]
        await bot.talk("with more power")
        assert len(await variables(bot)) == 2


async def test_the_next_message_answers_an_open_question():
    async with rig() as bot:
        assert "Which account" in words(await bot.talk("link"))
        assert list(buttons(await bot.talk("the hub"))) == ["Link Hub"]
    clock = FakeClock()
    settings = [
        fake_settings(name, title=title) for name, title in (("saturn", "Saturn"), ("posit", "Posit"))
    ]
    async with rig(connections={one.name: Studio(clock, one) for one in settings}) as bot:
        for name in ("saturn", "posit"):
            account = await activate(bot.store, ALICE, name)
            offered = Snapshot(name, account.id, "templates", OFFERED[name], bot.clock.now())
            await bot.store.write(snapshots.save_snapshot, offered)
        assert list(buttons(await bot.talk("new"))) == ["Posit", "Saturn"]
        answer = await bot.talk("rstudio")
        assert words(answer) == "The form for Posit is ready. Press *Open the form*."
        assert answer.view is not None
        await bot.talk("new")
        assert words(await bot.talk("the saturn")).startswith("The form for Saturn is ready.")
        made = await bot.talk("new workspace plz from the rstudio template")
        assert words(made).startswith("The form for Posit is ready.")
        await bot.talk("new")
        assert "Checking" in words(await bot.talk("list"))


async def test_own_workspace_called_as_a_template_is_not_made_anew():
    settings = [fake_settings(name, title=name.title()) for name in ("saturn", "posit")]
    async with rig(connections={one.name: Studio(FakeClock(), one) for one in settings}) as bot:
        for name in ("saturn", "posit"):
            account = (
                await linked(bot.store, ALICE, ("rstudio",)[: name == "saturn"], connection=name)
            ).account
            offered = Snapshot(name, account.id, "templates", OFFERED[name], bot.clock.now())
            await bot.store.write(snapshots.save_snapshot, offered)
        answer = await bot.talk("new", "rstudio")
        assert (answer.view, "rstudio" in words(answer)) == (None, True)


async def test_some_of_those_that_were_asked_about_are_left_out(bot):
    for name in ("notebook", "training"):
        await bot.sees(State.RUNNING, name)
    answer = await bot.talk("stop everything", "not report")
    assert not [name for name in ("report",) if name in words(answer)]
    await bot.push(answer, next(iter(buttons(answer))))
    assert {one.split("@")[0] for one in await wanted(bot)} >= {"stop notebook"}
    assert "stop report@saturn" not in await wanted(bot)


@pytest.mark.parametrize("said", ["not report", "wait not report!", "except report", "hm also not report"])
async def test_last_one_of_a_confirmation_still_takes_a_press(bot, said):
    await bot.sees(State.RUNNING, "notebook")
    answer = await bot.talk("stop everything", said)
    assert list(buttons(answer)) == ["Stop notebook"]
    assert await wanted(bot) == []
    await bot.push(answer, "Stop notebook")
    assert await wanted(bot) == ["stop notebook@saturn"]


@pytest.mark.parametrize("before", [[], ["banana pie"]], ids=["first", "after an unread one"])
async def test_not_a_name_alone_offers_nothing(bot, before):
    assert list(buttons(await bot.talk(*before, "wait not report!"))) == ["Show my workspaces"]


@pytest.mark.parametrize(
    ("said", "labels"),
    [
        ("start not report", ["Start training@Saturn Cloud", "Start training@Hub"]),
        ("stop not report", ["Stop notebook"]),
    ],
    ids=["start", "stop"],
)
async def test_one_that_is_ruled_out_is_no_choice(bot, said, labels):
    await bot.sees(State.RUNNING, "notebook")
    assert list(buttons(await bot.talk(said))) == labels
    assert await wanted(bot) == []


@pytest.mark.parametrize(
    "said", ["everything but notebook off", "everything but foo off", "not weekly, the rest off"]
)
async def test_what_is_to_be_off_but_something_takes_nothing_back(bot, said):
    await bot.say("alias notebook thesis")
    assert "again" not in words(await bot.say(said))
    assert "thesis" in {one.title for one in await bot.store.perform(workspaces.read_workspaces, ALICE)}


async def test_what_was_made_here_is_chosen_by_a_part_of_its_name_too():
    async with one_cloud() as bot:
        await bot.link(names=("lab-red",))
        await bot.services.create_caller(ALICE, "make").run(
            create_workspace, "saturn", Spec("lab-blue", {"size": "small"})
        )
        said = await bot.talk("stop them", "just blue")
        assert "This will stop *lab-blue*" in words(said)

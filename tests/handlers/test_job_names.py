"""list, status, logs and stop: which run is meant, what the answer says, and what is stored."""

from functools import partial

import pytest

from bot.domain.forms import Spec
from bot.domain.notices import NoticeKind
from bot.domain.runs import RunState
from bot.domain.snapshots import Snapshot
from bot.domain.tasks import TaskKind
from bot.domain.work_items import Call
from bot.services import runs
from bot.services.caller import Caller
from bot.services.snapshots import RUNS_KIND
from bot.store import accounts as account_rows
from bot.store import runs as run_rows
from bot.store import snapshots, tasks
from bot.support.errors import Refused
from handlers.replaying import replay
from tests.handlers.rig import PAGE, buttons, invited, staged, words
from tests.handlers.run_rig import found, going, launch, over, run_rig, step
from tests.rigs.functions import replace_function
from tests.rigs.golden import check_golden
from tests.rigs.providers import FakeProvider
from tests.rigs.store import ALICE, refuse

bot = staged(run_rig)


# -- the list ----------------------------------------------------------------------------------------------


async def test_the_list_shows_the_newest_first_and_looks_for_more_in_the_background(bot):
    await over(bot, "first", RunState.FAILED, 2)
    await going(bot, "second <b>")
    await launch(bot, "third")
    check_golden("answers/job-list", await bot.say("job list"))
    assert [task.kind for task in await bot.store.claim(tasks.claim_tasks, 10, 60.0)] == [TaskKind.LIST_RUNS]
    failed = words(await bot.say("job list failed"))
    assert ("*first*" in failed, "*third*" in failed) == (True, False)
    assert await bot.say("job") == await bot.say("job list")
    assert await bot.store.claim(tasks.claim_tasks, 10, 60.0) == []
    bot.clock.advance(20)
    assert "Checking Posit Workbench…" in words(await bot.press("job_list:refresh", "1"))


@pytest.mark.parametrize("every", ["all", "everything", "every", "alles"])
async def test_verbs_take_everything(bot, every):
    """A run whose name contains the word "all" isn't singled out."""
    for name in ("install", "report"):
        await going(bot, name)
    for verb in ("list", "status"):
        said = words(await bot.say(f"job {verb} {every}"))
        assert all(f"*{name}*" in said for name in ("install", "report"))
    for verb in ("stop", "logs"):
        assert "Which run?" in words(await bot.say(f"job {verb} {every}"))


async def test_the_list_is_paged(bot):
    for number in range(23):
        await going(bot, f"run {number:02}")
    first = await bot.say("job list")
    assert "and 3 more" in words(first)
    assert (next(iter(buttons(first))), list(buttons(first))[-1]) == ("Refresh", "More")
    second = await bot.press("job_list:more", "2")
    assert second.replaces
    assert "*run 00*" in words(second)
    assert "*run 03*" not in words(second)
    assert words(await bot.say("job list 2")).startswith("*Your runs*\n*run 02*")
    for page in ("0", "99", "x", "9" * 40):
        assert words(await bot.say(f"job list {page}"))


async def test_a_list_that_was_asked_for_and_has_not_come_is_not_told_as_empty(bot):
    for text in ("job list", "job list", "job logs train.R"):
        assert "Checking Posit Workbench…" in words(await bot.say(text))
    [task] = await bot.store.claim(tasks.claim_tasks, 10, 60.0)
    assert [waiting["text"] for waiting in task.payload["then"]] == [
        "job list",
        "job list",
        "job logs train.R",
    ]


@pytest.mark.parametrize("text", ["job list", "job logs train", "job status"])
async def test_a_list_that_comes_just_now_is_never_taken_for_an_empty_one(bot, text):
    await bot.say("job list")
    [task] = await bot.store.claim(tasks.claim_tasks, 10, 60.0)
    accounts, has_come = partial(bot.store.read, account_rows.list_accounts), False

    async def and_then_it_comes(principal):
        nonlocal has_come
        known = await accounts(principal)
        if not has_come:
            has_come = True
            await found(bot, "train")
            await bot.store.write(tasks.finish_task, task)
        return known

    replace_function(bot.store, account_rows.list_accounts, and_then_it_comes)
    said = words(await bot.say(text))
    assert has_come
    assert "You don't have any runs" not in said


async def test_with_no_runs_the_list_waits_for_a_look_and_then_says_so(bot):
    assert "Checking Posit Workbench…" in words(await bot.say("job list"))
    (task,) = await bot.store.claim(tasks.claim_tasks, 10, 60.0)
    (waiting,) = task.payload["then"]
    await replay(bot.services, ALICE, {**waiting, "task": "t1"})
    [notice] = await bot.notices(NoticeKind.MESSAGE)
    assert notice.body["text"].startswith("You don't have any runs yet. Type job run")


async def test_a_list_of_runs_that_could_not_be_read_is_never_told_as_empty(bot):
    await bot.say("job list")
    (task,) = await bot.store.claim(tasks.claim_tasks, 10, 60.0)
    (waiting,) = task.payload["then"]
    await replay(bot.services, ALICE, {**waiting, "task": "t1", "problem": "server_failed"})
    [notice] = await bot.notices(NoticeKind.MESSAGE)
    assert notice.body["text"].startswith("I couldn't read your list on Posit Workbench.")
    assert await bot.store.claim(tasks.claim_tasks, 10, 60.0) == []


async def test_without_a_link_the_list_offers_one():
    async with run_rig(linked=False) as bot:
        assert "Link Posit Workbench" in buttons(await bot.say("job list"))
        assert (await invited(bot))[-1][2]["text"] == "job list"
        del bot.connections["posit"]
        assert "I can't run jobs on any connection here." in words(await bot.say("job status"))


# -- names -------------------------------------------------------------------------------------------------


async def test_of_one_name_the_newest_is_meant_and_an_id_tells_them_apart(bot):
    old = await over(bot, "train.R", RunState.FAILED, 3)
    await going(bot, "train.R")
    assert "Running since" in words(await bot.say("job status TRAIN.R"))
    for name in (old.id, old.remote_id, f"{old.remote_id}@posit"):
        assert "exit code 3" in words(await bot.say(f"job status {name}"))
    assert "Running since" in words(await bot.say("job status train.R@posit"))


async def test_a_beginning_is_enough_where_it_fits_one_name(bot):
    await going(bot, "train.R")
    await going(bot, "train.R")
    await going(bot, "test.R")
    assert "*train.R*" in words(await bot.say("job status tr"))
    answer = await bot.say("job status t")
    check_golden("answers/job-which", answer)
    assert buttons(answer)["Status of train.R"]["action_id"] == "job_status:1"
    assert "*train.R*" in words(await bot.push(answer, "Status of train.R"))


async def test_an_unknown_name_is_looked_for_once_and_offers_the_nearest(bot):
    await going(bot, "train.R")
    check_golden("answers/job-unknown", await bot.say("job logs trian.R"))
    (task,) = await bot.store.claim(tasks.claim_tasks, 10, 60.0)
    (waiting,) = task.payload["then"]
    await found(bot, "trian.R")
    await replay(bot.services, ALICE, {**waiting, "task": "t1"})
    [notice] = await bot.notices(NoticeKind.MESSAGE)
    assert "I'll show the output of trian.R" in notice.body["text"]
    await bot.store.write(tasks.finish_task, task)
    await bot.store.write(
        snapshots.save_snapshot, Snapshot("posit", task.subject, RUNS_KIND, None, bot.clock.now())
    )
    check_golden("answers/job-unknown-nearest", await bot.say("job logs trainn.R"))
    assert "Type `/job list`" in words(await bot.say("job logs qqqq"))


@pytest.mark.parametrize("text", ["job stop nightly", "job stop nightly on posit"])
async def test_runs_of_one_name_on_two_connections_are_told_apart(text):
    async with run_rig("slurm") as bot:
        for connection in ("posit", "slurm"):
            await going(bot, "nightly", connection=connection)
        looked = tuple(one.id for one in await bot.store.read(account_rows.list_accounts, ALICE))
        labels = [*buttons(await bot.say(text, looked=looked))]
        assert [label.partition(",")[0] for label in labels] == [
            "Stop nightly@Slurm",
            "Stop nightly@Posit Workbench",
        ]


async def test_without_a_name_the_only_run_is_meant(bot):
    await going(bot, "train.R")
    assert "*train.R*" in words(await bot.say("job status"))
    await over(bot, "test.R")
    assert words(await bot.say("job status")).startswith("*Your runs*")
    assert set(buttons(await bot.say("job logs"))) == {"Logs of test.R", "Logs of train.R"}
    assert set(buttons(await bot.say("job stop"))) == {"Stop train.R"}


# -- stop --------------------------------------------------------------------------------------------------


async def test_a_stop_is_written_down(bot):
    run = await going(bot)
    check_golden("answers/job-stop", await bot.say("job stop train.R"))
    assert (await bot.store.read(run_rows.find_run, run.id)).requested_stop == "stop"
    assert (await bot.audit())[-1]["action"] == "job.stop"
    asked = await bot.say("job stop train.R --force")
    assert (await bot.store.read(run_rows.find_run, run.id)).requested_stop == "stop"
    assert words(await bot.push(asked, "Force quit train.R")).startswith("Forcing *train.R*")
    assert (await bot.store.read(run_rows.find_run, run.id)).requested_stop == "force"
    assert words(await bot.say("job stop train.R")).startswith("Forcing *train.R*")


@pytest.mark.parametrize(
    "text",
    [
        "job stop train",
        "job stop",
    ],
)
async def test_a_stop_that_is_a_guess_is_offered_and_done_on_the_press(bot, text):
    await bot.link()
    run = await going(bot, "train.R")
    answer = await bot.say(text)
    assert (await bot.store.read(run_rows.find_run, run.id)).requested_stop == ""
    check_golden("answers/job-stop-offer", answer)
    await bot.push(answer)
    assert (await bot.store.read(run_rows.find_run, run.id)).requested_stop == "stop"


async def test_of_one_name_the_only_one_that_goes_on_is_stopped(bot):
    first = await going(bot, "train.R")
    await over(bot, "train.R")
    await bot.say("job stop train.R")
    assert (await bot.store.read(run_rows.find_run, first.id)).requested_stop == "stop"


async def test_of_several_that_go_on_it_asks_which(bot):
    await going(bot, "train.R")
    bot.clock.advance(300)
    second = await going(bot, "train.R")
    check_golden("answers/job-which-to-stop", await bot.say("job stop train.R"))
    assert not any(run.requested_stop for run in await bot.store.read(run_rows.list_runs, ALICE))
    await bot.press("job_stop:0", second.id)
    assert [run.requested_stop for run in await bot.store.read(run_rows.list_runs, ALICE)] == ["stop", ""]


async def test_what_is_over_is_not_stopped(bot):
    await over(bot, "train.R", RunState.FAILED, 1)
    answer = await bot.say("job stop train.R")
    assert words(answer) == (
        "*train.R* on Posit Workbench has already ended: failed after 1 min 5 s, exit code 1. "
        "There's nothing to stop."
    )
    assert "None of your runs is in progress" in words(await bot.say("job stop"))


# -- logs --------------------------------------------------------------------------------------------------


async def test_logs_of_a_run_that_a_list_found_give_it_a_card(bot):
    (run,) = await found(bot, "nightly")
    assert not run.is_watched
    check_golden("answers/job-logs", await bot.say("job logs nightly"))
    assert (await bot.store.read(run_rows.find_run, run.id)).is_watched
    (card,) = await bot.notices()
    assert (card.kind, card.subject, card.body["channel_id"]) == (NoticeKind.JOB_CARD, run.id, "C1")
    assert (await bot.audit())[-1]["action"] == "job.logs"
    await bot.say("job logs nightly")
    assert await bot.notices() == []


async def test_logs_of_a_run_that_has_not_begun_come_later(bot):
    await launch(bot)
    assert "hasn't started yet" in words(await bot.say("job logs train.R"))


async def test_a_run_that_never_began_wrote_nothing(bot):
    run = await launch(bot)
    await step(bot, run, outcome="failed", cause="invalid: no such cluster")
    assert "never ran" in words(await bot.say("job logs train.R"))
    assert "no such cluster" in words(await bot.say("job status train.R"))


async def test_where_output_cannot_be_read_it_is_said(bot):
    await going(bot)
    provider = bot.connections["posit"]
    bot.connections["posit"] = FakeProvider(bot.clock, provider.settings)
    assert "doesn't give me the output" in words(await bot.say("job logs train.R"))


# -- who a run belongs to ----------------------------------------------------------------------------------


async def test_a_refused_link_asks_for_a_new_one(bot):
    run = await going(bot)
    account = await bot.store.read(account_rows.find_account, ALICE, "posit")
    await refuse(bot.store, account)
    for text in ("stop train.R", "logs train.R"):
        answer = await bot.say(f"job {text}")
        assert buttons(answer)["Link again"]["url"].startswith(PAGE)
        assert f"job {text}" in [(waiting or {}).get("text") for _, _, waiting in await invited(bot)]
    assert "Link again" in buttons(await bot.press("job_again", run.id))
    with pytest.raises(Refused):
        await Caller(bot.services.context, ALICE).run(runs.launch_run, "posit", Spec("x"))


async def test_a_connection_that_was_taken_away_is_said(bot):
    run = await going(bot)
    del bot.connections["posit"]
    for answer in (await bot.say("job stop train.R"), await bot.press("job_logs", run.id)):
        assert "The connection posit isn't set up any more." in words(answer)
    assert "*train.R* · posit" in words(await bot.say("job list"))


# -- buttons -----------------------------------------------------------------------------------------------


async def test_an_unanswered_stop_can_be_forced(bot):
    run = await going(bot)
    await bot.press("job_stop", run.id)
    run = await step(bot, run, stop_call=Call.ACCEPTED, called=True)
    assert "Force quit" not in buttons(await bot.press("job_refresh", run.id))
    bot.clock.advance(60)
    check_golden("answers/job-unanswered", await bot.press("job_refresh", run.id))
    assert words(await bot.press("job_force", run.id)).startswith("Forcing *train.R*")
    assert (await bot.store.read(run_rows.find_run, run.id)).requested_stop == "force"


async def test_what_was_launched_elsewhere_is_not_run_again(bot):
    (run,) = await found(bot, "nightly")
    assert "I didn't start" in words(await bot.press("job_again", run.id))
    await step(bot, run, outcome="ended")
    assert "Run again" not in buttons(await bot.say("job status nightly"))


@pytest.mark.parametrize("variables", ["A=1", "A=1 B=two", "A="])
async def test_former_button_with_variables_offers_the_run_as_it_was(bot, variables):
    run = await over(bot, "nightly")
    answer = await bot.press("job_again", f"{run.id} {variables}")
    assert "I can't change the variables of *nightly*" in words(answer)
    assert len(await bot.store.read(run_rows.list_runs, ALICE)) == 1
    assert words(await bot.push(answer, "Run again")).startswith("Running *nightly*")
    assert "I didn't start" in words(await bot.press("job_again", f"{(await found(bot, 'x'))[0].id} A=1"))
    assert "can't find" in words(await bot.press("job_again", f"job_none {variables}"))


async def test_unlinking_names_every_run_that_is_no_longer_followed(bot):
    """Even runs that are too old for any list are named."""
    await going(bot, "long")
    for _ in range(51):
        await over(bot, "short")
    asked = words(await bot.say("workspace unlink posit"))
    assert "I'll stop following the run of long." in asked.replace("*", "")

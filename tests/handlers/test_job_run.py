"""`job run` with a form or on one line. Each mistake on the line is reported at once, with its flag."""

import pytest

from bot.domain.forms import Choice, Field, Form, Spec
from bot.domain.notices import NoticeKind
from bot.domain.runs import ObservedRun, RunState
from bot.domain.snapshots import Snapshot
from bot.domain.tasks import TaskKind
from bot.store import accounts, forms, runs, snapshots, tasks
from bot.store.cards import CARD_DELAY_SECONDS
from handlers.replaying import replay
from tests.handlers.rig import PAGE, buttons, invited, staged, words
from tests.handlers.run_rig import found, going, launch, over, run_rig, step
from tests.rigs.forms import JOB_OFFER, Workbench
from tests.rigs.golden import check_golden
from tests.rigs.providers import fake_settings
from tests.rigs.store import ALICE

bot = staged(run_rig)


async def test_without_words_it_opens_the_form(bot):
    answer = await bot.say("job run", trigger_id="t1")
    assert answer.view["title"]["text"] == "Run a job"
    assert buttons(answer)["Open the form"]["value"] == "job posit"
    check_golden("views/make", answer.view)
    assert await bot.store.read(runs.list_runs, ALICE) == []


async def test_a_line_is_a_run_with_its_card_and_its_audit(bot):
    answer = await bot.say(
        "job run --cluster slurm --cpus 2 --memory 4 --name nightly --dir ~/a --env A=1 --env B=2 "
        "-- Rscript -e 'print(“x”)' --share *"
    )
    check_golden("answers/job-run", answer)
    (run,) = await bot.store.read(runs.list_runs, ALICE)
    assert run.spec == Spec(
        "nightly",
        {
            "cluster": "Slurm",
            "cpus": "2",
            "memory": "4",
            "directory": "~/a",
            "environment": "A=1\nB=2",
            "command": "Rscript -e 'print(\"x\")' --share *",
        },
    )
    bot.clock.advance(CARD_DELAY_SECONDS)
    (card,) = await bot.notices()
    assert (card.kind, card.subject, card.body["channel_id"]) == (NoticeKind.JOB_CARD, run.id, "C1")
    entry = (await bot.audit())[-1]
    assert (entry["actor"], entry["action"], entry["target"]) == (ALICE.key, "job.run", "posit/nightly")
    remembered = await bot.store.read(forms.find_form_values, ALICE, "posit", "job")
    assert remembered["cluster"] == "Slurm"
    assert "name" not in remembered


@pytest.mark.parametrize("verb", ["start", "submit", "new", "exec"])
@pytest.mark.parametrize("dashes", ["--", "\u2014", "\u2013"])
async def test_synonym_runs_a_program_of_any_length(bot, verb, dashes):
    await over(bot, "nightly")
    await bot.direct(f"job {verb} posit {dashes} python train.py nightly `date`\n> out")
    await bot.say(f"job {verb} --name one {dashes} Rscript train.R 1 2 3")
    one, program, _ = await bot.store.read(runs.list_runs, ALICE)
    assert (one.name, one.spec.chosen["command"]) == ("one", "Rscript train.R 1 2 3")
    assert program.spec.chosen["command"] == "python train.py nightly `date`\n> out"


async def test_job_that_ran_on_two_connections_is_asked_about():
    async with run_rig("slurm") as bot:
        await over(bot, "nightly")
        await going(bot, "nightly", RunState.SUCCEEDED, connection="slurm")
        answer = await bot.say("job run nightly")
        assert words(answer).startswith("You've run *nightly* on Posit Workbench and Slurm.")
        assert set(buttons(answer)) == {"Run nightly@Slurm", "Run nightly@Posit Workbench"}


async def test_sentence_with_a_dash_only_gets_offers(bot):
    await bot.direct("job start my nightly one please -- thanks a lot")
    assert await bot.store.read(runs.list_runs, ALICE) == []


async def test_run_on_a_removed_connection_is_not_offered():
    async with run_rig("slurm") as bot:
        for name in ("nightly", "night two"):
            await over(bot, name)
            await going(bot, name, RunState.SUCCEEDED, connection="slurm")
        del bot.connections["slurm"]
        assert [*buttons(await bot.say("job run night"))] == ["Run night two", "Run nightly"]
        assert words(await bot.say("job run nightly")).startswith("Running *nightly* on Posit Workbench.")
        await going(bot, "old", RunState.SUCCEEDED, connection="slurm")
        assert "isn't set up any more" in words(await bot.say("job run old"))


async def test_the_same_interaction_twice_is_one_run(bot):
    first = await bot.say("job run -- ls", interaction="command:same")
    assert await bot.say("job run -- ls", interaction="command:same") == first
    assert len(await bot.store.read(runs.list_runs, ALICE)) == 1


async def test_in_a_direct_message_the_card_alone_answers(bot):
    assert (await bot.direct("job run posit -- ls")).text == ""
    assert len(await bot.notices(NoticeKind.JOB_CARD)) == 1


async def test_a_template_without_a_flag_opens_the_form_filled_with_it(bot):
    answer = await bot.say("job run posit nightly", trigger_id="t1")
    chosen = next(
        block for block in answer.view["blocks"] if block.get("block_id", "").startswith("template")
    )
    assert chosen["element"]["initial_option"]["value"] == "nightly"


async def test_a_flag_that_only_one_open_choice_allows_makes_that_choice(bot):
    await bot.say("job run --cluster Kubernetes --cpu 2 --constraint zone=west,zone=east -- ls")
    (run,) = await bot.store.read(runs.list_runs, ALICE)
    assert run.spec.text("profile") == "custom"
    assert run.spec.text("cpus") == "2"
    assert run.spec.text("image") == "r-base"
    assert run.spec.texts("constraints") == ("zone=west", "zone=east")


async def test_where_nothing_can_be_limited_limits_are_left_out_and_that_is_said(bot):
    answer = await bot.say("job run --cluster Local --cpus 2 -- Rscript train.R")
    assert words(answer).endswith("You can't set limits there, so I left out `--cpus`.")
    assert "left out `--mem`" in words(await bot.direct("job run --cluster Local --mem 2 -- ls"))
    assert ["cpus" in run.spec.chosen for run in await bot.store.read(runs.list_runs, ALICE)] == [
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("unknown", "--cluster Local --rockets 3 -- ls"),
        ("elsewhere", "--cluster Local --image r-base --gpu-a 1 -- ls"),
        ("not-with-that-profile", "--cluster Kubernetes --profile small --cpus 1 -- ls"),
        ("several", "--cluster Slurm --cpus 99 --env X --queue <wide> --dir a --dir b"),
        ("number", "--cluster Slurm --cpus two -- ls"),
        ("empty", "--cluster --cpus 1 -- ls"),
        ("template", "posit weekly -- ls"),
        ("fixed", "posit nightly -- ls"),
        ("no-command", "--cluster Slurm"),
    ],
)
async def test_what_is_wrong_is_said_with_its_flag(bot, name, line):
    answer = await bot.say(f"job run {line.replace('<', '&lt;').replace('>', '&gt;')}")
    check_golden(f"answers/job-run-{name}", answer)
    assert await bot.store.read(runs.list_runs, ALICE) == []
    assert await bot.store.read(forms.find_form_values, ALICE, "posit", "job") == {}


async def test_a_program_without_its_hyphens_is_explained(bot):
    answer = await bot.say("job run Rscript train.R")
    assert "I don't have a connection called *Rscript*" in words(answer)
    assert "`/job run -- Rscript train.R`" in words(answer)
    assert "name of a job" not in words(answer)
    assert "`job run -- Rscript train.R`" in words(await bot.direct("job run Rscript train.R"))


async def test_a_line_that_is_too_long_is_refused_whole(bot):
    assert "Put it in a script" in words(await bot.say(f"job run -- echo {'x' * 6000}"))
    assert await bot.store.read(runs.list_runs, ALICE) == []


async def test_with_several_connections_it_asks_where():
    async with run_rig("bench") as bot:
        asked = words(await bot.say("job run -- ls"))
        assert "Type `/job run CONNECTION`, with one of these: `Bench`, `Posit Workbench`." in asked
        assert [button["value"] for button in buttons(await bot.say("job run")).values()] == [
            "job bench",
            "job posit",
        ]
        await bot.say("job run Bench -- ls")
        assert [run.connection for run in await bot.store.read(runs.list_runs, ALICE)] == ["bench"]


class NamedJobs(Workbench):
    """A provider that only runs jobs that are set up there."""

    runs_named_jobs = True


async def test_a_command_is_meant_for_the_only_connection_that_runs_commands():
    async with run_rig("cloud", "bench") as bot:
        bot.connections["cloud"] = NamedJobs(bot.clock, fake_settings("cloud", title="Cloud"))
        assert "one of these: `Bench`, `Posit Workbench`." in words(await bot.say("job run -- ls"))
        del bot.connections["bench"]
        await bot.say("job run --cluster Local -- ls")
        assert [run.connection for run in await bot.store.read(runs.list_runs, ALICE)] == ["posit"]


async def test_where_no_jobs_run_it_is_said(bot):
    assert "I can't run jobs on Hub" in words(await bot.say("job run hub -- ls"))
    del bot.connections["posit"]
    assert "I can't run jobs on any connection here." in words(await bot.say("job run -- ls"))


async def test_without_a_link_the_line_waits_for_one():
    async with run_rig(linked=False) as bot:
        answer = await bot.say("job run --name a -- ls")
        assert words(answer).startswith("To run a job, link your Posit Workbench account.")
        waiting = (await invited(bot))[-1][2]
        assert waiting["text"] == "job run --name a -- ls"


async def test_an_old_offer_is_used_and_read_anew(bot):
    bot.clock.advance(3600)
    await bot.say("job run -- ls")
    assert len(await bot.store.read(runs.list_runs, ALICE)) == 1
    assert [task.kind for task in await bot.store.claim(tasks.claim_tasks, 10, 60.0)] == [TaskKind.SNAPSHOT]


async def test_a_form_that_waits_for_the_first_offer_keeps_its_template():
    async with run_rig(offer=None) as bot:
        assert (await bot.say("job run posit nightly", trigger_id="t1")).view["external_id"]
        [task] = [
            one for one in await bot.store.claim(tasks.claim_tasks, 10, 60.0) if one.kind is TaskKind.SNAPSHOT
        ]
        [waiting] = task.payload["then"]
        assert waiting["text"] == "job run posit nightly"
        account = await bot.store.read(accounts.find_account, ALICE, "posit")
        await bot.store.write(
            snapshots.save_snapshot,
            Snapshot("posit", account.id, "templates", JOB_OFFER, await bot.store.now()),
        )
        await replay(bot.services, ALICE, {**waiting, "task": "t1"})
        [notice] = await bot.notices(NoticeKind.REPLY)
        assert "nightly" in str(notice.body["view"]["blocks"])


async def test_the_form_of_a_connection_waits_for_no_other_connection():
    async with run_rig("saturn", offer=None, kind=NamedJobs) as bot:
        assert (await bot.say("job run posit", trigger_id="t1")).view["external_id"]
        tasks_ = await bot.store.claim(tasks.claim_tasks, 10, 60.0)
        [read] = [task.payload for task in tasks_ if task.kind is TaskKind.SNAPSHOT]
        assert [waiting["text"] for waiting in read["then"]] == ["job run posit"]


async def test_run_of_a_name_at_two_places_offers_each_of_them():
    async with run_rig("saturn") as bot:
        for name, connection in (("etl", "posit"), ("etl", "saturn"), ("etk", "posit")):
            await launch(bot, name, connection=connection)
        offered = await bot.say("job run etl")
        assert set(buttons(offered)) == {"Run etl@Posit Workbench", "Run etl@Saturn"}
        assert "*etl* on Saturn" in words(await bot.push(offered, "Run etl@Saturn"))
        assert set(buttons(await bot.say("job run etx"))) == {
            "Run etk",
            "Run etl@Posit Workbench",
            "Run etl@Saturn",
        }


class OneNamedJob(NamedJobs):
    """A provider with a single job, whose name is one word."""

    def form(self, *_: object) -> Form:
        return Form((Field("template", "Job", "choice", (Choice("nightly", "nightly"),)),))


async def test_job_named_with_its_connection_is_run_there_alone():
    """Another connection has a job of that name, but the command names the connection."""
    async with run_rig("saturn", kind=OneNamedJob) as bot:
        await launch(bot, "nightly", connection="saturn")
        answer = await bot.say("job run nightly@saturn")
        assert "A run of *nightly* is already in progress" in words(answer)


async def test_make_button_keeps_its_command_for_after_linking():
    async with run_rig(linked=False) as bot:
        asked = await bot.press("make", "workspace posit")
        assert buttons(asked)["Link Posit Workbench"]["url"].startswith(PAGE)
        ((_, connection, waiting),) = await invited(bot)
        assert (connection, waiting["text"]) == ("posit", "new posit")


async def test_job_in_progress_that_was_started_elsewhere_is_run_again_only_by_a_press():
    async with run_rig(kind=OneNamedJob) as bot:
        await found(bot, "nightly")
        asked = await bot.say("job run nightly")
        assert "A run of *nightly* is already in progress" in words(asked)
        assert len(await bot.store.read(runs.list_runs, ALICE)) == 1
        assert "*nightly*" in words(await bot.push(asked))
        assert len(await bot.store.read(runs.list_runs, ALICE)) == 2


async def test_job_whose_newest_run_was_started_elsewhere_repeats_the_users_own_run(bot):
    await over(bot, "nightly")
    (elsewhere,) = [one for one in await found(bot, "nightly") if one.spec is None]
    await step(bot, elsewhere, outcome="ended", observed=ObservedRun(RunState.SUCCEEDED, 0))
    assert words(await bot.say("job run nightly")).startswith("Running *nightly*")


@pytest.mark.parametrize("flags", ["--yes", "--cpus 2"])
async def test_flag_of_a_run_that_is_repeated_is_named(bot, flags):
    await over(bot, "nightly")
    answer = await bot.say(f"job run nightly {flags}")
    assert words(answer).startswith(f"`/job run nightly` has no option `{flags.split()[0]}`, so I haven't")
    assert list(buttons(answer)) == ["Run nightly"]
    assert "connection called *nihgtly*" in words(await bot.say(f"job run nihgtly {flags}"))


async def test_flag_of_a_job_that_one_connection_offers_is_checked_there():
    async with run_rig(kind=OneNamedJob) as bot:
        said = words(await bot.say("job run nightly --yes"))
        assert "`--yes`: Posit Workbench doesn't have that option here." in said

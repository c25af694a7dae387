"""What is proposed works when it is pressed, says what it does to what and when, and fits what is so."""

import pytest

from bot.domain.runs import RunState
from bot.domain.surfaces import Where
from bot.domain.workspaces import State
from bot.features.sentences import proposals
from bot.features.sentences.labels import LABELS
from bot.features.sentences.ranker import WEIGHTS, Rank
from bot.features.sentences.reading import Reading
from bot.store import discovered, operations, workspaces
from handlers.dispatch import run_text
from tests.handlers.rig import buttons, rig, words
from tests.handlers.run_rig import going, over, run_rig
from tests.rigs.store import ALICE, found_workspace, link_account, linked

STATES = {"report": "running", "notebook": "stopped", "gpu-train": "running", "etl": "failed"}


@pytest.fixture
async def bot():
    async with rig() as made:
        account = await link_account(made.store, ALICE, "saturn")
        found = [found_workspace(name, ALICE, "saturn", State(state)) for name, state in STATES.items()]
        await made.store.perform(discovered.merge_discovered, account.id, found)
        yield made


async def deeds(bot):
    """Return what is under way or planned, by name."""
    titles = {one.id: one.title for one in await bot.store.perform(workspaces.read_workspaces, ALICE)}
    begun = {
        f"{one.verb} {titles[one.workspace_id]}"
        for one in await bot.store.read(operations.open_operations, ALICE)
    }
    planned = {
        f"later {one.title}"
        for one in await bot.store.perform(workspaces.read_workspaces, ALICE)
        if one.stop_at
    }
    return begun | planned


@pytest.mark.parametrize(
    ("text", "label", "deed"),
    [
        ("im done with gpu-train for today, you can shut it down", "Stop gpu-train", {"stop gpu-train"}),
        (
            "would be lovely to have gpu-train off at 18:00",
            "Stop gpu-train at 18:00 UTC",
            {"later gpu-train"},
        ),
        ("notbook pls", "Start notebook", {"start notebook"}),
        (
            "i need report and gpu-train gone, both of them, at 18:00",
            None,
            {"later report", "later gpu-train"},
        ),
        ("Kernel in report is hanging, kick it", "Restart report", {"restart report"}),
        ("give etl another try", "Start etl", {"start etl"}),
    ],
)
async def test_a_guess_is_a_button_that_says_what_it_does_and_does_it(bot, text, label, deed):
    answer = await bot.direct(text)
    assert await deeds(bot) == set()
    label = label or next(one for one in buttons(answer) if one.startswith("Stop"))
    await bot.push(answer, label)
    assert await deeds(bot) == deed


@pytest.mark.parametrize(
    "text",
    [
        "what would happen if I restarted report while students are in it",
        "will my files be deleted if I stop report?",
        "is there anything that will turn gpu-train off automatically??",
        "stop report once gpu-train is through",
        "if it is late, stop report",
        "> stop report was what he said",
    ],
)
async def test_a_question_a_condition_and_a_quotation_offer_no_act(bot, text):
    answer = await bot.direct(text)
    assert await deeds(bot) == set()
    assert not [one for one in buttons(answer) if one.split()[0] in {"Stop", "Restart"} and " report" in one]


@pytest.mark.parametrize(
    "text",
    [
        "what would happen if I deleted report",
        "what happens when I remove the report workspace?",
        "if I delete report, do I lose anything?",
    ],
)
async def test_question_about_a_removal_says_what_it_deletes(bot, text):
    answer = await bot.direct(text)
    assert "`remove NAME` permanently deletes a workspace and everything stored only in it" in words(answer)
    assert not buttons(answer)


@pytest.mark.parametrize(
    "text",
    ["stop the report of somebody else", "stop somebodys report", "start notebook for someone"],
)
async def test_what_is_said_to_be_somebody_elses_is_not_touched(bot, text):
    answer = await bot.direct(text)
    assert "I only work with your own workspaces" in words(answer)
    assert not buttons(answer)
    assert await deeds(bot) == set()


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("don't restart etl, restart report instead", ["Restart report"]),
        ("don't touch etl, but please stop report", ["Stop report"]),
        ("don't stop report, start notebook", ["Start notebook"]),
        ("don't start notebook and stop report", ["Stop report"]),
        ("don't stop report, notebook is mine", []),
        ("don't touch report and notebook", []),
        ("stop report, don't wait for me", ["Stop report"]),
        ("stop report, gpu-train don't", ["Stop report"]),
        ("stop report but I still need gpu-train", ["Stop report"]),
        ("leave gpu-train alone, but report can go", ["Stop report"]),
        ("don't stop report unless notebook is up, stop it", []),
    ],
    ids=[
        *("instead", "touch", "two verbs", "and", "remark", "two names"),
        *("about nothing", "without a verb", "needed", "left alone", "unless"),
    ],
)
async def test_a_not_leaves_the_other_clause_on_offer(bot, text, labels):
    shown = buttons(await bot.direct(text))
    assert [one for one in shown if not one.startswith("Show ")] == labels
    assert await deeds(bot) == set()


async def test_a_plan_is_only_kept_where_there_is_one(bot):
    assert "Keep report running" not in buttons(await bot.direct("please don't turn report off at all"))
    await bot.say("stop report at 18:00")
    bot.clock.advance(3 * 3600)
    answer = await bot.direct("please don't turn report off at all")
    await bot.push(answer, "Keep report running")
    assert await deeds(bot) == set()


async def test_what_was_left_out_is_named(bot):
    answer = await bot.direct("please get notebook started with EPOCHS=20")
    assert "EPOCHS=20" in words(answer)
    assert "Start notebook" in buttons(answer)


async def test_nothing_is_proposed_that_the_policy_forbids_or_that_needs_a_link(bot):
    await bot.store.carry_out(lambda tx: tx.run("UPDATE accounts SET state = 'refused'"))
    answer = await bot.direct("notbook pls")
    assert "Start notebook" not in buttons(answer)
    assert not [one for one in await bot.audit() if one["action"].startswith("refused")]


#: What no button says in this world: what needs a course, a job, or more words.
NOWHERE = {
    *("again", "join", "leave", "skip", "move", "pause-course", "end-course", "job-run", "job-stop", "alias"),
    *("add", "hours", "hours-off", "keep", "resume", "cancel", "notify", "hold"),
}


def labels():
    """Return the labels that the ranker was trained for."""
    return [one.partition(":")[0] for one in WEIGHTS.read_text().splitlines()[1].split()[1:]]


@pytest.mark.parametrize("label", labels())
async def test_every_label_shows_something_or_has_a_button_that_works(bot, label):
    async def propose(request):
        rows = await request.services.store.perform(workspaces.read_workspaces, request.principal)
        return await proposals.propose(request, Reading(left=("so",)), [Rank(label, 0.9)], rows)

    surface = bot.surface(kind="message", channel_id="D1", where=Where.DIRECT)
    answer = await run_text(bot.services, ALICE, surface, "so much", reader=propose)
    assert await deeds(bot) == set()
    assert label in NOWHERE or LABELS[label].only_shows or buttons(answer)
    for one in list(buttons(answer).values())[:3]:
        pressed = await bot.press(one["action_id"], one.get("value", ""))
        assert "can't find" not in words(pressed)
        assert "don't have a command" not in words(pressed)


async def test_what_a_slot_is_missing_for_gets_its_form(bot):
    for text, labels in [
        ("suspend report at some point", ["Stop later…"]),
        ("stop gpu-train eventually", ["Stop later…"]),
        ("start notebook later", ["Hours…"]),
        ("report should have working hours", ["Hours…"]),
        ("mute report please", ["Notify report off"]),
        ("don't message me about report", ["Notify report off"]),
        ("send me that link once more", ["Open gpu-train", "Open report"]),
    ]:
        assert list(buttons(await bot.direct(text))) == labels, text
    assert await deeds(bot) == set()


@pytest.mark.parametrize(
    "text",
    [
        "stop report not now",
        "stop report by banana o'clock",
        "start notebook on the 7th at 9",
        "I was going to stop report but changed my mind",
        "we had to stop report because of the alarm",
        "remove report, tomorrow please, not today",
        "no need to mute report",
    ],
)
async def test_no_button_does_what_the_sentence_bars(bot, text):
    shown = buttons(await bot.direct(text))
    assert await deeds(bot) == set()
    acts = ("Stop report", "Start notebook", "Remove report", "Notify report")
    assert not [one for one in shown if one.startswith(acts)]


async def test_a_run_beside_a_workspace_of_a_similar_name_is_meant():
    async with run_rig() as made:
        await linked(made.store, ALICE, ("training",), connection="hub")
        await going(made, "train-xgb")
        for text in ("cancel the training run", "the training run is stuck, kill it"):
            assert list(buttons(await made.direct(text))) == ["Stop train-xgb"], text
        answer = await made.direct("please stop train-xgb at 18:00, it's slow")
        assert "I can't plan that for later" in words(answer)
        assert "Stop train-xgb" not in buttons(answer)


async def test_a_question_without_a_name_is_about_what_failed_or_was_done_last():
    async with run_rig() as made:
        await over(made, "nightly", RunState.FAILED, 1)
        for text in ("why did it fail?", "did it work?", "anything failed?"):
            assert "*nightly*" in words(await made.direct(text)), text
        await over(made, "later")
        assert "*later*" in words(await made.direct("did it work?"))
        assert "*nightly*" in words(await made.direct("why did it fail?"))
        assert "*nightly*" in words(await made.talk("job status nightly", "did it work?"))


async def test_verb_with_an_unread_time_is_no_typo():
    """Also where no name is known: *start* is a command."""
    async with rig() as bot:
        answer = await bot.direct("start notebook later")
        assert "have a command" not in words(answer)
        assert "haven't done anything" in words(answer)


async def test_unknown_job_with_a_time_is_not_suggested_as_a_run():
    async with rig() as bot:
        offered = buttons(await bot.direct("run nightly-report every weekday at 7:30"))
        assert offered
        assert all(label.startswith("Link") for label in offered)

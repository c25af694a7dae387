"""The grammar of typed commands: an exact command runs at once, and a near miss is asked about."""

import pytest

from bot.domain.workspaces import State
from bot.store import operations, workspaces
from tests.handlers.rig import Rig, buttons, words
from tests.rigs.store import ALICE

BUSY = {"stop_risks": frozenset({"busy"})}
NAMES = ("notebook", "training", "gpu box", "report")


async def read_operations(bot: Rig) -> list[str]:
    """Return the open operations, each with its verb and workspace."""
    names = {one.id: one.title for one in await bot.store.perform(workspaces.read_workspaces, ALICE)}
    found = await bot.store.read(operations.open_operations, ALICE)
    return sorted(f"{one.verb} {names[one.workspace_id]}" for one in found)


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("start notebook and report", ["start notebook", "start report"]),
        ("start notebook, report, gpu box", ["start gpu box", "start notebook", "start report"]),
        ('start "gpu box" & training', ["start gpu box", "start training"]),
        ("launch notebook report for 2h", ["start notebook", "start report"]),
        ("start notebook notebook", ["start notebook"]),
        ("START Notebook until 18:00", ["start notebook"]),
    ],
)
async def test_command_in_its_form_runs_at_once(bot: Rig, text, done):
    await bot.link(names=NAMES)
    await bot.say(text)
    assert await read_operations(bot) == done


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("stop repo", "Stop report"),
        ("start repo", "Start report"),
        ("start repo for 2h", "Start report until 10:00 UTC"),
        ("keep repo until 18:00", "Keep report running until 18:00 UTC"),
        ("stop reprot", "Stop report"),
        ("restart repo", "Restart report"),
        ("forget repo", "Take report off my list"),
        ("alias repo thesis", "Rename report thesis"),
        ("settings repo off", "Settings: report off"),
        ("hours repo weekdays 9:00-18:00", "Hours for report: weekdays 9:00-18:00"),
    ],
)
async def test_command_with_nearly_a_name_is_asked_about(bot: Rig, text, label):
    await bot.link(names=NAMES)
    await bot.sees(State.RUNNING, "report")
    before = await bot.audit()
    answer = await bot.say(text)
    assert await bot.audit() == before
    assert label in buttons(answer)
    await bot.push(answer, label)
    assert len(await bot.audit()) > len(before)


@pytest.mark.parametrize(
    "text",
    [
        "stop report?",
        "stop report please",
        "stop my report",
        "pls stop report",
        "stop report and go home",
        "stop report, not training",
        "stop it",
        "start over",
        "start over again",
        "start notebook in 10 minutes",
        "start notebook and report at 18:00",
        "~start~ notebook",
        "keep going",
        "shut up notebook",
        "call notebook names",
        "undo that mess",
        "undo report",
        "notify me when notebook is ready",
        "alias what",
        "hide and seek",
        "stop notebook for 2h",
    ],
)
async def test_text_in_no_command_form_does_nothing(bot: Rig, text):
    await bot.link(names=NAMES)
    await bot.sees(State.RUNNING, "report")
    before = await bot.audit()
    await bot.say(text)
    assert await read_operations(bot) == []
    assert await bot.audit() == before


@pytest.mark.parametrize("text", ["close", "end", "quit at 18:00", "kill in 2 hours", "stop?", "launch"])
async def test_other_word_without_a_name_does_nothing(bot: Rig, text):
    await bot.link()
    await bot.sees(State.RUNNING)
    before = await bot.audit()
    await bot.say(text)
    assert await bot.audit() == before


@pytest.mark.parametrize("text", ["start the", "start not", "keep the", "start over"])
async def test_everyday_word_is_no_beginning_of_a_name(bot: Rig, text):
    await bot.link(names=("thesis", "notebook", "overview"))
    before = await bot.audit()
    await bot.say(text)
    assert await bot.audit() == before


async def test_several_are_stopped_and_a_busy_one_is_asked_about(bot: Rig):
    await bot.link(names=NAMES)
    for name in ("notebook", "report"):
        await bot.sees(State.RUNNING, name)
    await bot.sees(State.RUNNING, "training", **BUSY)
    answer = await bot.say("stop notebook, training and gpu box")
    assert await read_operations(bot) == ["stop notebook"]
    assert "Stopping *notebook*." in words(answer)
    assert "*gpu box* is already stopped (as of" in words(answer)
    await bot.push(answer, "Stop training")
    assert await read_operations(bot) == ["stop notebook", "stop training"]


@pytest.mark.parametrize("text", ["stop notebook", "restart notebook", "suspend notebook"])
async def test_busy_workspace_is_asked_about_unless_agreed(bot: Rig, text):
    await bot.link()
    await bot.sees(State.RUNNING, **BUSY)
    assert buttons(await bot.say(text))
    assert await read_operations(bot) == []
    await bot.say(f"{text} --yes")
    assert len(await read_operations(bot)) == 1


async def test_force_quit_is_asked_about(bot: Rig):
    await bot.link()
    await bot.sees(State.RUNNING)
    answer = await bot.say("stop notebook --force")
    assert await read_operations(bot) == []
    await bot.push(answer, "Force quit notebook")
    assert await read_operations(bot) == ["force notebook"]


async def test_several_names_are_shown_in_one_list(bot: Rig):
    await bot.link(names=NAMES)
    shown = words(await bot.say("status notebook and gpu box"))
    assert "*notebook*" in shown
    assert "*gpu box*" in shown
    assert "*report*" not in shown


async def test_name_on_two_connections_is_asked_about_among_several(bot: Rig):
    await bot.link(names=NAMES)
    await bot.link(names=("notebook",), connection="hub", username="al")
    asked = await bot.say("start notebook and report")
    assert await read_operations(bot) == []
    assert {"Start notebook@Hub", "Start notebook@Saturn Cloud"} <= set(buttons(asked))
    await bot.say("start notebook@hub and report")
    assert await read_operations(bot) == ["start notebook", "start report"]


@pytest.mark.parametrize(
    ("names", "text", "name", "hours"),
    [
        (("lab", "lab 2"), "keep lab 2 hours longer", "lab", 2),
        (("lab", "lab 2"), "keep lab 2 1h longer", "lab 2", 1),
        (("lab 2", "gpu"), "keep lab 2 1h longer", "lab 2", 1),
    ],
)
async def test_number_in_a_name_is_told_from_a_length(bot: Rig, names, text, name, hours):
    await bot.link(names=names)
    for one in names:
        await bot.sees(State.RUNNING, one)
        await bot.say(f"stop {one} at 18:00")
    before = {one: (await bot.workspace(one)).stop_at for one in names}
    await bot.say(text)
    moved = {one: (await bot.workspace(one)).stop_at - before[one] for one in names}
    assert {one: seconds for one, seconds in moved.items() if seconds} == {name: hours * 3600}


@pytest.mark.parametrize("text", ["settings notebook off?", "~settings~ notebook off"])
async def test_question_about_settings_changes_none(bot: Rig, text):
    await bot.link()
    before = await bot.audit()
    assert "*notebook*" in words(await bot.say(text))
    assert await bot.audit() == before


@pytest.mark.parametrize("text", ["status notebook?", "open notebook?", "list saturn?", "about hub?"])
async def test_question_with_a_verb_that_shows_is_answered(bot: Rig, text):
    await bot.link(names=NAMES)
    assert words(await bot.say(text)) == words(await bot.say(text.rstrip("?")))


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ('alias "lab" 2 thesis', ["2 thesis", "lab 2", "survey figures"]),
        ("alias lab 2 thesis", ["lab", "survey figures", "thesis"]),
        ("alias survey fig thesis", ["lab", "lab 2", "survey figures"]),
    ],
)
async def test_alias_is_given_to_a_whole_name(bot: Rig, text, titles):
    await bot.link(names=("lab", "lab 2", "survey figures"))
    await bot.say(text)
    rows = await bot.store.perform(workspaces.read_workspaces, ALICE)
    assert sorted(one.title for one in rows) == titles

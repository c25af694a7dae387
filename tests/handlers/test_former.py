"""Verbs, buttons and forms of earlier releases: what replaces them, or what to do instead."""

import tomllib

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.surfaces import Surface
from bot.domain.workspaces import State
from bot.messages.texts import verbs as view_words
from bot.messages.verb import find_verb, list_former_verbs
from bot.store import operations
from bot.store import waitlist as waits
from handlers import former
from handlers.dispatch import run_shortcut
from handlers.requests import routes
from tests.handlers.rig import buttons, submit, words
from tests.project.repository import ROOT
from tests.rigs.store import ALICE
from tests.rigs.verbs import COMMANDS

FORMER = sorted((command, word) for command in COMMANDS for word in list_former_verbs(command))


async def list_open(bot):
    return [one.verb for one in await bot.store.read(operations.open_operations, ALICE)]


async def list_waiting(bot):
    return [one.workspace_id for one in await bot.store.read(waits.list_entries, ALICE)]


# -- typed ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "word"), FORMER)
def test_former_verb_names_one_that_takes_its_words(command, word):
    replacing = list_former_verbs(command)[word]
    verb = find_verb(command, replacing.name)
    assert verb.usage
    assert replacing.flags <= {*(verb.flags or ())}
    assert verb.takes_words or not replacing.takes_words
    assert routes.get_verbs(command).get(word) is None


@pytest.mark.parametrize(
    ("former_text", "text"),
    [
        pytest.param("waiting", "list waiting", id="waiting"),
        pytest.param("version", "about", id="version"),
        pytest.param("whoami", "about", id="whoami"),
        pytest.param("eta notebook", "status notebook", id="eta"),
        pytest.param("courses", "card", id="courses"),
        pytest.param("unqueue notebook", "cancel notebook", id="unqueue"),
        pytest.param("job result", "job status", id="result"),
        pytest.param("job eta", "job status", id="job_eta"),
    ],
)
async def test_former_verb_answers_as_its_successor_and_names_it(bot, former_text, text):
    await bot.link(names=("notebook",))
    command = "job" if former_text.startswith("job ") else "workspace"
    word = former_text.removeprefix("job ").split()[0]
    line = f"`{word}` is now `/{command} {list_former_verbs(command)[word].typed}`."
    said = words(await bot.say(former_text)).split("\n")
    assert line in said
    assert [one for one in said if one != line] == words(await bot.say(text)).split("\n")


@pytest.mark.parametrize("text", ["resume notebook", "queue notebook", "notify notebook off"])
async def test_former_verb_that_acts_names_its_successor(bot, text):
    await bot.link(names=("notebook",))
    word = text.split()[0]
    assert f"`{word}` is now `/workspace {list_former_verbs('workspace')[word].typed}`." in words(
        await bot.say(text)
    )


async def test_former_verb_whose_card_says_the_rest_is_answered_in_a_direct_message(bot):
    await bot.link(names=("notebook",))
    assert words(await bot.direct("resume notebook")) == "`resume` is now `start`."
    assert await list_open(bot) == [OperationVerb.START]


async def test_words_of_a_former_verb_in_a_sentence_are_no_command(bot):
    await bot.link(names=("notebook",))
    said = words(await bot.say("waiting for a better machine, what a version"))
    assert "is now" not in said
    assert await list_open(bot) == []


async def test_former_courses_with_a_workspaces_name_posts_no_card(bot):
    """In earlier releases, ``courses`` only showed courses."""
    await bot.link(names=("notebook",))
    assert "No courses yet" in words(await bot.say("courses notebook"))
    assert not [row for row in await bot.audit() if row["action"].startswith("class.")]


async def test_help_explains_what_replaces_a_former_verb(bot):
    assert "start NAME" in words(await bot.say("help queue"))


# -- the queue -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["start notebook --wait", "start --wait", "queue notebook", "queue notebook until 18:00"]
)
async def test_start_that_waits_takes_a_place_in_the_queue(bot, text):
    await bot.link(names=("notebook",))
    assert "*notebook* is waiting for room" in words(await bot.say(text))
    assert await list_waiting(bot) == [(await bot.workspace()).id]


async def test_time_of_a_start_that_waits_plans_no_stop(bot):
    await bot.link(names=("notebook",))
    await bot.sees(State.RUNNING)
    await bot.say("start notebook --wait until 18:00")
    assert (await bot.workspace()).stop_at is None
    assert await list_waiting(bot) == []


async def test_several_wait_one_by_one(bot):
    await bot.link(names=("notebook", "training"))
    each = ["Start notebook and wait", "Start training and wait"]
    assert list(buttons(await bot.say("start notebook and training --wait"))) == each
    assert list(buttons(await bot.say("start all --wait"))) == each
    assert (await list_waiting(bot), await list_open(bot)) == ([], [])


async def test_choice_among_names_keeps_the_wait(bot):
    await bot.link(names=("notebook", "training"))
    asked = await bot.say("start --wait")
    assert list(buttons(asked)) == ["Start notebook and wait", "Start training and wait"]
    await bot.push(asked, "Start training and wait")
    assert await list_waiting(bot) == [(await bot.workspace("training")).id]


async def test_sentence_offers_to_wait(bot):
    await bot.link(names=("notebook", "training"))
    offered = await bot.say("could you please start notebook and wait for room")
    assert list(buttons(offered)) == ["Start notebook and wait"]
    await bot.push(offered, "Start notebook and wait")
    assert await list_waiting(bot) == [(await bot.workspace()).id]


@pytest.mark.parametrize("text", ["cancel training", "cancel", "unqueue", "unqueue training"])
async def test_cancel_gives_up_the_place_and_leaves_alone_what_runs(bot, text):
    await bot.link(names=("notebook", "training"))
    await bot.sees(State.RUNNING)
    await bot.say("start training --wait")
    assert "*training* isn't waiting for room any more" in words(await bot.say(text))
    assert (await list_waiting(bot), await list_open(bot)) == ([], [])


async def test_cancel_without_anything_under_way_does_nothing(bot):
    await bot.link(names=("notebook", "training"))
    await bot.sees(State.RUNNING)
    assert "doesn't apply to any of your workspaces" in words(await bot.say("cancel"))
    assert "is under way for *notebook*" in words(await bot.say("cancel notebook"))
    assert await list_open(bot) == []


async def test_cancel_asks_which_of_several(bot):
    await bot.link(names=("notebook", "training"))
    await bot.say("start notebook")
    await bot.say("start training --wait")
    asked = await bot.say("cancel")
    assert list(buttons(asked)) == ["Cancel notebook", "Cancel training"]
    await bot.push(asked, "Cancel training")
    assert (await list_waiting(bot), await list_open(bot)) == ([], [OperationVerb.START])


# -- buttons and forms in old messages -----------------------------------------------------------------------


async def test_button_of_a_former_verb_starts(bot):
    await bot.link(names=("notebook",))
    row = await bot.workspace()
    await bot.press(f"resume:{0}", f"{row.id}@{row.generation}")
    assert await list_open(bot) == [OperationVerb.START]


async def test_button_of_a_former_verb_waits(bot):
    await bot.link(names=("notebook",))
    row = await bot.workspace()
    until = bot.clock.now() + 7200
    await bot.press(f"queue:u{until:.0f}", f"{row.id}@{row.generation}")
    (wait,) = await bot.store.read(waits.list_entries, ALICE)
    assert wait.expires_at == pytest.approx(until, abs=1)


async def test_button_that_resumed_several_starts_them(bot):
    await bot.link(names=("notebook", "training"))
    rows = [await bot.workspace(name) for name in ("notebook", "training")]
    await bot.press("several", " ".join(["resume", *(f"{row.id}.d" for row in rows)]))
    assert await list_open(bot) == [OperationVerb.START] * 2


@pytest.mark.parametrize(
    ("button", "said"),
    [
        ("waiting", "Nobody is waiting for room."),
        ("whoami", "You are"),
        ("version", "This is Usher"),
        ("courses", "No courses yet"),
    ],
)
async def test_button_of_a_former_verb_shows_what_its_successor_does(bot, button, said):
    assert said in words(await bot.press(button))


@pytest.mark.parametrize("button", sorted(former.BUTTONS))
async def test_button_whose_subject_is_gone_says_what_to_do_instead(bot, button):
    await bot.link()
    said = words(await bot.press(button, "a_key_of_then"))
    assert said
    assert said != words(await bot.press("never_was"))
    assert await list_open(bot) == []


@pytest.mark.parametrize("form", [*sorted(former.FORMS), "never_was"])
async def test_form_whose_subject_is_gone_is_answered(bot, form):
    await bot.link()
    answered = await submit(
        bot.services, ALICE, {"id": "V1", "callback_id": form, "state": {"values": {}}}, "view:1"
    )
    said = str(answered["view"])
    assert view_words.OUTDATED in said or former.FORMS[form][:20] in said


@pytest.mark.parametrize("shortcut", sorted(former.SHORTCUTS))
async def test_former_shortcut_says_what_to_do_instead(bot, shortcut):
    await bot.link()
    said = words(await run_shortcut(bot.services, ALICE, Surface(kind="shortcut"), shortcut))
    assert said == "I don't take commands from messages any more. Type `/job run -- COMMAND` instead."
    assert await list_open(bot) == []


def test_former_names_are_those_of_old_messages():
    names = tomllib.loads((ROOT / "tests/project/public_names.toml").read_text(encoding="utf-8"))
    assert {*former.BUTTONS} <= {*names["action"]}
    assert {*former.FORMS} <= {*names["view"]}

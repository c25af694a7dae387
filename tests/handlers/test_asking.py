"""When to ask: a command that names things exactly and loses nothing runs; anything else becomes a button."""

import pytest

from bot.domain.notices import Answer
from bot.domain.stops import StopEffect
from bot.domain.workspaces import State
from tests.handlers.rig import Cloud, Rig, buttons, one_cloud, words
from tests.handlers.test_commands import read_operations

BUSY = {"stop_risks": frozenset({"busy"})}
UNSAVED = {"stop_risks": frozenset({"unsaved"})}
#: For each command: its button's label, and its effect in each state on a workspace that is named exactly.
#: ``act`` runs it, ``ask`` asks first, and ``say`` only reports the state.
VERBS = {
    "start {}": (
        "Start",
        {"stopped": "act", "running": "act", "busy": "act", "unsaved": "act", "gone": "say"},
    ),
    "stop {}": ("Stop", {"stopped": "act", "running": "act", "busy": "ask", "unsaved": "ask", "gone": "say"}),
    "suspend {}": (
        "Suspend",
        {"stopped": "act", "running": "act", "busy": "ask", "unsaved": "ask", "gone": "say"},
    ),
    "restart {}": (
        "Restart",
        {"stopped": "act", "running": "act", "busy": "ask", "unsaved": "ask", "gone": "say"},
    ),
    "stop {} --force": (
        "Force quit",
        {"stopped": "ask", "running": "ask", "busy": "ask", "unsaved": "ask", "gone": "say"},
    ),
    "remove {}": (
        "Remove",
        {"stopped": "ask", "running": "ask", "busy": "ask", "unsaved": "ask", "gone": "say"},
    ),
    "cancel {}": (
        "Cancel",
        {"stopped": "say", "running": "say", "busy": "say", "unsaved": "say", "gone": "say"},
    ),
    "keep {}": ("Keep", {"stopped": "say", "running": "say", "busy": "say", "unsaved": "say", "gone": "say"}),
}
STATES = {
    "stopped": (State.STOPPED, {}),
    "running": (State.RUNNING, {}),
    "busy": (State.RUNNING, BUSY),
    "unsaved": (State.RUNNING, UNSAVED),
    "gone": (State.GONE, {}),
}
#: Ways of asking that don't name things exactly, or that contain more than the command.
LOOSE = {
    "guessed": ("{}", "note"),
    "slip": ("{}", "notebok"),
    "sentence": ("pls {} now", "my notebook"),
    "polite": ("could you {}?", "notebook"),
    "it": ("{}", "it"),
    "the other one": ("{}", "the other one"),
}
OPPOSITES = {"Start": ("Stop", "Suspend"), "Stop": ("Start", "Resume"), "Suspend": ("Start", "Resume")}


async def _prepare(bot: Rig, state: str) -> None:
    await bot.link(names=("notebook", "report"))
    seen, more = STATES[state]
    await bot.sees(seen, **more)


def _is_of(label: str, answer: Answer) -> list[str]:
    return [one for one in buttons(answer) if one.startswith(label)]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("verb", VERBS)
async def test_exact_command_acts_unless_something_is_lost(bot: Rig, verb, state):
    await _prepare(bot, state)
    label, expected = VERBS[verb]
    before = await bot.audit()
    answer = await bot.say(verb.format("notebook"))
    did = bool(await read_operations(bot))
    asked = bool(_is_of(label, answer)) and not did
    assert ("act" if did else "ask" if asked else "say") == expected[state], words(answer)
    assert did or await bot.audit() == before
    assert did or not any(_is_of(opposite, answer) for opposite in OPPOSITES.get(label, ()))


@pytest.mark.parametrize("state", ["stopped", "running", "busy"])
@pytest.mark.parametrize("way", LOOSE)
@pytest.mark.parametrize(
    "verb", ["start {}", "stop {}", "suspend {}", "restart {}", "remove {}", "forget {}"]
)
async def test_whatever_isnt_named_exactly_is_at_most_a_button_with_its_name(bot: Rig, verb, way, state):
    await _prepare(bot, state)
    said, name = LOOSE[way]
    audited = await bot.audit()
    answer = await bot.direct(said.format(verb.format(name)))
    assert await bot.audit() == audited
    label = "Take" if verb == "forget {}" else VERBS[verb][0]
    # *It* may mean any of them, so each has a button with its name.
    meant = ("notebook", "report") if way in {"it", "the other one"} else ("notebook",)
    assert all(any(name in one for name in meant) for one in _is_of(label, answer))
    assert not any(_is_of(opposite, answer) for opposite in OPPOSITES.get(label, ()) if _is_of(label, answer))
    does_something = state == "stopped" if verb == "start {}" else state != "stopped"
    is_offered = does_something or way in {"guessed", "slip"} or verb in {"remove {}", "forget {}"}
    assert any("notebook" in one for one in _is_of(label, answer)) is is_offered, words(answer)


@pytest.mark.parametrize(
    "text", ["status note", "status notebook", "is notebook running?", "how is notebook"]
)
async def test_question_shows_at_once(bot: Rig, text):
    await _prepare(bot, "running")
    assert "*notebook* · Saturn Cloud" in words(await bot.say(text))


@pytest.mark.parametrize("text", ["open note", "open notebook"])
async def test_opening_shows_at_once(bot: Rig, text):
    await _prepare(bot, "running")
    assert list(buttons(await bot.say(text))) == ["View on Saturn Cloud"]


async def test_of_two_the_one_that_is_stopped_already_is_named_and_the_other_comes_back(bot: Rig):
    await _prepare(bot, "stopped")
    await bot.sees(State.RUNNING, "report")
    answer = await bot.say("stop notebook and report")
    assert await read_operations(bot) == ["stop report"]
    assert words(answer).startswith("Stopping *report*.")
    assert "*notebook* is already stopped (as of" in words(answer)
    assert list(buttons(answer)) == ["Start report"]
    await bot.push(answer, "Start report")
    assert await read_operations(bot) == ["start report"]


@pytest.mark.parametrize(
    ("typed", "backs"),
    [
        ("stop notebook and report at 18:00", ["Keep notebook running", "Keep report running"]),
        ("suspend notebook, report", ["Resume notebook", "Resume report"]),
        ("forget notebook report", ["Bring notebook back", "Bring report back"]),
        ("restart notebook report", []),
    ],
)
async def test_what_was_done_to_several_is_brought_back_one_by_one(bot: Rig, typed, backs):
    await _prepare(bot, "running")
    await bot.sees(State.RUNNING, "report")
    answer = await bot.say(typed)
    assert list(buttons(answer)) == backs
    for label in backs:
        await bot.push(answer, label)


@pytest.mark.parametrize("end", ["stop", "restart"])
async def test_end_for_good_asks_and_has_no_way_back(end):
    class Erasing(Cloud):
        def stop_effects(self, workspace):
            return {"stop": StopEffect.ERASES}

    async with one_cloud(Erasing) as bot:
        await _prepare(bot, "running")
        await bot.sees(State.RUNNING, "report")
        await bot.say(f"{end} notebook")
        await bot.say(f"{end} notebook and report")
        assert await read_operations(bot) == []
        assert buttons(await bot.say("stop notebook and report --yes")) == {}


async def test_what_cant_be_done_to_one_of_several_is_said_and_the_others_are_done(bot: Rig):
    await _prepare(bot, "running")
    await bot.sees(State.RUNNING, "report", actions=frozenset({"stop"}))
    answer = await bot.say("suspend notebook and report")
    assert await read_operations(bot) == ["suspend notebook"]
    assert "*report*: " in words(answer)


@pytest.mark.parametrize("typed", ["cancel notebook and report", "remove notebook, report"])
async def test_verb_for_one_at_a_time_has_a_button_for_each(bot: Rig, typed):
    await _prepare(bot, "stopped")
    await bot.say("start notebook and report")
    answer = await bot.say(typed)
    label = "Cancel" if typed.startswith("cancel") else "Remove"
    assert list(buttons(answer)) == [f"{label} notebook", f"{label} report"]
    await bot.push(answer, f"{label} notebook")
    assert "start report" in await read_operations(bot)


@pytest.mark.parametrize("text", ["start notebook in ten", "stop notebook in two", "notebook for five"])
async def test_number_in_words_without_a_unit_is_no_time_to_act_at(bot: Rig, text):
    await _prepare(bot, "running")
    assert not {"Start notebook", "Stop notebook"} & set(buttons(await bot.say(text)))


@pytest.mark.parametrize(
    ("typed", "unread"),
    [
        ("hours notebook weekdays 9-25", "9-25"),
        ("hours notebook fridays only till noon", "only till noon"),
        ("hours note mon 9:00-25:00", "9:00-25:00"),
        ("hours notebook weekdays", "weekdays"),
    ],
)
async def test_hours_that_arent_read_are_quoted(bot: Rig, typed, unread):
    await _prepare(bot, "running")
    answer = words(await bot.say(typed))
    assert answer.startswith(f"I can't read *{unread}*, so I haven't changed anything.")


@pytest.mark.parametrize(
    ("state", "being"),
    [
        ("failed", "it has failed"),
        ("gone", "it no longer exists"),
        ("unknown", "it is in a state that I don't know"),
    ],
)
async def test_state_is_said_in_a_sentence(bot: Rig, state, being):
    await bot.link(names=("notebook", "report"))
    await bot.sees(State.RUNNING)
    await bot.sees(State(state))
    assert being in words(await bot.say("cancel notebook"))


@pytest.mark.parametrize("typed", ["undo", "undo that", "Undo!"])
async def test_undo_says_what_there_is_instead(bot: Rig, typed):
    await _prepare(bot, "running")
    assert "*Undo* is gone" in words(await bot.say(typed))

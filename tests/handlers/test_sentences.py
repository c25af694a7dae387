"""Free text: questions are answered, actions become buttons, and nothing that was ruled out is offered."""

import pytest

from bot.domain.workspaces import State
from bot.messages.verb import Effect, find_verb
from tests.handlers.rig import Rig, buttons, words
from tests.rigs.acts import read_kept
from tests.rigs.store import ALICE

NAMES = ("notebook", "training", "gpu box", "report")


async def stage(bot: Rig) -> None:
    await bot.link(names=NAMES)
    for name in ("notebook", "report"):
        await bot.sees(State.RUNNING, name)


def is_acting(button) -> bool:
    """Return whether pressing a button does more than show something."""
    action = button["action_id"].partition(":")[0]
    command = button["value"].split()[0] if action == "say" else action
    return find_verb("workspace", command).effect is not Effect.SHOWS


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("could you please stop notebook", ["Stop notebook"]),
        ("I'm done with report", ["Stop report"]),
        ("pls kill my notebook", ["Stop notebook"]),
        ("please start the gpu box for me", ["Start gpu box"]),
        ("please launch training and shut notebook down", ["Start training", "Stop notebook"]),
        ("my notebook can go off at 6pm", ["Stop notebook at 6:00 PM UTC"]),
        ("please start training until 18:00", ["Start training until 18:00 UTC"]),
        ("start training in 2 hours", ["Start training Fri 15 Jan at 10:00"]),
        ("set notebook's hours to weekdays 9 to 5", ["Hours for notebook: weekdays 9 to 5"]),
        ("sotp notebook", ["Stop notebook"]),
    ],
)
async def test_free_text_offers_what_it_may_ask_for(bot: Rig, text, labels):
    await stage(bot)
    before = await read_kept(bot.store, ALICE)
    answer = await bot.direct(text)
    assert await read_kept(bot.store, ALICE) == before
    assert [label for label, one in buttons(answer).items() if is_acting(one)] == labels


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("don't stop notebook", id="not"),
        pytest.param("please never restart report", id="never"),
        pytest.param("no need to start training", id="no"),
        pytest.param("stop everything but notebook", id="but"),
        pytest.param("shut all down except report", id="except"),
        pytest.param("stop notebook, not report", id="one-of-two"),
        pytest.param("stop report unless it's busy", id="unless"),
        pytest.param("if report is idle stop it", id="if"),
        pytest.param("stop notebook once report is done", id="once"),
        pytest.param("start training when the run finishes", id="when"),
        pytest.param("stop notebook because it's slow", id="because"),
        pytest.param("I stopped notebook yesterday", id="past"),
        pytest.param("bob restarted report", id="past-of-another"),
        pytest.param("stop bob's notebook", id="somebody-else"),
        pytest.param("their report should be stopped", id="a-group"),
        pytest.param("start notebook for <@UCHEN>", id="a-colleague"),
        pytest.param("stop notebook around lunchtime", id="unread-time"),
        pytest.param("please stop report on fridays", id="unread-day"),
        pytest.param("start training at 25:00", id="no-time"),
        pytest.param("stop notebook ~and report~", id="struck-out"),
        pytest.param("stop notebook\nreport at 6", id="by-line"),
        pytest.param("> please stop notebook", id="quoted"),
        pytest.param("stop report too", id="like-before"),
        pytest.param("only stop report", id="only"),
        pytest.param("stop notebook no wait, report", id="correction"),
        pytest.param("let training run 2 hours longer", id="longer"),
    ],
)
async def test_ruled_out_act_is_on_no_button(bot: Rig, text):
    await stage(bot)
    answer = await bot.direct(text)
    assert answer.text
    assert [label for label, one in buttons(answer).items() if is_acting(one)] == []


async def test_sentence_offers_to_keep_what_has_a_planned_stop(bot: Rig):
    await stage(bot)
    await bot.direct("stop notebook in 2 hours")
    assert list(buttons(await bot.direct("please keep my notebook running"))) == ["Keep notebook running"]
    assert await bot.push(await bot.direct("keep notebook running"), "Keep notebook running")
    assert "has no planned stop" in words(await bot.direct("keep notebook"))


@pytest.mark.parametrize(
    ("text", "unread"),
    [
        ("start training until 25:00", "25:00"),
        ("start training till late", "late"),
        ("please stop notebook at 18:75", "18:75"),
        ("could you stop report by 31:00 please", "31:00"),
        ("stop notebook later", "later"),
        ("stop my report soon", "soon"),
    ],
)
async def test_order_with_an_unreadable_time_says_so(bot: Rig, text, unread):
    await stage(bot)
    answer = await bot.direct(text)
    assert words(answer).startswith(f"I can't read *{unread}* as a time.")


async def test_order_with_half_a_time_asks_for_the_rest(bot: Rig):
    await stage(bot)
    answer = await bot.direct("stop my notebook sometime tomorrow")
    assert words(answer).startswith("*tomorrow* has no time of day.")


@pytest.mark.parametrize("text", ["stop notebook, not report", "stop notebook until the run is done"])
async def test_order_that_rules_something_out_is_not_about_a_time(bot: Rig, text):
    await stage(bot)
    assert "as a time" not in words(await bot.direct(text))


@pytest.mark.parametrize("text", ["what can you do", "so what can you do for me?", "how do you work"])
async def test_question_about_usher_is_answered_with_help(bot: Rig, text):
    await stage(bot)
    await bot.direct("status notebook")
    said = words(await bot.direct(text))
    assert "I start, stop and open" in said
    assert "*notebook*" not in said


@pytest.mark.parametrize(
    "text", ["is notebook running?", "stop notebook?", "why was notebook stopped", "when does notebook stop"]
)
async def test_question_shows_what_it_names(bot: Rig, text):
    await stage(bot)
    before = await read_kept(bot.store, ALICE)
    assert "*notebook*" in words(await bot.direct(text))
    assert await read_kept(bot.store, ALICE) == before


async def test_free_text_offers_at_most_five(bot: Rig):
    await bot.link(names=[f"lab {number}" for number in range(9)])
    named = ", ".join(f"lab {number}" for number in range(9))
    assert len(buttons(await bot.direct(f"please show me the status of {named}"))) == 5


async def test_stop_of_messages_leads_to_settings(bot: Rig):
    await stage(bot)
    assert "Change settings" in buttons(await bot.direct("please stop pinging me about notebook"))

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
        ("i need to stop report", ["Stop report"]),
        ("done working, start training", ["Start training"]),
        ("bitte starte training bis 18 Uhr", ["Start training until 18:00 UTC"]),
        ("notebook until 18:00", ["Keep notebook running until 18:00 UTC"]),
        ("please suspend notebook every day at 20:00", ["Hours for notebook: daily -20:00"]),
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
        pytest.param("we shouldn't stop notebook", id="shouldn't"),
        pytest.param("I haven’t asked you to stop notebook", id="haven't"),
        pytest.param("stop everything apart from notebook", id="apart"),
        pytest.param("stop all other than notebook", id="other-than"),
        pytest.param("stoppe alles außer notebook", id="german-except"),
        pytest.param("bitte notebook niemals stoppen", id="german-never"),
        pytest.param("stop neither notebook nor report", id="neither"),
        pytest.param("stop notebook in case of trouble", id="in-case"),
        pytest.param("stop all, keep notebook", id="keep"),
        pytest.param("stop all and start training", id="two-verbs-and-all"),
        pytest.param("please stop notebook until 18:00", id="stop-until"),
    ],
)
async def test_ruled_out_act_is_on_no_button(bot: Rig, text):
    await stage(bot)
    answer = await bot.direct(text)
    assert answer.text
    assert [label for label, one in buttons(answer).items() if is_acting(one)] == []


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("please stop my lab in 2h", ["Stop notebook at 10:00 UTC", "Stop report at 10:00 UTC"]),
        ("please stop everything at 6pm", ["Stop 2 workspaces at 6:00 PM UTC"]),
        (
            "please keep my lab running until 18:00",
            ["Keep notebook running until 18:00 UTC", "Keep report running until 18:00 UTC"],
        ),
    ],
)
async def test_time_for_no_workspace_in_particular_is_in_the_offers(bot: Rig, text, labels):
    await stage(bot)
    assert list(buttons(await bot.direct(text))) == labels


@pytest.mark.parametrize("text", ["stop waiting", "please stop waiting for training", "quit waiting"])
async def test_stop_waiting_is_about_what_is_under_way(bot: Rig, text):
    await stage(bot)
    await bot.direct("start training")
    answer = await bot.direct(text)
    assert "can't find" not in words(answer)
    assert next(iter(buttons(answer))) in {"Cancel", "Cancel training"}


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


@pytest.mark.parametrize(
    "text",
    [
        "restart report at 6pm",
        "restart report every day at 8",
        "remove report every friday at 17:00",
        "stop report weekdays 22:00-6:00",
    ],
)
async def test_time_that_a_verb_does_not_take_only_shows_the_workspace(bot: Rig, text):
    await stage(bot)
    assert list(buttons(await bot.direct(text))) == list(buttons(await bot.direct("status report")))


async def test_stop_until_a_time_is_explained(bot: Rig):
    await stage(bot)
    assert "I can't do that just for a while" in words(await bot.direct("please stop notebook until 18:00"))


async def test_all_on_one_connection_are_offered_without_the_others(bot: Rig):
    await stage(bot)
    await bot.link(names=("lab", "etl"), connection="hub", username="al")
    for name in ("lab", "etl"):
        await bot.sees(State.RUNNING, name)
    asked = await bot.direct("stop all on hub")
    assert "Stop 2 workspaces" in buttons(asked)
    assert "*notebook*" not in words(asked)


async def test_two_of_the_same_name_get_a_button_each(bot: Rig):
    await bot.link(names=("lab",))
    await bot.link(names=("lab",), connection="hub", username="al")
    asked = await bot.direct("please set the hours of lab to weekdays 9 to 5")
    assert set(buttons(asked)) == {
        "Hours for lab@Hub: weekdays 9 to 5",
        "Hours for lab@Saturn Cloud: weekdays 9 to 5",
    }
    assert "*lab* now runs" in words(await bot.push(asked, "Hours for lab@Hub: weekdays 9 to 5"))
    shown = await bot.direct("is lab running?")
    assert {"Show lab@Hub", "Show lab@Saturn Cloud"} <= set(buttons(shown))

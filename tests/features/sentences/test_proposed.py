"""What isn't whole is proposed: never what was forbidden or its opposite, and never by `help` alone."""

import random

import pytest

from bot.domain.workspaces import State
from bot.store import operations
from tests.handlers.rig import buttons, rig, words
from tests.rigs.store import ALICE

FORBIDDEN = [
    ("don't stop report", "report"),
    ("please do not stop report", "report"),
    ("never stop report", "report"),
    ("don't you dare stop report", "report"),
    ("whatever you do, don't kill report", "report"),
    ("report must not be stopped", "report"),
    ("report shouldn't be turned off", "report"),
    ("i don't want report to stop", "report"),
    ("you mustn't shut report down", "report"),
    ("no need to stop report", "report"),
    ("not stopping report today", "report"),
    ("leave report alone, don't turn it off", "report"),
    ("can you not stop report", "report"),
    ("i never said you should stop report", "report"),
    ("without stopping report please", "report"),
    ("bitte report nicht stoppen", "report"),
    ("stop report lol jk dont", "report"),
    ("stop report - no dont", "report"),
    ("stop report. no, don't stop it", "report"),
    ("stop report. just kidding, don't", "report"),
    ("stop report, never mind", "report"),
    ("stop report at 5 - scratch that", "report"),
    ("stop report and survey - no dont", "report"),
    ("start notebook, no thanks", "notebook"),
    ("my boss said to stop report but I need it", "report"),
    ("IT wants me to stop report but it's still computing", "report"),
    ("stop survey but I still need report", "report"),
    ("leave report alone, but survey can go", "report"),
    ("don't start notebook", "notebook"),
    ("do not start notebook today", "notebook"),
    ("notebook shouldn't be started", "notebook"),
    ("i don't want notebook to run", "notebook"),
]
#: With what may be offered, if anything, and what must not be among it.
EXCEPT = [
    ("not report, everything else off", {"survey"}),
    ("stop everything except report", {"survey"}),
    ("stop all but report", {"survey"}),
    ("everything but report can go off", {"survey"}),
    ("turn all of them off, just not report", {"survey"}),
    ("stop all of them besides report", {"survey"}),
    ("all off apart from report", {"survey"}),
    ("shut down the others, not report", {"survey"}),
    ("stop everything, but leave report running", {"survey"}),
    ("kill all without report", {"survey"}),
]


@pytest.fixture
async def bot():
    async with rig() as made:
        await made.link(names=("notebook", "training"), state=State.STOPPED)
        await made.link(names=("report", "survey"), state=State.RUNNING)
        yield made


async def begun(bot):
    return await bot.store.read(operations.open_operations, ALICE)


@pytest.mark.parametrize(("text", "name"), FORBIDDEN)
async def test_what_was_forbidden_is_neither_done_nor_offered_nor_its_opposite(bot, text, name):
    answer = await bot.direct(text)
    verbs = {"Stop", "Restart", "Suspend"} if name == "report" else {"Start", "Restart", "Resume"}
    assert await begun(bot) == []
    assert not [label for label in buttons(answer) if label.split()[0] in verbs and name in label]
    assert not [label for label in buttons(answer) if "workspaces" in label and label.split()[0] in verbs]


@pytest.mark.parametrize(("text", "meant"), EXCEPT)
async def test_what_is_taken_out_of_all_is_never_in_it(bot, text, meant):
    answer = await bot.direct(text)
    assert await begun(bot) == []
    stops = [label for label in buttons(answer) if label.startswith("Stop")]
    assert not [label for label in stops if "report" in label or label == "Stop 2 workspaces"]
    assert {name for name in meant if any(name in label for label in stops)} == meant


SOME = ["report", "notebook", "stop", "start", "restart", "at 6pm", "until 18:00", "for 2 hours", "tomorrow"]
AROUND = [
    *("the", "a", "my", "please", "i", "we", "they", "you", "if", "when", "because", "really", "thing", "it"),
    *(
        "that",
        "not",
        "never",
        "all",
        "is",
        "old_values",
        "will",
        "can",
        "should",
        "why",
        "how",
        "what",
        "purple",
    ),
    *("meeting", "coffee", "lunch", "somehow", "maybe", "again", "and", "or", "but", "with", "from", "into"),
    *("boss's", "done", "ready"),
]


async def test_no_answer_ends_in_help_alone_where_something_is_named(bot):
    draw = random.Random(49)
    for _ in range(300):
        said = [draw.choice(AROUND) for _ in range(draw.randrange(1, 7))]
        said.insert(draw.randrange(len(said) + 1), draw.choice(SOME))
        text = " ".join(said)
        answer = await bot.direct(text)
        is_help_alone = "didn't understand" in words(answer) and not buttons(answer)
        assert not is_help_alone, (text, words(answer))
    assert [one for one in await begun(bot) if one.verb == "stop"] == []


async def test_what_begins_with_a_verb_of_its_own_goes_on_with_nothing_that_was_said(bot):
    await bot.direct("status report")
    await bot.direct("start notebook, I don't want report running")
    assert await begun(bot) == []

"""Messages that remain after dialogues: buttons work, none is only grey text, and none is a duplicate."""

import pytest

from tests.rigs.scenario.conversation import Conversation
from tests.rigs.scenario.day import ACTS
from tests.rigs.scenario.people import BOT, GENERAL
from tests.rigs.working import at_work
from tests.scenarios.at_rest import RUN, holds

#: Time that passes after each act, in seconds. Most starts take less than a minute.
AFTER = 90
#: Maximum number of edits and deletions in a day of 36 acts.
MOST_EDITS = 46
DIALOGUES = {
    "started and stopped": ((BOT, "start notebook"), (BOT, "stop notebook")),
    "planned and cancelled": ((BOT, "stop report in 2 hours"), (BOT, "[Cancel it]")),
    "a plan that was changed": (
        (BOT, "start training for 20 min"),
        (BOT, "keep training for 30 min"),
        (BOT, "keep training"),
    ),
    "what was so": ((BOT, "start report"), (BOT, "stop notebook")),
    "restarted": ((BOT, "restart report"),),
    "forgotten and brought back": ((BOT, "forget report"), (BOT, "[Bring back]")),
    "hours turned off and on": (
        (BOT, "hours notebook weekdays 9:00-18:00"),
        (BOT, "[Turn hours off]"),
        (BOT, "[Turn on again]"),
    ),
    "stopped and started": ((GENERAL, "stop report"), (GENERAL, "[Start again]")),
    "stopped by its button": ((BOT, "start notebook"), (BOT, "[Stop]"), (BOT, "[Start]")),
    "failed": ((BOT, "start broken"),),
    "run again": ((GENERAL, RUN), (BOT, "[Run again]")),
    "suspended": ((BOT, "start thesis"), (BOT, "suspend thesis"), (GENERAL, "restart thesis")),
    "settings": ((BOT, "alias notebook model"), (BOT, "settings model off"), (BOT, "[Change back]")),
    "typed in a channel": ((GENERAL, "start notebook"), (GENERAL, "stop notebook")),
}


@pytest.mark.parametrize("name", DIALOGUES)
async def test_after_a_dialogue_every_button_works_and_one_message_speaks_of_each_act(tmp_path, name):
    async with at_work(tmp_path) as stage:
        talk = Conversation(stage, stage.alice)
        for place, said in DIALOGUES[name]:
            await talk.does(place, said)
            await stage.pass_time(AFTER, step=3)
            await holds(talk)
        assert talk.at_rest(), "nobody said anything"


async def test_what_stands_there_stays_true_until_the_next_day(tmp_path):
    async with at_work(tmp_path) as stage:
        talk = Conversation(stage, stage.alice)
        for place, said in (BOT, "start notebook"), (BOT, "stop notebook in 2 hours"), (BOT, "start report"):
            await talk.does(place, said)
            await stage.pass_time(AFTER, step=3)
        for _ in range(4):
            await stage.pass_time(6 * 3_600, step=120)
            await holds(talk)


async def test_a_warning_offers_what_works_and_says_no_more_once_it_was_answered(tmp_path):
    async with at_work(tmp_path) as stage:
        talk = Conversation(stage, stage.alice)
        await talk.does(BOT, "start training for 20 min")
        await stage.pass_time(AFTER, step=3)
        await stage.pass_time(1_000, step=20)
        warned = "stops in"
        assert warned in talk.at_rest()[-1].text
        await holds(talk)
        await talk.does(BOT, "[Keep running]")
        await stage.pass_time(AFTER, step=3)
        assert [one.read for one in talk.at_rest() if warned in one.text] == []
        await holds(talk)


async def test_a_day_leaves_one_message_of_each_act_and_edits_few(tmp_path):
    async with at_work(tmp_path) as stage:
        talk = Conversation(stage, stage.alice)
        for place, said in ACTS:
            await talk.does(place, said)
            await stage.pass_time(AFTER, step=3)
        await holds(talk)
        assert talk.edits + talk.deletions <= MOST_EDITS
        assert len(talk.at_rest()) <= len(talk.acts)

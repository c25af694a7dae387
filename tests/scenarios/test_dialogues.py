"""Whole dialogues with the bot: what each turn does, says and offers, and that all that is offered works."""

import json

import pytest

from tests.scenarios.dialogues import TABLE, play

DIALOGUES = json.loads(TABLE.read_text())


@pytest.mark.parametrize("dialogue", DIALOGUES, ids=[one["id"] for one in DIALOGUES])
async def test_each_turn_is_answered_as_expected_and_each_offer_works(dialogue, tmp_path):
    problems = await play(dialogue, tmp_path)
    assert not problems, "\n".join(problems)


def test_there_are_many_dialogues_and_no_two_of_a_name():
    assert len({one["id"] for one in DIALOGUES}) == len(DIALOGUES) >= 150

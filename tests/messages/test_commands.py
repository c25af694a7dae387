"""Tests of the words in which buttons describe commands: without anything that is only needed when typing."""

import re
from datetime import UTC, datetime

import pytest

from bot.domain.markup import Dated, Part
from bot.messages.blocks.commands import Prefixes, describe_command

NOW = datetime(2026, 11, 20, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("hours etl-nightly 2026-11-23 15:18", "Start etl-nightly Mon 23 Nov at 15:18"),
        ("hours 'my box' tomorrow 8:00", "Start my box tomorrow at 8:00"),
        ("hours thesis 2026-11-23 -18:00", "Stop thesis Mon 23 Nov at 18:00"),
        ("hours thesis weekdays 9:00-17:00", "Hours for thesis: weekdays 9:00-17:00"),
        ("hours thesis off", "Turn off the hours of thesis"),
        ("hours thesis off friday", "Skip the hours of thesis friday"),
        ("hours thesis on mondays 9:00-17:00", "Hours for thesis: on mondays 9:00-17:00"),
        ("hours thesis on", "Resume the hours of thesis"),
        ("hours", "Show my hours"),
        ("stop report --force", "Force quit report"),
        ("remove report --yes", "Remove report"),
        ('card "Data Science" --title Data --max 60 --hours tue 8:00-9:30', "Post a card for Data Science"),
        ("hours thesis 2027-01-04 -18:00", "Stop thesis Mon 4 Jan 2027 at 18:00"),
        ("card ML Basics skip 2027-01-07", "Skip ML Basics Thu 7 Jan 2027"),
        ("card ML Basics skip 2026-11-26", "Skip ML Basics Thu 26 Nov"),
        ('card "Biology with" skip 2026-11-26', "Skip Biology with Thu 26 Nov"),
        ('card "Biology with"', "Post a card for Biology with"),
        ("job status etl-nightly", "Show etl-nightly"),
        ("start gpu --wait", "Start gpu and wait for room"),
        ("job logs etl-nightly", "Show the output of etl-nightly"),
        ("forget report", "Take report off my list"),
    ],
)
def test_a_command_is_said_in_words(command, said):
    assert describe_command(command, NOW) == said
    assert not re.search(r"--|\d{4}-\d\d|<@|[\"'`]", said)


@pytest.mark.parametrize(
    ("text", "folder", "typed"),
    [
        ("Type `list` or `job list`.", "workspace", "Type `/workspace list` or `/job list`."),
        ("Type `list failed`.", "job", "Type `/job list failed`."),
        ("Repeat `--env A=B`; `ready` is for one.", "workspace", "Repeat `--env A=B`; `ready` is for one."),
        ("Type `/workspace list`.", "workspace", "Type `/workspace list`."),
        ("```\nrun `list` first\n```", "workspace", "```\nrun `list` first\n```"),
    ],
)
def test_commands_get_the_prefix_of_the_place_and_output_stays_as_it_is(text, folder, typed):
    assert Prefixes("/workspace ", "/job ").adapt(text, folder) == typed


def test_text_keeps_its_times_when_its_commands_get_a_prefix():
    text = Dated([[Part("It stops at six.", (1_800_000_000,)), Part("Type `list`.")]])
    adapted = Prefixes("/workspace ", "/job ").adapt(text)
    assert adapted == "It stops at six. Type `/workspace list`."
    assert isinstance(adapted, Dated)
    assert adapted.moments == (1_800_000_000,)

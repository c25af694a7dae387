"""Mentions of Usher anywhere in a message: it is answered as without them."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.installations import Installation
from bot.domain.surfaces import Where
from bot.features.sentences.reading import Reading, read
from bot.store import operations, runs
from handlers import routes
from handlers.command_line import parse
from handlers.names import Names
from tests.features.sentences.owned import workspace
from tests.handlers.rig import rig, words
from tests.handlers.run_rig import run_rig
from tests.rigs.store import ALICE
from tests.rigs.verbs import OPERATIONS

OWN_INSTALLATION = Installation(
    "T1", bot_user_id="UBOT", bot_id="BBOT", bot_name="usher", team_name="Acme Research"
)
OWN_MENTIONS = ("<@UBOT>", "<@UBOT|usher>", "<@BBOT>", "@usher", "@Usher")
KNOWN_ROWS = [workspace(name) for name in ("lab", "deep thought", "report.example", "20250713")]
SAID_SENTENCES = (Path(__file__).parent / "said.txt").read_text(encoding="utf-8").splitlines()
ASKED_SENTENCES = [
    frame.format(f"{verb} {row.name}")
    for verb in sorted(OPERATIONS)
    for row in KNOWN_ROWS
    for frame in ("{}", "please {}", "can you {}?", "{}, thanks!", "hey, {} at 18:00")
]


def read_sentence(text: str) -> Reading:
    parsed = parse(OWN_INSTALLATION.remove_own_mentions(text), {}, routes.list_flags())
    return read(parsed.words, "workspace", routes.list_verbs_by_folder(), Names(KNOWN_ROWS))


@given(
    st.sampled_from([*SAID_SENTENCES, *ASKED_SENTENCES]),
    st.lists(st.tuples(st.sampled_from(OWN_MENTIONS), st.integers(0, 12)), min_size=1, max_size=3),
    st.sampled_from(["", ",", ":", "!", " \u2014"]),
    st.sampled_from(["", "!", "?", "."]),
)
def test_mention_anywhere_reads_as_without(sentence, mentions, after_first, at_end):
    """Mentions may stand at the beginning of a sentence, between its words, and at the end."""
    between = [place.start() for place in re.finditer(r" (?=(?:[^\"]*\"[^\"]*\")*[^\"]*\Z)", sentence)]
    text = sentence
    for mention, number in mentions:
        at = between[number % len(between)] if between else len(sentence)
        text = f"{sentence[:at]} {mention}{sentence[at:]}"
        assert read_sentence(text) == read_sentence(sentence)
        assert read_sentence(f"{mention}{after_first} {text} {mention}") == read_sentence(sentence)
        assert read_sentence(f"{sentence}, {mention}{at_end}") == read_sentence(f"{sentence}{at_end}")


@pytest.mark.parametrize("where", [Where.DIRECT, Where.MENTION], ids=["direct", "mention"])
@pytest.mark.parametrize(
    "text",
    [
        "stop lab <@UBOT>",
        "stop lab, thanks @usher",
        "<@UBOT> stop lab, thanks <@UBOT>",
        "<@BBOT> stop lab",
        "hey @usher, stop lab",
        "can <@UBOT> stop lab?",
        "stop lab for <@UBOT>",
        "stop @usher's lab!",
    ],
)
async def test_mention_is_nobody_elses(text, where):
    async with rig(installation=OWN_INSTALLATION) as bot:
        await bot.link(names=("lab", "etl"))
        await bot.say(text, kind="message", where=where)
        assert [one.verb for one in await bot.store.read(operations.open_operations, ALICE)] == ["stop"]


@pytest.mark.parametrize(
    "text", ["stop lab for <@UCARLA>", "<@UBOT> stop <@UCARLA>'s lab", "stop @usher-x's lab"]
)
async def test_other_mention_is_refused(text):
    async with rig(installation=OWN_INSTALLATION) as bot:
        await bot.link(names=("lab", "etl"))
        assert "only work with your own workspaces" in words(await bot.direct(text))
        assert await bot.store.read(operations.open_operations, ALICE) == []


@pytest.mark.parametrize(
    ("name", "typed"), [("usher", "usher"), ("@usher-x", "@usher-x"), ("@usher", '"@usher"')]
)
async def test_workspace_with_ushers_name_can_be_named(name, typed):
    async with rig(installation=OWN_INSTALLATION) as bot:
        await bot.link(names=(name, "etl"))
        await bot.direct(f"stop {typed} <@UBOT>")
        assert [one.verb for one in await bot.store.read(operations.open_operations, ALICE)] == ["stop"]


@pytest.mark.parametrize("begin", ["<@UBOT> job run", "job run @usher", "hey <@BBOT>, jobs: run"])
async def test_program_keeps_its_own_words(begin):
    async with run_rig(installation=OWN_INSTALLATION) as bot:
        assert (await bot.direct(f"{begin} -- notify @usher <@UBOT>")).text == ""
        (run,) = await bot.store.read(runs.list_runs, ALICE)
        assert run.spec.text("command") == "notify @usher <@UBOT>"

"""References of requests: the same in the answer and in the log, and none where nobody reads one."""

import pytest
from structlog.testing import capture_logs

from bot.domain.surfaces import Where
from bot.store import workspaces
from bot.support.errors import StoreUnavailable
from handlers.requests.request import Reference
from tests.handlers.rig import COLLEAGUE, Rig, words
from tests.rigs.clock import CountingIds

#: What works, and typos, questions and prompts to link.
NOTHING_BROKE = (
    "help", "help start", "about", "list", "alias", "add", "add nothing", "settings", "open nothing",
    "open notebook", "rockets", "start notebok", "link nowhere", "unlink hub", "cancel notebook",
    "card x", "new nowhere", "remove", "job run nowhere", "job status nothing", "job stop",
)  # fmt: skip


@pytest.mark.parametrize("text", ["alias notebook lab", "status notebook", "start notebook"])
async def test_what_broke_shows_the_reference_that_the_log_has(bot: Rig, text: str) -> None:
    await bot.link()
    bot.store.fails = dict.fromkeys(
        (workspaces.read_workspaces, workspaces.find_workspaces_by_name), StoreUnavailable("gone")
    )
    with capture_logs() as logs:
        answer = await bot.say(text)
    (entry,) = logs
    assert entry["reference"] in words(answer)
    # Nothing more is tried that would make people wait.
    assert answer.about is None


async def test_a_mistake_of_ours_is_an_answer_with_the_reference_that_the_log_has(bot: Rig) -> None:
    await bot.link()
    bot.store.fails = {workspaces.find_workspaces_by_name: ZeroDivisionError("a mistake")}
    with capture_logs() as logs:
        answer = await bot.say("status notebook")
    (entry,) = logs
    assert entry["event"] == "failed unexpectedly"
    assert entry["reference"] in words(answer)


async def test_an_answer_without_a_reference_draws_none(bot: Rig) -> None:
    await bot.link()
    first = bot.services.ids.reference()
    for text in NOTHING_BROKE:
        await bot.say(text)
    await bot.say("list", COLLEAGUE)
    assert (first, bot.services.ids.reference()) == ("TEST-0501", "TEST-0502")


def test_a_reference_is_drawn_once() -> None:
    reference = Reference(CountingIds())
    assert not reference.is_in([{"text": "TEST-0001"}])
    assert (str(reference), str(reference)) == ("TEST-0001", "TEST-0001")
    assert reference.is_in([{"text": "see TEST-0001"}])
    assert not reference.is_in([{"text": "TEST-0002"}])


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({}, "/workspace list"),
        ({"channel_id": "D1"}, "/workspace list"),
        ({"kind": "message", "where": Where.DIRECT}, "`list`"),
        ({"kind": "message", "where": Where.MENTION}, "`@usher list`"),
        ({"kind": "replay", "where": Where.MENTION}, "`@usher list`"),
        ({"kind": "button", "where": Where.DIRECT}, "`list`"),
        ({"kind": "button"}, "/workspace list"),
        ({"kind": "replay"}, "/workspace list"),
        ({"kind": "replay", "where": Where.DIRECT}, "`list`"),
    ],
)
async def test_a_hint_is_written_as_it_works_where_it_is_read(bot: Rig, place: dict, expected: str) -> None:
    await bot.link()
    assert expected in words(await bot.say("status nothing-like-that", **place))


@pytest.mark.parametrize(
    ("place", "expected"),
    [({}, "`/workspace list`"), ({"where": Where.DIRECT, "channel_id": "D1"}, "`list`")],
)
async def test_a_refusal_names_commands_as_they_are_typed_where_it_is_read(
    bot: Rig, place: dict, expected: str
) -> None:
    assert f"Type {expected}" in words(await bot.press("status", "workspace_of_nobody", **place))

"""References of requests: the same in the answer and in the log, and shown only if something failed."""

import pytest
from structlog.testing import capture_logs

from bot.domain.surfaces import Where
from bot.store import workspaces
from bot.support.errors import StoreUnavailable
from tests.handlers.rig import Rig, words

#: Requests in which nothing fails: working commands, typos, questions, and prompts to link.
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


async def test_a_mistake_of_ours_is_an_answer_with_the_reference_that_the_log_has(bot: Rig) -> None:
    await bot.link()
    bot.store.fails = {workspaces.find_workspaces_by_name: ZeroDivisionError("a mistake")}
    with capture_logs() as logs:
        answer = await bot.say("status notebook")
    (entry,) = logs
    assert entry["event"] == "failed unexpectedly"
    assert entry["reference"] in words(answer)


@pytest.mark.parametrize("text", NOTHING_BROKE)
async def test_an_answer_about_nothing_broken_shows_no_reference(bot: Rig, text: str) -> None:
    await bot.link()
    assert "TEST-" not in words(await bot.say(text))


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({}, "/workspace add LINK"),
        ({"channel_id": "D1"}, "/workspace add LINK"),
        ({"kind": "message", "where": Where.DIRECT}, "`add LINK`"),
        ({"kind": "message", "where": Where.MENTION}, "`@usher add LINK`"),
        ({"kind": "replay", "where": Where.MENTION}, "`@usher add LINK`"),
        ({"kind": "button", "where": Where.DIRECT}, "`add LINK`"),
        ({"kind": "button"}, "/workspace add LINK"),
        ({"kind": "replay"}, "/workspace add LINK"),
        ({"kind": "replay", "where": Where.DIRECT}, "`add LINK`"),
    ],
)
async def test_a_hint_is_written_as_it_works_where_it_is_read(bot: Rig, place: dict, expected: str) -> None:
    await bot.link()
    assert expected in words(await bot.say("status nothing-like-that@saturn", **place))


@pytest.mark.parametrize(
    ("place", "expected"),
    [({}, "`/workspace list`"), ({"where": Where.DIRECT, "channel_id": "D1"}, "`list`")],
)
async def test_a_refusal_names_commands_as_they_are_typed_where_it_is_read(
    bot: Rig, place: dict, expected: str
) -> None:
    assert f"Type {expected}" in words(await bot.press("status", "workspace_of_nobody", **place))

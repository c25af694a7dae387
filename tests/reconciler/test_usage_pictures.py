"""Sending pictures to Slack: once each, with their alternative text, or as text if files can't be sent."""

from dataclasses import asdict
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.usage import Span, UsageRow
from bot.messages.blocks.usage_picture import draw_week
from bot.store import notices
from bot.support import pictures
from bot.support.errors import SlackFailed, SlackPermanent, SlackUnknownOutcome
from tests.reconciler.outbox import POST, outbox
from tests.rigs.png import read_png
from tests.rigs.store import ALICE

COMPLETE = "files.completeUploadExternal"
GET_URL = "files.getUploadURLExternal"
MONDAY = date(2026, 11, 23)


async def ask(world):
    row = UsageRow("note<book>", (Span(1_795_600_000.0, 1_795_640_000.0),))
    days = tuple(MONDAY + timedelta(number) for number in range(7))
    picture = draw_week([row], days=days, now=1_795_700_000.0, zone=ZoneInfo("Europe/Berlin"))
    asked = NewNotice(ALICE.key, NoticeKind.USAGE_PICTURE, "press-1", ALICE, asdict(picture))
    await world.store.write(notices.add_notices, [asked, asked])


def shared(world):
    return [message for message in world.slack.messages if "files" in message]


async def test_picture_is_shared_once_with_its_alternative_text(world):
    await ask(world)
    await world.pass_time(5)
    (message,) = shared(world)
    assert message["channel"].startswith("D")
    assert message["text"] == "Here it is as a picture."
    pixels = read_png(message["files"][0]["content"])
    assert pixels.width == 1_280
    # The name has been drawn: antialiased letters have many colours.
    assert pixels.count_colours(40, 140, 200, 50) > 20
    (announced,) = [arguments for method, arguments in world.slack.calls if method == GET_URL]
    assert announced["filename"] == "usage.png"
    assert "note<book>: 11 h 7 min (Wed" in announced["alt_txt"]
    assert await outbox(world) == (0, 0)


@pytest.mark.parametrize("after", [True, False], ids=["arrived", "lost"])
async def test_picture_of_unknown_outcome_is_looked_for_and_not_uploaded_again(world, after):
    await ask(world)
    world.slack.fail(COMPLETE, SlackUnknownOutcome(COMPLETE, "no_answer"), after=after)
    await world.pass_time(60)
    assert len(shared(world)) == 1
    assert world.slack.count(COMPLETE) == (1 if after else 2)
    assert world.slack.count(GET_URL) == 1
    assert await outbox(world) == (0, 0)


async def test_picture_is_not_uploaded_again_after_a_kill_before_its_completion(world):
    await ask(world)
    world.slack.fail(COMPLETE, SlackFailed(COMPLETE, "unreachable"))
    while not world.slack.count(COMPLETE):
        await world.pass_time(1)
    world.reborn()
    await world.pass_time(120)
    assert len(shared(world)) == 1
    assert world.slack.count(GET_URL) == 1


@pytest.mark.parametrize("method", [GET_URL, "upload_url"])
async def test_upload_of_unknown_outcome_is_repeated_without_a_search(world, method):
    await ask(world)
    world.slack.fail(method, SlackUnknownOutcome(method, "no_answer"), times=2)
    await world.pass_time(60)
    assert len(shared(world)) == 1
    assert world.slack.count("conversations.history") == 0


@pytest.mark.parametrize(
    ("method", "code"),
    [
        (GET_URL, "missing_scope"),
        (GET_URL, "file_uploads_disabled"),
        (GET_URL, "alt_txt_too_large"),
        (COMPLETE, "file_not_found"),
    ],
)
async def test_where_no_file_is_accepted_its_words_are_sent_once(world, method, code):
    await ask(world)
    world.slack.fail(method, SlackPermanent(method, code), times=100)
    await world.pass_time(30)
    ((message,),) = [world.slack.messages]
    assert "couldn't send this as a picture" in message["text"]
    assert "note&lt;book&gt;: 11 h 7 min (Wed" in message["text"]
    assert (world.slack.count(method), world.slack.count(POST)) == (1, 1)
    assert await outbox(world) == (0, 0)


async def test_missing_font_is_told_in_words_and_logged(world, monkeypatch, tmp_path):
    monkeypatch.setattr(pictures, "FONT", tmp_path / "none.ttf")
    await ask(world)
    await world.pass_time(30)
    ((message,),) = [world.slack.messages]
    assert "couldn't send this as a picture" in message["text"]
    assert world.slack.count(GET_URL) == 0


async def test_words_of_unknown_outcome_are_looked_for(world, monkeypatch, tmp_path):
    monkeypatch.setattr(pictures, "FONT", tmp_path / "none.ttf")
    world.slack.fail(POST, SlackUnknownOutcome(POST, "no_answer"), after=True)
    await ask(world)
    await world.pass_time(60)
    assert len(world.slack.messages) == world.slack.count(POST) == 1
    assert await outbox(world) == (0, 0)

"""Lists, Homes and pickers for people with no, few and very many workspaces; each page is valid for Slack."""

import re

import pytest

from bot.domain.surfaces import Where
from bot.messages.blocks import homes, kit
from handlers.dispatch import run_search, run_shortcut
from tests.handlers.rig import buttons, words
from tests.rigs.golden import check_limits
from tests.rigs.store import ALICE

NAMES = (
    "study",
    "<!channel> & *co*",
    "über-Daten",
    "a name that goes on until nobody reads it any more " * 3,
)
COUNTS = (0, 1, 5, 12, 50, 5_000)
PAGE_SIZE = 20
IDE = "https://ide.example.org/user/alice/"


def name(number):
    """Return the name of a workspace, which includes its number."""
    return f"({number:04}) {NAMES[number % len(NAMES)]}"[:100]


async def fill(bot, count):
    """Give Alice this many workspaces; every third of the first hundred is running."""
    linked = await bot.link(names=tuple(map(name, range(count))))
    for number, row in enumerate(linked.workspaces[:100:3]):
        url = f"{IDE}{number}"
        update = "UPDATE workspaces SET state = 'running', url = :url, verified_at = 1 WHERE id = :id"
        await bot.store.carry_out(
            lambda tx, row=row, url=url, update=update: tx.run(update, id=row.id, url=url)
        )


@pytest.mark.parametrize("count", COUNTS)
async def test_every_page_is_within_slacks_limits_and_shows_each_workspace_once(bot, count):
    """If there are very many pages, only the first, the last and some in between are rendered."""
    await fill(bot, count)
    last = max((count - 1) // PAGE_SIZE, 0) + 1
    every = range(1, last + 1) if count <= 50 else (1, 2, last // 2, last - 1, last)
    for where in (Where.CHANNEL, Where.HOME):
        seen = list[str]()
        for number in every:
            page = await bot.say(f"list {number}" if number > 1 else "list all", where=where)
            shown = re.findall(r"\((\d{4})\) ", words(page))
            assert len(shown) == min(PAGE_SIZE, count - (number - 1) * PAGE_SIZE)
            assert ("More" in buttons(page)) is (number < last)
            check_limits(homes.render_home(page.blocks, (), await bot.store.now()))
            seen += shown
        assert len(seen) == len(set(seen))


@pytest.mark.parametrize("count", COUNTS)
async def test_short_and_whole_lists_are_within_slacks_limits(bot, count):
    await fill(bot, count)
    for text in ("list", "list all", "list running"):
        check_limits(await bot.say(text))


@pytest.mark.parametrize("count", COUNTS)
async def test_pickers_offer_no_more_than_slack_takes(bot, count):
    """A menu's options are checked against Slack's limits in a form that contains them all."""
    await fill(bot, count)
    opened = await run_shortcut(bot.services, ALICE, bot.surface(kind="shortcut"), "start_workspace")
    check_limits(opened if opened.view is None else opened.view)
    for action in ("start:workspace", "card:template"):
        for typed in ("", "(0", "daten", "nothing like it"):
            options = await run_search(bot.services, ALICE, action, typed, {})
            assert len({one["value"] for one in options}) == len(options)
            if options:
                check_limits(kit.modal("Start", [kit.select("name", "Name", options)], submit="Start"))


@pytest.mark.parametrize("text", ["list all", "list project", "start"])
async def test_numbers_in_names_are_sorted_by_value(bot, text):
    await bot.link(names=("project-10", "Project-9", "project-2"))
    answer = await bot.say(text)
    shown = re.findall(r"project-\d+", " ".join([words(answer), *buttons(answer)]), re.IGNORECASE)
    assert [*dict.fromkeys(shown)] == ["project-2", "Project-9", "project-10"]

"""Tests that long messages and many workspaces don't take disproportionate CPU time.

Eight times the length takes at most twenty times the CPU. The cost also has to stay in proportion to the
number of a person's workspaces, even if their names are similar. If you add a parser for text from outside,
add a row to ``READERS``.
"""

import gc
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date
from math import inf
from time import thread_time
from typing import Any

import pytest

from benchmarks.hostile import NAMES, TEXTS, whole
from bot.domain import own_mentions, time_parsing
from bot.domain.runs import OutputChunk
from bot.domain.time_parsing import days
from bot.domain.transcript import EscapeRemover, Lines, Transcript
from bot.domain.workspaces import Workspace
from bot.messages.blocks import courses as courses_messages
from bot.messages.blocks import kit, limits
from bot.messages.blocks.commands import Prefixes
from bot.providers import connection, words
from bot.providers.jupyterhub import servers
from bot.providers.posit import addresses
from bot.providers.posit.output import OutputDecoder
from bot.providers.saturn import offers
from bot.providers.sphere import webhooks
from bot.services import linking, naming
from bot.support.addresses import normalise_base_url
from bot.support.cleaning import Hider, clean
from bot.support.errors import BadAnswer
from bot.support.logs import Redactor
from bot.support.pool import MIN_THREAD_ROWS, run_beside_loop
from bot.web import app, shapes
from handlers.events import on_app_mention
from handlers.requests import routes, typing_mistakes
from handlers.requests.command_line import (
    MAX_COMMAND_LENGTH,
    MAX_TEXT_LENGTH,
    parse,
    parse_command_line,
    parse_running_flags,
)
from handlers.requests.event_request import EventRequest
from handlers.requests.finding import (
    find_hours,
    find_names,
    find_similar,
    find_times,
    list_names,
)
from handlers.requests.list_filters import filter_workspaces
from tests.handlers.rig import Rig
from tests.handlers.run_rig import run_rig
from tests.handlers.slack import mention
from tests.rigs.store import ALICE

#: Factor of the length, and the maximum factor of the CPU time. A quadratic parser would take 64 times as
#: much.
TIMES, MOST = 8, 20.0
#: Seconds of CPU time that don't hold up anybody, so growth below them doesn't matter.
SMALL = 0.002
COMMANDS = {"/workspace": "workspace", "/job": "job"}
BASE = "https://cloud.example.org"
#: Parts of messages, each of which is repeated up to the full length.
PARTS = (
    *("a", "A1", " ", "\n", "a ", "a. ", "a? ", "a, ", "a,", "1 ", "1h ", "é ", "😀 ", "\u200b", ":a: "),
    *('"a ', "'a ", '"', "'", '""', '" ', "“a ", "„a", "``", "`a", "*a", " *a", "* ", "_a ", "~a~ "),
    *("<a|", "<@U1|", "<@U1> ", "<", "&lt;", "&#1", "&", "@a ", "a@", "@", "#a "),
    *("-", "--", "--a ", "--a=", "--a=b ", "—a ", "— ", "-a", "a-", ".", "..", "a.", "a:b-", "a/", "/", "//"),
    *("://", "a://b ", "https://a.b/c ", "/link/", "%41", "%", "+", "=", "a=b&", ";", "\\", "\\u0041"),
    *("another 1 ", "for 1 ", "until ", "on ", "by monday ", "not ", "please ", "all but ", "who's ", "and "),
    *("limit ", "token ", "bearer ", "xoxb-", "gAAAA", "{", "[", '{"a":', "[1,", '{"a":1}', "(", "0 * "),
    *(
        "\x1b",
        "\x1b]",
        "\x1b]a",
        "\x1b[",
        "\x1b[1",
        "\x1b(",
        "\x9d",
        "\x9da",
        "\x9b",
        "\x90\x1b",
        "a\b",
        "a\r",
    ),
)


@dataclass(frozen=True)
class World:
    """A bot with one person, who has workspaces and may run jobs."""

    bot: Rig
    workspaces: list[Workspace]


@dataclass(frozen=True)
class Reader:
    """A parser to measure, with strings of at most ``longest`` characters that begin with ``begin``."""

    longest: int
    read: Callable[[World, str], Any]
    begin: str = ""


def words_of(text: str) -> tuple[str, ...]:
    return tuple(text[:MAX_COMMAND_LENGTH].split())


def spans(words: tuple[str, ...], workspaces: list[Workspace], _: Any) -> Any:
    named = list_names(workspaces)
    return find_names(words, named), find_similar(words, range(min(len(words), 12)), named)


def times_of(text: str) -> Any:
    zone = time_parsing.load_zone("UTC")
    return find_hours(words_of(text), []), find_times(
        words_of(text), [], lambda said: time_parsing.read(said, zone, 0.0)
    )


def among(function: Callable[..., Any]) -> Callable[[World, str], Any]:
    """Return a parser for words that name some of a person's workspaces."""
    return lambda rig, text: function(words_of(text), rig.workspaces, rig.bot.connections)


async def said(rig: World, text: str) -> None:
    rig.bot.clock.advance(60.0)  # as often as a person may
    await rig.bot.direct(text)


async def mentioning(rig: World, text: str) -> None:
    bot = rig.bot
    bot.clock.advance(60.0)
    bot.count += 1
    await on_app_mention(EventRequest(mention(text), bot.services, f"event:{bot.count}"))


def terminal(_world: World, text: str) -> None:
    escapes, lines = EscapeRemover(), Lines("stdout")
    lines.feed("long " * 1_000)
    for at in range(0, len(text), 16_384):
        lines.feed(escapes.feed(text[at : at + 16_384]))


async def output(_world: World, text: str) -> None:
    transcript = Transcript()
    await transcript.take(OutputChunk("stdout", text))
    transcript.end()
    transcript.spool.close()


def hidden(_world: World, text: str) -> None:
    hider, data = Hider(["a" * 40, '"a "a "a "a ']), text.encode()
    for at in range(0, len(data), 4_096):
        hider.feed(data[at : at + 4_096])
    hider.rest()


def body_of(text: str, kind: str) -> None:
    with suppress(shapes.Malformed):
        shapes.read(kind, text.encode())


def refusing(check: Callable[[str], Any]) -> Callable[[World, str], Any]:
    """Return a parser from a check that may refuse a string."""

    def checked(_world: World, text: str) -> None:
        with suppress(ValueError, BadAnswer):
            check(text)

    return checked


def pure(function: Callable[[str], Any]) -> Callable[[World, str], Any]:
    return lambda _world, text: function(text)


READERS = {
    # What people write, from the event to the answer.
    "a direct message": Reader(MAX_TEXT_LENGTH, said),
    "a direct message of any length": Reader(40_000, said),
    "a mention": Reader(40_000, mentioning),
    "a line for a job": Reader(MAX_TEXT_LENGTH, said, "job run "),
    "a question": Reader(MAX_COMMAND_LENGTH, said, "is "),
    "a stop": Reader(MAX_COMMAND_LENGTH, said, "stop "),
    "a timer": Reader(MAX_COMMAND_LENGTH, said, "keep a "),
    "a list": Reader(MAX_COMMAND_LENGTH, said, "list "),
    "a link": Reader(MAX_COMMAND_LENGTH, said, "link "),
    # and its parts
    "a command": Reader(40_000, pure(lambda text: parse(text, COMMANDS, routes.list_flags()))),
    "own mentions": Reader(
        40_000, pure(lambda text: own_mentions.remove_own_mentions(text, ("U1", "B1"), "a"))
    ),
    "a job's flags": Reader(
        MAX_TEXT_LENGTH, pure(lambda text: parse_command_line(text, COMMANDS)), "job run "
    ),
    "a program": Reader(
        MAX_TEXT_LENGTH, pure(lambda text: parse_command_line(text, COMMANDS)), "job run -- "
    ),
    "flags of a schedule": Reader(
        MAX_TEXT_LENGTH, pure(lambda text: parse_running_flags(text, COMMANDS)), "job run "
    ),
    "names": Reader(MAX_COMMAND_LENGTH, among(spans)),
    "what narrows a list": Reader(MAX_COMMAND_LENGTH, among(filter_workspaces)),
    "one name": Reader(MAX_COMMAND_LENGTH, among(lambda words, *known: naming.find(" ".join(words), *known))),
    "a connection": Reader(
        MAX_COMMAND_LENGTH, among(lambda words, _, known: naming.split_leading_connection(words, known))
    ),
    "times": Reader(MAX_COMMAND_LENGTH, pure(times_of)),
    # Forms, in Slack and on pages.
    "a field": Reader(
        3_000, lambda rig, text: typing_mistakes.describe_token_in_field(rig.bot.services, ALICE, text)
    ),
    "a time in a form": Reader(
        64_000, pure(lambda text: time_parsing.read(text, time_parsing.load_zone("UTC"), 0.0))
    ),
    "a window of past days": Reader(
        64_000, pure(lambda text: days.read_window(text, time_parsing.load_zone("UTC"), 0.0))
    ),
    "days to skip": Reader(MAX_COMMAND_LENGTH, pure(lambda text: days.read_spans(text, date(2026, 11, 20)))),
    "a user name": Reader(64_000, pure(linking.is_username)),
    "a code": Reader(64_000, pure(linking.normalise_code)),
    "a nonce": Reader(64_000, pure(linking.is_nonce)),
    "a path in the log": Reader(8_190, pure(app.without_secrets)),
    "a line of the log": Reader(64_000, pure(Redactor(["known-secret"]).text)),
    "a request of Slack's": Reader(200_000, pure(lambda text: body_of(text, shapes.FORM)), "payload="),
    "an event of Slack's": Reader(200_000, pure(lambda text: body_of(text, shapes.JSON))),
    # what jobs and providers say
    "escapes": Reader(100_000, terminal),
    "escapes in a small piece": Reader(8_000, terminal),
    "an output": Reader(100_000, output),
    "secrets in an output": Reader(100_000, hidden),
    "a stream of Workbench's": Reader(100_000, pure(lambda text: OutputDecoder().feed(text.encode()))),
    "a chunk of Workbench's": Reader(
        100_000, pure(lambda text: OutputDecoder().feed(text.encode())), '{"output":"'
    ),
    "a provider's text": Reader(50_000, pure(words.clean)),
    "a name of a provider's": Reader(
        50_000, pure(lambda text: (clean(text), kit.line(text), kit.safe(text)))
    ),
    "a provider's address": Reader(
        64_000, pure(lambda text: connection.to_allowed_ide_url(text, BASE, ["*.example.org"]))
    ),
    "a provider's host": Reader(64_000, refusing(normalise_base_url), "https://"),
    "a reference to a hub": Reader(
        MAX_COMMAND_LENGTH, pure(lambda text: servers.parse_reference(text, BASE)), f"{BASE}/"
    ),
    "a reference to Workbench": Reader(
        MAX_COMMAND_LENGTH, pure(lambda text: addresses.parse_reference(text, BASE)), f"{BASE}/s/"
    ),
    "a reference to Saturn": Reader(
        MAX_COMMAND_LENGTH,
        pure(lambda text: offers.parse_resource_id(text, BASE, "workspace")),
        f"{BASE}/dash/",
    ),
    "an event of Sphere's": Reader(64_000, refusing(lambda text: webhooks.parse_messages(text.encode()))),
    # what is drawn of it
    "a paragraph": Reader(limits.MAX_SECTION_LENGTH, pure(kit.strip_markup)),
    "a sentence with commands": Reader(
        limits.MAX_SECTION_LENGTH, pure(lambda text: Prefixes("/w ", "/j ").adapt(text))
    ),
    "a reason on a class card": Reader(limits.MAX_SECTION_LENGTH, pure(courses_messages.strip_addresses)),
}


@pytest.fixture
async def rig():
    async with run_rig() as bot:
        names = ("a", "a b", "limit", "1", *(f"notebook {number}" for number in range(20)))
        yield World(bot, list((await bot.link(names=names, connection="hub")).workspaces))


def text_of(begin: str, part: str, length: int) -> str:
    return (begin + part * (length // len(part) + 1))[:length]


async def seconds(rig: World, reader: Reader, text: str) -> float:
    """Return the CPU time that a parser takes on the thread that everybody shares.

    Garbage collection is switched off, as in timeit, since its cost depends on what earlier tests have left
    in memory.
    """
    gc.disable()
    try:
        begun = thread_time()
        read = reader.read(rig, text)
        if isinstance(read, Awaitable):
            await read
        return thread_time() - begun
    finally:
        gc.enable()


@pytest.mark.parametrize("name", READERS)
async def test_a_longer_text_costs_no_more_than_its_length(rig, name):
    reader, grew = READERS[name], {}
    for part in PARTS:
        long = text_of(reader.begin, part, reader.longest)
        short = text_of(reader.begin, part, reader.longest // TIMES)
        little, much = inf, inf
        for _ in range(3):
            much = min(much, await seconds(rig, reader, long))
            if much <= SMALL:
                break
            little = min(little, await seconds(rig, reader, short))
            if much <= MOST * little:
                break
        else:
            grew[part] = f"{little * 1000:.1f} ms, then {much * 1000:.1f} ms"
    assert not grew


#: A number of workspaces, a factor, and the maximum factor of calls. Comparing all with all takes sixteen
#: times the calls.
FEW, MORE, MOST_CALLS = 100, 4, 6.0


@asynccontextmanager
async def having(count: int):
    """Yield a bot whose person has ``count`` workspaces with similar names."""
    async with run_rig() as bot:
        await bot.link(names=[f"notebook-{number:03d}" for number in range(count)], connection="hub")
        yield bot


async def calls(bot: Rig, text: str) -> int:
    """Return the number of Python calls that it takes to answer a message."""
    bot.clock.advance(60.0)
    found = 0

    def count(_frame: object, event: str, _given: object) -> None:
        nonlocal found
        found += event == "call"

    sys.setprofile(count)
    try:
        await bot.say(text)
    finally:
        sys.setprofile(None)
    return found


async def test_a_text_costs_no_more_than_the_number_of_workspaces():
    texts = [*NAMES, *(("job " if text[0] == "/job" else "") + whole(text) for text in TEXTS)]
    async with having(FEW) as little, having(FEW * MORE) as much:
        for text in texts:
            few, many = await calls(little, text), await calls(much, text)
            assert many <= MOST_CALLS * few, f"{text[:60]}: {few} calls, then {many}"


async def test_buttons_are_made_for_the_first_of_many_workspaces():
    made = 0

    def count(frame: Any, event: str, _given: object) -> None:
        nonlocal made
        made += event == "call" and frame.f_code is kit.button.__code__

    async with having(FEW) as bot:
        sys.setprofile(count)
        try:
            await bot.say("start every notebook")
        finally:
            sys.setprofile(None)
    assert 0 < made < FEW / 2


async def test_what_looks_through_many_rows_keeps_nobody_waiting():
    async def place(count: int) -> int:
        return await run_beside_loop(range(count), threading.get_ident)

    assert await place(MIN_THREAD_ROWS - 1) == threading.get_ident() != await place(MIN_THREAD_ROWS)


async def test_a_sentence_among_many_names_is_read_beside_the_loop():
    async with having(MIN_THREAD_ROWS) as bot:
        running = threading.get_ident()
        where = set()

        def look(frame: Any, event: str, _given: object) -> None:
            # Work before any name is known isn't recorded, as it costs little.
            if event == "call" and frame.f_code is find_names.__code__ and frame.f_locals["named"]:
                where.add(threading.get_ident())

        threading.setprofile(look)
        sys.setprofile(look)
        try:
            # The last text may be read as a follow-up to the start.
            for text in (*NAMES, "start notebook-001", "and who's up?"):
                bot.clock.advance(60.0)
                await bot.say(text)
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
        assert where
        assert running not in where

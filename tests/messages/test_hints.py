"""Tests that every command in a message can be typed in the conversation where the message is."""

import re

import pytest

from bot.messages.blocks.commands import Prefixes
from bot.messages.texts import answers, cards, notices, problems, runs, talk
from bot.messages.texts import courses as courses_texts
from bot.messages.verb import find_verb, list_synonyms
from handlers.requests import routes
from handlers.requests.command_line import parse
from tests.messages.texts import texts_in_place
from tests.rigs import golden
from tests.rigs.verbs import VERBS

COMMANDS = {"/workspace": "workspace", "/job": "job"}
#: Matches text shown as code. It may also be a name, value, flag, id, address or setting instead of a
#: command.
_CODE = re.compile(r"`([^`\n]+)`")
_FIRST = {word for folder in VERBS.values() for word in folder} | {"job", "/workspace", "/job", "@usher"}
#: Sentences that appear in direct messages, no matter who gets them.
DIRECT = ("cards", "notices")


def commands_in(text: str) -> list[str]:
    """Return the commands in a message: code that begins with a verb, or with what comes before a verb."""
    return [code for code in _CODE.findall(text) if code.split()[0] in _FIRST]


def is_understood(command: str) -> bool:
    """Return whether a command is parsed as a typed verb with flags that the verb has."""
    parsed = parse(command.removeprefix("@usher ").replace("{command}", ""), COMMANDS, routes.list_flags())
    folder = parsed.folder or "workspace"
    if not parsed.words:
        return True
    first = parsed.words[0].casefold()
    verb = find_verb(folder, list_synonyms(folder).get(first, first))
    return bool(verb.name) and (verb.flags is None or parsed.flags <= {*verb.flags})


def texts_of(found: object) -> list[str]:
    """Return all strings in a JSON document."""
    if isinstance(found, str):
        return [found]
    values = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return [text for value in values for text in texts_of(value)]


GOLDEN = [name for family in golden.FAMILIES for name in golden.entries(family)]


@pytest.mark.parametrize("name", [name for name in GOLDEN if not name.startswith(("texts/", "help/"))])
def test_every_hint_of_a_message_works_where_it_is_read(name):
    for text in texts_of(golden.shown(name)):
        for command in commands_in(text):
            assert is_understood(command), (name, command)
            if name.startswith(DIRECT) and not name.startswith("cards/class"):
                assert not command.startswith(("/", "@")), (name, command)


def check_hints(text: str) -> None:
    """Check that whatever a template shows as a command can be typed."""
    for code in _CODE.findall(text):
        if code.startswith("{command}"):
            plain = re.sub(r"\{(\w+)\}", r"\1", code.removeprefix("{command}"))
            if not plain or plain.split()[0] in {"typed", "verb"}:
                continue
            assert is_understood(plain) or is_understood(f"job {plain}"), code


@pytest.mark.parametrize("catalogue", [answers, cards, courses_texts, notices, problems, runs, talk])
def test_every_hint_of_the_catalogue_is_a_command(catalogue):
    for text in texts_of({key: value for key, value in vars(catalogue).items() if key.isupper()}):
        check_hints(text)


def test_every_hint_in_place_is_a_command():
    for _, text in texts_in_place():
        check_hints(text)
        assert all("{command}" not in code or "{name}" not in code for code in _CODE.findall(text)), text


@pytest.mark.parametrize(
    "catalogue", [answers, cards, notices, problems, runs, talk], ids=lambda module: module.__name__
)
def test_name_in_a_command_is_as_people_type_it(catalogue):
    for text in texts_of({key: value for key, value in vars(catalogue).items() if key.isupper()}):
        for code in _CODE.findall(text):
            assert "{command}" not in code or "{name}" not in code, text


@pytest.mark.parametrize("name", [name for name in GOLDEN if name.startswith(("home/", "views/"))])
def test_nothing_else_can_be_typed_beside_a_form_or_a_home(name):
    slash = Prefixes("/workspace ", "/job ")
    shown = slash.adapt_view(golden.shown(name))
    for text in texts_of(shown):
        for command in commands_in(text):
            assert command.startswith("/"), (name, command)
            assert is_understood(command), (name, command)
    assert slash.adapt_view(shown) == shown


@pytest.mark.parametrize("folder", list(VERBS))
def test_every_example_of_help_is_a_command(folder):
    for entry in VERBS[folder].values():
        for text in (entry.usage, *(code for line in entry.more for code in commands_in(line))):
            assert is_understood(f"{folder} {text}")

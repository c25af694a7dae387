"""Tests that the reference in ``docs/`` has exactly the settings, verbs, metrics and scopes of the code."""

import argparse
import re
from functools import cache

import pytest

from bot.__main__ import _build_parser
from bot.messages.verb import find_verb
from bot.providers import list_provider_classes
from bot.providers.connection import ConnectionSettings
from bot.slack import manifest
from bot.support.settings import VARIABLES
from tests.project.repository import ROOT
from tests.rigs.verbs import VERBS

#: A bar within a cell is escaped with a backslash.
_CELLS = re.compile(r"(?<!\\)\|")
_CODE = re.compile(r"`([^`]+)`")


@cache
def tables(page: str) -> dict[str, list[list[str]]]:
    """Return the rows of a page's tables, without their headers, by the heading above them."""
    found: dict[str, list[list[str]]] = {}
    heading = ""
    for line in (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("|"):
            cells = [cell.strip().replace("\\|", "|") for cell in _CELLS.split(line)[1:-1]]
            found.setdefault(heading, []).append(cells)
    return {heading: rows[2:] for heading, rows in found.items()}


def code(cell: str) -> list[str]:
    return _CODE.findall(cell)


# -- settings ------------------------------------------------------------------------------------------------


def test_the_example_of_the_settings_names_every_variable_and_none_besides():
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert (
        set(re.findall(r"\b(?:USHER|SLACK)_[A-Z_]+\b|\b(?:[A-Z]+_PROXY|PORT)\b", example)) == VARIABLES.keys()
    )


def test_the_example_of_the_settings_has_each_default():
    """Below the line on defaults, each value in the example is the variable's default, or empty."""
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    _, _, optional = example.partition("these are the defaults.\n")
    values = dict(re.findall(r"^([A-Z_]+)=(.*)$", optional, re.MULTILINE))
    assert len(values) > 10
    others = {name for name in VARIABLES if re.match("SLACK_.*(TOKEN|SECRET|ID)$", name)}
    others |= {"USHER_ENCRYPTION_KEYS", "USHER_CONNECTIONS", "USHER_PUBLIC_URL", "USHER_PAGE_URL"}
    assert VARIABLES.keys() - values.keys() == others
    # The default of PORT depends on other settings, as the example says.
    defaults = {name: VARIABLES[name].default for name in values if name != "PORT"}
    shown = {name: values[name] for name in defaults}
    assert shown == {name: _as_value(default) for name, default in defaults.items()}


def _as_value(default):
    match default:
        case None:
            return ""
        case bool():
            return str(default).lower()
        case float():
            return f"{default:g}"
        case _:
            return str(default)


HEADINGS = {
    "saturn": "Saturn Cloud",
    "jupyterhub": "JupyterHub",
    "posit": "Posit Workbench",
    "sphere": "Sphere Engine Containers",
}


def test_every_key_of_the_connections_file_has_its_row():
    sections = tables("connections")
    listed = {
        heading: {code(row[0])[0] for row in sections[heading]}
        for heading in ("Every connection", *HEADINGS.values())
    }
    common = ConnectionSettings.model_fields.keys() - {"name"}
    assert listed["Every connection"] == common - {"source"} | {"from"}
    for kind, provider in list_provider_classes().items():
        own = provider.settings_model.model_fields.keys() - common - {"name"}
        if not own:
            continue
        # A table may repeat a key that all connections have, and may list the keys of a nested table.
        rows = {key for key in listed[HEADINGS[kind]] if "." not in key} - common
        assert rows == own, kind
        inner = {key for key in listed[HEADINGS[kind]] if "." in key}
        assert {key.partition(".")[0] for key in inner} <= rows, kind


# -- what people and operators type --------------------------------------------------------------------------

SECTIONS = {"workspace": "Workspaces", "job": "Jobs"}


@pytest.mark.parametrize("command", SECTIONS)
def test_every_verb_has_its_row_as_help_writes_it_with_its_flags_and_an_example(command):
    rows = tables("commands")[SECTIONS[command]]
    shown = {verb: words.usage for verb, words in VERBS[command].items() if not words.is_hidden}
    assert [row[0] for row in rows] == [f"`{usage}`" for usage in shown.values()]
    for (_, _, flags, examples), verb in zip(rows, shown, strict=True):
        known = find_verb(command, verb).flags
        named = {flag.removeprefix("--") for flag in code(flags)}
        assert known is None or named == {*known}, verb
        # A verb that can be used without typing its name has an example with the name, too.
        assert any(one.split()[1:2] == [verb] for one in code(examples)), verb


def test_every_word_of_the_command_line_has_its_row():
    def words(parser: argparse.ArgumentParser) -> list[str]:
        within = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
        # Help lists the others alone.
        shown = {choice.dest for one in within for choice in one._choices_actions}
        inner = [(name, below) for one in within for name, below in one.choices.items() if name in shown]
        return [f"{name} {word}".strip() for name, below in inner for word in words(below) or [""]]

    rows = tables("settings")["On the command line"]
    assert [code(row[0])[0] for row in rows] == words(_build_parser())


# -- what operators monitor, and what Slack is asked for -----------------------------------------------------


USES = {
    "Scopes of the bot": manifest.BOT_SCOPES,
    "Optional scopes of the bot": manifest.OPTIONAL_SCOPES,
    "Scopes for Slack's assistant": manifest.ASSISTANT_SCOPES,
    "Scopes of people": manifest.USER_SCOPES,
    "Events": manifest.EVENTS,
    "Slash commands": manifest.COMMANDS,
    "Shortcuts": manifest.SHORTCUTS,
}


@pytest.mark.parametrize("heading", USES)
def test_everything_that_slack_is_asked_for_has_its_row_with_its_reason(heading):
    rows = [(code(name)[0], why) for name, why in tables("slack-app")[heading]]
    assert rows == list(USES[heading].items())

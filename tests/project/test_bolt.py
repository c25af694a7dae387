"""Tests that Bolt is used as documented: no internals are imported, and nothing private is replaced."""

import ast
import inspect
import re

import pytest

from bot.web.bolt import Authorize, TenantGuard
from bot.web.socket import SocketConnection, SocketSide
from tests.project.repository import python_files

#: Matches modules that aren't in Bolt's documentation, and may change in any version.
INTERNAL = re.compile(r"(?:async_)?internals|kwargs_injection|lazy_listener|builtins|util")


def list_internal_modules(path):
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{one.name}" for one in node.names}
        elif isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
    return {
        name
        for name in found
        if name.startswith("slack_bolt.") and any(map(INTERNAL.fullmatch, name.split(".")))
    }


def test_no_internal_module_of_bolt_is_imported():
    assert {name for path in python_files("bot", "handlers") for name in list_internal_modules(path)} == set()


@pytest.mark.parametrize(
    "line",
    ["from slack_bolt.request.internals import extract_team_id", "import slack_bolt.util.utils as utils"],
)
def test_internal_modules_of_bolt_are_found(line, tmp_path):
    path = tmp_path / "made_up.py"
    path.write_text(f"{line}\n")
    assert len(list_internal_modules(path)) == 1


@pytest.mark.parametrize("made", [SocketSide, SocketConnection, TenantGuard, Authorize])
def test_nothing_private_of_bolt_is_overridden(made):
    own = {name for name, value in vars(made).items() if inspect.isfunction(value)}
    private = {name for name in own if name.startswith("_") and not name.startswith("__")}
    assert not {name for base in made.__mro__[1:] for name in dir(base)} & private

"""Bolt is used as documented: none of its internals is imported, nothing private of it replaced."""

import inspect
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import slack_bolt

from bot.web.bolt import Authorize, TenantGuard
from bot.web.socket import SocketConnection, SocketSide
from tests.project.repository import ROOT

RUFF = Path(sys.executable).with_name("ruff")


def test_every_internal_module_of_bolt_is_banned():
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    banned = lint["flake8-tidy-imports"]["banned-api"]
    folder = Path(slack_bolt.__file__).parent
    internals = (path.relative_to(folder.parent) for path in folder.rglob("*internals.py"))
    names = {".".join(path.with_suffix("").parts) for path in internals}
    assert {name for name in names if not any(f"{name}.".startswith(f"{one}.") for one in banned)} == set()
    assert len(names) > 10


def test_the_fence_round_bolt_sees():
    source = "from slack_bolt.request.internals import extract_team_id\n"
    words = [RUFF, "check", "--select=TID251", "--stdin-filename=bot/web/made_up.py", "-"]
    done = subprocess.run(words, input=source, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, "internal to Bolt" in done.stdout) == (1, True)


@pytest.mark.parametrize("made", [SocketSide, SocketConnection, TenantGuard, Authorize])
def test_nothing_private_of_bolt_is_overridden(made):
    own = {name for name, value in vars(made).items() if inspect.isfunction(value)}
    private = {name for name in own if name.startswith("_") and not name.startswith("__")}
    assert not {name for base in made.__mro__[1:] for name in dir(base)} & private

"""Tests of a demonstration with other packages' local servers, which are added by name."""

import sys
import tomllib

import pytest
from usher_coder.local import SEED, guest

from playground.demo.accounts import accounts
from playground.demo.guests import invited
from playground.demo.stage import to_connection
from playground.processes import StageError


@pytest.fixture
def installed(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "lagoon_demo.py").write_text("from usher_coder.local import guest\n")
    info = tmp_path / "usher_lagoon-1.4.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: usher-lagoon\nVersion: 1.4\n")
    (info / "entry_points.txt").write_text("[usher.playground]\nlagoon = lagoon_demo:guest\n")
    sys.modules.pop("lagoon_demo", None)


def test_only_what_is_named_is_imported(installed):
    assert invited((), ["olivia"]) == []
    assert "lagoon_demo" not in sys.modules
    (found,) = invited(["usher-lagoon"], ["olivia"])
    assert (found.name, found.module) == ("coder", "usher_coder.local")


def test_what_is_not_there_is_named(installed):
    with pytest.raises(StageError, match="usher-atoll isn't installed here"):
        invited(["usher-lagoon", "usher-atoll"], ["olivia"])


def test_everybody_has_an_account_and_a_workspace(installed):
    (found,) = invited(["usher-lagoon"], ["olivia", "chen"])
    tokens = {one["name"]: one["token"] for one in found.seed["users"]}
    assert {one["owner"] for one in found.seed["workspaces"]} == set(tokens) == {"olivia", "chen"}
    assert found.seed["templates"] == SEED["templates"]
    assert guest(["olivia"])["seed"]["users"][0]["token"] != tokens["olivia"]


def test_the_connection_names_the_package():
    from playground.demo.guests import Guest

    text = to_connection(Guest(**guest(["olivia"])), "http://127.0.0.1:7080")
    assert tomllib.loads(text)["connections"]["coder"] == {
        "provider": "coder",
        "from": "usher-coder",
        "title": "Coder",
        "base_url": "http://127.0.0.1:7080",
    }


def test_the_list_of_accounts_has_everybodys_token():
    from playground.demo.guests import Guest
    from playground.demo.people import NAMES

    given = {"users": {name: {"password": "p", "token": f"t-{name}"} for name in NAMES.values()}}
    lines = {
        name: {"url": f"http://{name}", "credentials": {**given, "access_token": "a"}}
        for name in ("saturn", "jupyterhub", "posit", "sphere", "coder")
    }
    shown = accounts(lines, [Guest(**guest(list(NAMES.values())))])["U0OLIVIA"]["accounts"][-1]
    assert (shown["provider"], shown["sign_in"]) == ("Coder", "http://coder/login")
    assert shown["fields"][1]["value"] == "t-olivia"


def test_terminal_names_the_package(tmp_path):
    from types import SimpleNamespace

    from playground.demo.guests import Guest
    from playground.demo.welcome import welcome

    stage = SimpleNamespace(page="p", kept=SimpleNamespace(path=None), folder=tmp_path, guests=())
    line = "    /workspace link coder           on Coder, from your package usher-coder\n\nAn IDE opens for"
    assert line not in welcome(stage)
    stage.guests = (Guest(**guest(["olivia"])),)
    assert line in welcome(stage)

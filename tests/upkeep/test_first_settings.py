"""The first settings and connections file: answers are checked, and what is written can be used."""

import os
import re
import subprocess
import tomllib

import pytest

from bot.commands.setting_up import NotWrittenError, write_first_settings
from bot.providers import provider_classes, read_connections
from bot.support.environment import load_env_file
from bot.support.settings import read_settings
from tests.app.command_line import run

SLACK = ["xoxb-1", "xapp-1", "12.34", "client-secret", "https://usher.example.org", "U0OLIVIA"]
ADDRESSES = {"sphere": "https://acme.containers.sphere-engine.com"}


class Terminal:
    """Answer in turn, and keep what is asked and said."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.said: list[str] = []

    def ask(self, question: str) -> str:
        self.said.append(question)
        return self._answers.pop(0)

    def write(self, folder):
        paths = write_first_settings(folder, self.ask, self.ask, self.said.append)
        assert self._answers == []
        return paths


@pytest.fixture
def loaded(monkeypatch):
    """Read the settings as Usher does in the folder in which they were written."""

    def load(path):
        monkeypatch.setattr(os, "environ", {"PATH": os.environ["PATH"]})
        monkeypatch.chdir(path.parent)
        load_env_file()
        return read_settings()

    return load


@pytest.mark.parametrize("kind", sorted(provider_classes()))
def test_what_is_written_can_be_used_and_its_options_are_keys_of_that_provider(tmp_path, kind, loaded):
    address = ADDRESSES.get(kind, "https://cloud.acme.example")
    secret = ["token-1"] if kind == "sphere" else []
    terminal = Terminal(*SLACK, kind, "", "Our cloud", address, *secret, "")
    settings, connections = terminal.write(tmp_path)
    assert {path.stat().st_mode & 0o777 for path in (settings, connections)} == {0o600}
    reading = loaded(settings)
    read = reading.settings
    assert reading.problems == []
    assert (read.public_url, read.admin_ids()) == ("https://usher.example.org", {"U0OLIVIA"})
    assert read.connections == connections
    assert read.slack_client_id == "12.34"
    found, problems = read_connections(connections)
    assert problems == []
    assert (found[kind].title, found[kind].base_url) == ("Our cloud", address)
    text = connections.read_text(encoding="utf-8")
    table = tomllib.loads(re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE))["connections"][kind]
    assert len(table) > 4
    assert table.keys() <= provider_classes()[kind].settings_model.model_fields.keys()


#: A shell would run it, end the line there or take it for a comment.
ODD = ["a&b c;d#e", "it's", 'say "no"', "back\\slash's", "$HOME"]


@pytest.mark.parametrize("secret", ODD)
def test_an_answer_of_any_characters_comes_back_as_it_was_given_also_by_a_shell(tmp_path, loaded, secret):
    address = ADDRESSES["sphere"]
    folder = tmp_path / "of us & others"
    folder.mkdir()
    settings, connections = Terminal(
        *SLACK[:3], secret, *SLACK[4:], "sphere", "", "", address, secret, ""
    ).write(folder)
    read = loaded(settings).settings
    assert (read.slack_client_secret.get_secret_value(), read.connections) == (secret, connections)
    assert os.environ["SPHERE_ACCESS_TOKEN"] == secret
    script = f"set -a; . '{settings}'; printf %s \"$SPHERE_ACCESS_TOKEN\""
    shell = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert shell.stdout == secret


def test_a_wrong_answer_is_asked_again_and_none_is_left_for_later(tmp_path, loaded):
    terminal = Terminal(
        *("token", "", "", "", "", "http://usher.example.org", "", "acme", "T0ACME", ""),
        *("zeppelin", "jupyterhub", "Hub!", "hub", 'A "hub"', "ftp://x", "https://hub.example", ""),
    )
    settings, connections = terminal.write(tmp_path)
    said = "\n".join(terminal.said)
    for part in (
        "begins with xoxb-",
        "needs the https address",
        "needs ids of Slack workspaces",
        "needs one of",
        "needs lower-case letters",
    ):
        assert part in said
    assert "SLACK_BOT_TOKEN: is not set" in loaded(settings).problems
    assert "USHER_ENCRYPTION_KEYS" in os.environ
    assert not {"SLACK_BOT_TOKEN", "USHER_PUBLIC_URL"} & os.environ.keys()
    assert os.environ["USHER_SLACK_WORKSPACES"] == "T0ACME"
    assert read_connections(connections)[0]["hub"].title == 'A "hub"'


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "connections.toml").write_text("kept")
    with pytest.raises(NotWrittenError, match="already there"):
        Terminal().write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["connections.toml"]


async def test_without_anybody_who_answers_nothing_is_written(tmp_path):
    ended = await run("init", str(tmp_path))
    assert (ended.status, list(tmp_path.iterdir())) == (1, [])
    assert "nothing was written" in ended.err

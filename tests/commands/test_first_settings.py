"""Tests of creating the first settings and connections file: each answer is tried out, and the files work."""

import asyncio
import os
import re
import subprocess
import tomllib

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.commands.up import Conversation, free_port, keep, look_ahead, look_at_address
from bot.providers import list_provider_classes, read_connections, registry
from bot.support.errors import NotDone
from bot.support.http import Http
from bot.support.settings import read_settings
from bot.support.vault import Vault
from bot.web.app import proving
from playground.processes import reserved_port
from tests.app.command_line import run
from tests.commands.first_settings import begins as begins  # noqa: PLC0414 - a fixture
from tests.commands.first_settings import folder as folder  # noqa: PLC0414 - a fixture
from tests.playground.slack_help import OLIVIA, slack
from tests.rigs.internal_names import internal_names
from tests.rigs.outside import install
from tests.rigs.strangers import TOKEN, stranger


class Terminal:
    """A terminal that gives the answers in turn, and keeps what was printed.

    After the last answer it is closed.
    """

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.said: list[str] = []

    def ask(self, question: str) -> str:
        self.said.append(question)
        if not self.answers:
            raise EOFError
        return self.answers.pop(0)

    async def holds(self, look=look_at_address) -> str:
        """Run the conversation in a thread, with servers in this loop, and return all that was printed."""
        await asyncio.to_thread(Conversation(self.ask, self.ask, self.said.append, look).run)
        return "\n".join(self.said)


@pytest.fixture
async def provider():
    async with stranger("posit") as made:
        yield made.url


@pytest.fixture
async def local():
    async with slack() as (server, _client):
        yield server


def outside(local):
    """Return settings that the conversation doesn't ask for: the local Slack's address, and a free port."""
    return {"USHER_SLACK_API_URL": local.credentials["api_url"], "PORT": str(reserved_port())}


def of_slack(local):
    return [local.credentials["bot_token"], local.credentials["app_token"], OLIVIA]


@pytest.mark.parametrize("kind", sorted(list_provider_classes()))
async def test_what_is_written_can_be_used_and_its_options_are_keys_of_that_provider(
    folder, begins, local, kind
):
    env = outside(local)
    begins(**env)
    async with stranger(kind) as made:
        provider = made.url
        terminal = Terminal(f"{kind} {provider}", TOKEN, "", *of_slack(local))
        said = await terminal.holds()
    assert terminal.answers == []
    connections = folder / "connections.toml"
    assert {one.name: one.stat().st_mode & 0o777 for one in folder.iterdir()} == {
        ".env": 0o600,
        "connections.toml": 0o600,
    }
    begins(**env)
    reading = read_settings()
    assert reading.problems == []
    read = reading.settings
    assert (read.public_url, read.admin_ids()) == (f"http://localhost:{env['PORT']}", {OLIVIA})
    assert read.connections == connections
    found, problems = read_connections(connections)
    assert (problems, found[kind].base_url) == ([], provider)
    text = connections.read_text(encoding="utf-8")
    table = tomllib.loads(re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE))["connections"][kind]
    assert len(table) > 4
    assert table.keys() <= list_provider_classes()[kind].settings_model.model_fields.keys()
    # In the file, each value has its question as a comment above it. The printed link opens Slack's form.
    written = (folder / ".env").read_text(encoding="utf-8")
    assert "# Your member ID in Slack (your profile, ⋮, Copy member ID)\nUSHER_ADMINS=U0OLIVIA\n" in written
    assert "https://api.slack.com/apps?new_app=1&manifest_json=" in said


async def test_what_another_package_brings_is_offered_with_its_version_and_written_with_its_name(
    folder, begins, local, monkeypatch
):
    monkeypatch.syspath_prepend(folder / "packages")
    (folder / "packages").mkdir()
    install(folder / "packages")
    registry.find_provider_class.cache_clear()
    begins(**outside(local))
    async with stranger("sphere") as made:
        said = await Terminal(f"lagoon {made.url}", TOKEN, "", *of_slack(local)).holds()
    assert "jupyterhub, lagoon (usher-lagoon 1.4), posit" in said
    written = tomllib.loads((folder / "connections.toml").read_text(encoding="utf-8"))["connections"][
        "lagoon"
    ]
    assert (written["provider"], written["from"], written["base_url"]) == ("lagoon", "usher-lagoon", made.url)
    assert read_connections(folder / "connections.toml")[1] == []
    registry.find_provider_class.cache_clear()


#: Values that a shell would run, split or treat as comments.
ODD = ["a&b c;d#e", "it's", 'say "no"', "back\\slash's", "$HOME"]


@pytest.mark.parametrize("value", ODD)
def test_a_value_of_any_characters_comes_back_as_it_was_given_also_by_a_shell(folder, begins, value):
    begins()
    for _ in range(2):
        keep("SLACK_CLIENT_SECRET", value, "asked")
        keep("SPHERE_ACCESS_TOKEN", value, "asked")
    begins()
    assert os.environ["SLACK_CLIENT_SECRET"] == os.environ["SPHERE_ACCESS_TOKEN"] == value
    text = (folder / ".env").read_text(encoding="utf-8")
    assert [text.count(f"# asked\n{name}=") for name in ("SLACK_CLIENT_SECRET", "SPHERE_ACCESS_TOKEN")] == [
        1,
        1,
    ]
    script = 'set -a; . ./.env; printf %s "$SPHERE_ACCESS_TOKEN"'
    shell = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert shell.stdout == value


async def test_each_failure_is_met_where_it_happens_with_what_to_do(folder, begins, local, provider):
    begins(**outside(local))
    bot, app, person = of_slack(local)
    gone = f"http://127.0.0.1:{reserved_port()}"
    met = [
        (
            TOKEN,
            f"\nType one of {', '.join(sorted(registry.list_installed()))}, and its address.",
        ),
        ("posit ftp://hub.example", "\nthe address must begin with https:// and name a host"),
        ("posit", "Type it again with the server's own address, such as posit https://posit.example.org."),
        (f"posit {gone}", "Check its address, and whether this machine can reach it."),
        (f"Posit {provider}", "warn connection posit"),
        ("wrongtoken", "BAD  your account: Posit Workbench doesn't accept that token"),
        ("xoxb-of-slack", "That's a Slack token, not one from Posit Workbench"),
        (TOKEN, "ok   your account: Posit Workbench accepts that token. Workspaces: asleep (suspended)"),
        (f"{gone}/usher", "needs an address without a path"),
        (provider, "leads to something else (HTTP 404"),
        (gone, "though Usher runs here"),
        ("", "leads to this Usher"),
        ("token", "begins with xoxb-"),
        ("xoxb-wrong", "Slack says invalid_auth"),
        (bot, "ok   slack scopes: all there"),
        ("", "Basic Information"),
        ("xapp-wrong", "Create an app-level token with connections:write"),
        (app, "ok   slack app token: Socket Mode can be opened"),
        ("olivia", "needs ids of Slack users or groups"),
        ("S0GROUP", "Put your own member ID first: it begins with U or W."),
        ("U0NOBODY", "U0NOBODY (Slack says user_not_found)"),
        (person, "ok   administrators: olivia"),
    ]
    terminal = Terminal(*(answer for answer, _ in met))
    said, after = await terminal.holds(), 0
    for _, part in met:
        assert part in said[after:], part
        after = said.index(part, after) + 1
    # Printed sentences don't name the variables and keys that the conversation writes itself.
    assert internal_names(said, keys=True) == []
    begins()
    assert read_settings().problems == []
    written = (folder / ".env").read_text(encoding="utf-8") + (folder / "connections.toml").read_text()
    assert not {"wrong", "zeppelin", gone, "NOBODY"} & set(re.split(r"[=\s\"-]+", written))


async def test_whoever_is_interrupted_at_any_question_goes_on_there(folder, begins, local, provider):
    """Only what isn't in a file is asked for again, such as a person's own token.

    Once Slack has identified the person, the token isn't asked for either.
    """
    env, keys = outside(local), set()
    begun, bot, app, person = [f"posit {provider}"], *of_slack(local)
    for answers in (begun, [*begun, TOKEN], [TOKEN, ""], [TOKEN, bot], [TOKEN, app], [TOKEN, person]):
        begins(**env)
        terminal = Terminal(*answers)
        if person not in answers:
            # No answer is left for the next question, so the conversation ends.
            with pytest.raises(EOFError):
                await terminal.holds()
        else:
            await terminal.holds()
        keys.add(os.environ["USHER_ENCRYPTION_KEYS"])
        asked = [one for one in terminal.said if one.endswith(": ")]
        assert len(asked) == len(answers) + (person not in answers)
    begins(**env)
    again = Terminal()
    await again.holds()
    assert not [one for one in again.said if one.endswith(": ")]
    assert len(keys) == 1


async def test_what_somebody_else_wrote_is_kept_and_what_is_wrong_with_it_said(folder, begins, local):
    connections = folder / "connections.toml"
    connections.write_text("kept")
    begins(**outside(local))
    with pytest.raises(NotDone, match=r"(?s)connections\.toml.*Correct that"):
        await Terminal("posit https://x.example").holds()
    assert connections.read_text() == "kept"


async def test_a_list_of_admins_that_nobody_can_be_written_to_is_kept(folder, begins, local, provider):
    env = outside(local)
    begins(**env)
    await Terminal(f"posit {provider}", TOKEN, "", *of_slack(local)).holds()
    (folder / ".env").write_text((folder / ".env").read_text().replace("=U0OLIVIA", "=S0ADMINS,S0MORE"))
    begins(**env)
    terminal = Terminal(OLIVIA)
    with pytest.raises(NotDone, match="Correct that"):
        await terminal.holds()
    assert "Put your own member ID first" in terminal.said[-1]
    assert "USHER_ADMINS=S0ADMINS,S0MORE\n" in (folder / ".env").read_text()


async def test_while_slack_cant_be_reached_nothing_is_asked_again(folder, begins, local, provider):
    env = outside(local)
    begins(**env)
    await Terminal(f"posit {provider}", TOKEN, "", *of_slack(local)).holds()
    kept = (folder / ".env").read_text(encoding="utf-8")
    begins(**{**env, "USHER_SLACK_API_URL": f"http://127.0.0.1:{reserved_port()}/api/"})
    terminal = Terminal("xoxb-another")
    with pytest.raises(NotDone, match=r"(?s)slack token.*Slack can't be reached.*run this again later"):
        await terminal.holds()
    assert terminal.answers
    assert (folder / ".env").read_text(encoding="utf-8") == kept


async def test_no_serve_keeps_the_address_that_a_proxy_leads_here_only_later(folder, begins, local, provider):
    begins(**outside(local))
    url = f"https://127.0.0.1:{reserved_port()}"
    said = await Terminal(f"posit {provider}", TOKEN, url, *of_slack(local)).holds(look_ahead)
    assert f"warn public address: nothing answers at {url}" in said
    assert f"\nUSHER_PUBLIC_URL={url}\n" in (folder / ".env").read_text(encoding="utf-8")


async def test_where_people_sign_in_with_slack_it_is_said_what_that_needs(begins):
    begins()
    async with stranger("sphere") as made:
        terminal = Terminal(f"sphere {made.url}", TOKEN)
        with pytest.raises(EOFError):
            await terminal.holds()
    assert "Sphere Engine's access token: " in terminal.said
    assert "Sphere Engine workspaces open in a page of Usher's" in terminal.said[-2]


async def test_a_folder_where_others_can_write_is_named_before_anything_is_asked(folder, begins):
    folder.chmod(0o770)
    begins()
    terminal = Terminal()
    with pytest.raises(EOFError):
        await terminal.holds()
    assert f"others on this machine can write in {folder}, where .env is: chmod go-w it" in terminal.said[0]


async def test_a_second_usher_on_a_machine_has_a_port_of_its_own(folder, begins, provider):
    begins()
    taken = int(provider.rpartition(":")[2])
    made = read_settings().settings.model_copy(update={"port": taken})
    assert await free_port(made) > taken
    # With a proxy in front of Usher, a free port is chosen as well. It is written to the file, so the proxy
    # can rely on it.
    url = f"https://127.0.0.1:{reserved_port()}"
    begins(USHER_PUBLIC_URL=url)
    async with Http.new_session() as session:
        await look_at_address(made.model_copy(update={"public_url": url}), Http(session))
    port = os.environ["PORT"]
    assert int(port) > taken
    assert f"# {taken} was in use\nPORT={port}\n" in (folder / ".env").read_text(encoding="utf-8")
    begins(PORT=str(taken))
    with pytest.raises(NotDone, match="Stop it, or set PORT to another number"):
        await free_port(made)


async def test_an_usher_that_runs_already_is_not_set_up_again(begins, local, provider):
    env = outside(local)
    begins(**env)
    await Terminal(f"posit {provider}", TOKEN, "", *of_slack(local)).holds()
    begins(**env)
    app = web.Application()
    app.router.add_routes([proving(Vault([os.environ["USHER_ENCRYPTION_KEYS"]]))])
    async with TestServer(app, host="127.0.0.1", port=int(env["PORT"])):
        with pytest.raises(NotDone, match="This Usher is already running"):
            await Terminal().holds()
    # Another program uses the port, so the conversation asks for the address again.
    begins(**env)
    async with TestServer(web.Application(), host="127.0.0.1", port=int(env["PORT"])):
        terminal = Terminal(f"http://localhost:{env['PORT']}")
        with pytest.raises(EOFError):
            await terminal.holds()
    assert "Something else is already listening" in "\n".join(terminal.said)


async def test_without_anybody_who_answers_it_says_so(tmp_path):
    ended = await run("up", "--no-serve", cwd=tmp_path)
    assert ended.status == 1
    assert "run it again to go on" in ended.err


async def test_init_says_what_it_is_called_now(tmp_path):
    ended = await run("init", cwd=tmp_path)
    assert (ended.status, ended.out) == (1, "")
    assert "up --no-serve" in ended.err

"""Tests that run each command as a process: what it prints, to which stream, and its exit status."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet

from bot.slack.manifest import http_manifest, render, socket_manifest
from bot.store.schema import read_migrations
from bot.support.environment import command
from bot.support.release import RELEASE
from handlers.loading import load
from handlers.requests import routes
from tests.app.command_line import environment, run
from tests.project.repository import ROOT, files, named


@pytest.mark.parametrize("command", ["web", "worker"])
async def test_processes_that_share_a_file_are_refused_with_the_reason(tmp_path, command):
    ended = await run(command, env=environment(tmp_path))
    assert ended.status == 2
    assert "one process serves a SQLite file" in ended.err
    assert "`usher serve`" in ended.err
    wrong = await run(command, env=environment(tmp_path, SLACK_BOT_TOKEN=None))
    assert wrong.status == 2
    assert "one process serves a SQLite file" in wrong.err
    assert "SLACK_BOT_TOKEN: is not set" in wrong.err


async def test_without_words_the_commands_are_listed():
    ended = await run()
    assert ended.status == 2
    assert "run everything in one process" in ended.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("servee",), "there is no 'servee'. Did you mean serve?"),
        (("store", "bakup"), "there is no 'bakup'. Did you mean backup?"),
        (("xyz",), "there is no 'xyz'. usher --help lists what there is."),
    ],
)
async def test_a_wrong_command_is_told_the_one_that_was_meant(words, says):
    ended = await run(*words)
    assert (ended.status, ended.err.splitlines()[-1].endswith(says)) == (2, True)


async def test_the_command_line_needs_no_script_on_the_path():
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "usher", "--version"), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out.decode() == f"usher {RELEASE}\n"


async def test_migrate_makes_the_database_for_its_owner_alone_and_once(tmp_path):
    env = environment(tmp_path)
    ended = await run("migrate", env=env)
    assert (ended.status, ended.out.splitlines()) == (0, list(read_migrations()))
    assert (tmp_path / "usher.db").stat().st_mode & 0o077 == 0
    again = await run("migrate", env=env)
    assert (again.status, again.out) == (0, "The database is up to date.\n")


async def test_migrate_says_what_is_wrong_with_the_place(tmp_path):
    ended = await run("migrate", env=environment(tmp_path, USHER_DATABASE_URL="sqlite:////nowhere/usher.db"))
    assert ended.status == 1
    assert ended.err == "/nowhere/usher.db can't be opened: its folder doesn't exist\n"


async def test_routes_lists_what_was_found():
    ended = await run("routes")
    assert ended.status == 0
    load()
    found = [f"{kind}: {', '.join(names)}" for kind, names in routes.list_routes().items()]
    assert ended.out.splitlines() == found
    assert "command workspace: " in ended.out


async def test_the_manifest_in_its_forms():
    socket = await run("manifest")
    assert socket.status == 0
    assert json.loads(socket.out) == socket_manifest()
    http = await run("manifest", "--url", "https://usher.example.org")
    assert json.loads(http.out) == http_manifest("https://usher.example.org")
    names = ("--command", "/space", "--job-command", "/batch")
    both = await run("manifest", "--socket", "--url", "https://usher.example.org", *names)
    told = socket_manifest("https://usher.example.org", command="/space", job_command="/batch")
    assert both.out == render(told)
    # The app's description names the commands as they are called in the settings.
    named = await run("manifest", env={"USHER_COMMAND": "/space", "USHER_JOB_COMMAND": "/batch"})
    assert named.out == render(socket_manifest(command="/space", job_command="/batch"))
    assert "`/space start notebook`" in told["display_information"]["long_description"]
    assert not re.search("/workspace|/job", named.out)


async def test_connections_can_be_written_into_the_environment_where_there_are_no_files(tmp_path):
    env = environment(tmp_path, A_TOKEN="canary-token")
    file = tmp_path / "connections.toml"
    text = file.read_text(encoding="utf-8") + 'admin_token = "env:A_TOKEN"\n'
    file.unlink()
    ended = await run("migrate", env={**env, "USHER_CONNECTIONS": text})
    assert (ended.status, ended.err.count("no such setting")) == (0, 0)
    with_comments = f"# Ours\n{text}# title = 'Hub' # the last one;\n"
    commented = await run("migrate", env={**env, "USHER_CONNECTIONS": with_comments})
    assert (commented.status, commented.err.count("remark")) == (0, 0), commented.err
    wrong = await run("migrate", env={**env, "USHER_CONNECTIONS": text.replace("base_url", "addres")})
    assert wrong.status == 2
    assert "connections.saturn.base_url: is not set" in wrong.err
    broken = await run("migrate", env={**env, "USHER_CONNECTIONS": text + "= 1\n"})
    assert "USHER_CONNECTIONS: its text isn't valid TOML" in broken.err
    inline = 'connections.saturn = {provider = "saturn", base_url = "https://app.acme.example"}'
    in_a_line = await run("migrate", env={**env, "USHER_CONNECTIONS": inline})
    assert in_a_line.status == 0, in_a_line.err
    misspelt = text.replace("connections.", "conections.").replace("env:A_TOKEN", "canary-token")
    told = await run("migrate", env={**env, "USHER_CONNECTIONS": misspelt})
    assert (told.status, "USHER_CONNECTIONS: conections is not known" in told.err) == (2, True)
    assert "canary" not in told.err


@pytest.mark.parametrize(
    "words",
    [
        ("--url", "http://usher.example.org"),
        ("--url", ""),
        ("--command", "Space"),
        ("--job-command", "/workspace"),
    ],
)
async def test_a_manifest_that_slack_would_refuse_is_not_made(words):
    ended = await run("manifest", *words)
    assert (ended.status, ended.out) == (2, "")
    assert "the address needs" in ended.err or "must be https" in ended.err or "slash command" in ended.err


async def test_a_new_key_is_a_key_and_another_each_time():
    first, second = await run("keys", "new"), await run("keys", "new")
    assert first.status == 0
    Fernet(first.out.strip())
    assert first.out != second.out


@pytest.mark.parametrize("word", ["keys", "accounts", "store", "audit"])
async def test_half_a_command_is_answered_with_what_can_follow(word):
    ended = await run(word)
    assert (ended.status, ended.err) == (2, "")
    assert ended.out.startswith(f"usage: usher {word} [-h] WHAT ...")
    assert "  WHAT\n" in ended.out


@pytest.mark.parametrize("words", [("serv",), ("keys", "old"), ("serve", "--quick")])
async def test_words_that_are_none_are_answered_with_the_usage(words):
    ended = await run(*words)
    assert ended.status == 2
    assert "usage: usher" in ended.err


async def test_who_reads_only_the_head_of_an_output_ends_it_quietly(tmp_path):
    taken, given = os.pipe()
    os.close(taken)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "routes"),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        stdout=given,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(given)
    _, err = await process.communicate()
    assert (process.returncode, err) == (128 + signal.SIGPIPE, b"")


def test_everything_calls_the_command_by_one_name():
    """Messages, pages and deployment files all tell people to type ``usher``."""
    found = {
        named(path)
        for path in files()
        if re.search(r"python(?:3(?:\.\d+)?)? -m\s+bot\b", path.read_text(encoding="utf-8", errors="ignore"))
    }
    # The changelog may still name the first release's command; this module's own tests run the module, too.
    assert {name for name in found if not name.startswith("tests/")} <= {"CHANGELOG.md"}
    assert command("doctor") == "`usher doctor`"


#: Packages that take long to import. Parsing words needs none of them, and serving needs only some.
HEAVY = ("aiohttp", "slack_bolt", "pydantic", "cryptography", "apscheduler", "jinja2", "structlog")
NOT_TO_SERVE = (
    "sqlite_utils",
    "psycopg",
    "joserfc",
    "mcp_types",
    "jinja2",
    "yaml",
    "bot.providers.posit",
)


@pytest.mark.parametrize(
    ("imports", "needless"),
    [
        pytest.param("import bot.__main__", HEAVY, id="parse"),
        pytest.param("import bot.app; bot.app.load()", NOT_TO_SERVE, id="serve"),
    ],
)
async def test_what_is_not_needed_is_not_imported(imports, needless):
    words = f"import sys; {imports}; print([name for name in {needless} if name in sys.modules])"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", words), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out.decode() == "[]\n"


async def test_user_without_a_home_gets_the_working_folder(tmp_path):
    """Units may run as a numeric user that isn't in passwd, and a supervisor may not set HOME."""
    env = {name: value for name, value in environment(tmp_path).items() if name != "HOME"}
    lines = (
        "import atexit, os, pathlib",
        "os.getuid = lambda: 54321",
        "atexit.register(lambda: print(pathlib.Path.home()))",
        "from bot.__main__ import main",
        "raise SystemExit(main(['migrate']))",
    )
    ended = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "\n".join(lines)),
        env=env | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await ended.communicate()
    assert (ended.returncode, out.decode().splitlines()[-1]) == (0, str(tmp_path))


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_files_of_the_database(tmp_path, closed):
    """If descriptors are closed, a new file gets their numbers.

    The database would get the number of stdout or stderr, and whatever is printed would be written into it.
    """
    run = f"exec {sys.executable} -m bot migrate {closed}"
    env = environment(tmp_path) | {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    ended = subprocess.run(["sh", "-c", run], env=env, cwd=tmp_path, check=False)
    assert (ended.returncode, (tmp_path / "usher.db").read_bytes()[:6]) == (0, b"SQLite")


@pytest.mark.parametrize("gone", ["2>/dev/full", "2>&-", "2> >(exec true)"])
@pytest.mark.parametrize("name", [None, "USHER_CONNECTIONS"])
def test_log_without_a_reader_changes_no_status(tmp_path, gone, name):
    """Systemd doesn't restart a service that ended with 2, even if nobody has read why."""
    env = environment(tmp_path, **{name: None} if name else {})
    env |= {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    run = f"sleep 0.1; exec {sys.executable} -m bot migrate {gone}"
    ended = subprocess.run(["bash", "-c", run], env=env, cwd=tmp_path, check=False)
    assert ended.returncode == (2 if name else 0)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16"])
def test_output_is_utf8_whatever_the_environment_says(encoding):
    shown = [sys.executable, "-m", "bot", "docs", "settings"]
    env = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": encoding}
    ended = subprocess.run(shown, env=env, cwd=ROOT, capture_output=True, check=True)
    assert "T…:U…" in ended.stdout.decode()

"""Tests of the hub's command as a process: its ready line, and that it cleans up however it ends."""

import asyncio
import json
import os
import pwd
import signal
import sys
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from playground.jupyterhub import HubError, Options, add_arguments, runtime, start
from playground.jupyterhub.options import load
from tests.playground.hub_help import alive, descendants, having

ROOT = Path(__file__).parents[2]
COMMAND = """
import argparse, asyncio, sys
from playground.jupyterhub import add_arguments, run
parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--seed")
add_arguments(parser)
asyncio.run(run(parser.parse_args()))
"""
needs_proc = pytest.mark.skipif(
    sys.platform != "linux", reason="processes are bound to one another on Linux only"
)


@asynccontextmanager
async def hub_process(tmp_path, *arguments, before=()):
    """Run the command with one running server; yield the process, its descendants and its temp folder."""
    process = await asyncio.create_subprocess_exec(
        *(*before, sys.executable, "-c", COMMAND, "--light", "--pause-seconds", "0", *arguments),
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        ready = json.loads(await process.stdout.readline())
        credentials = ready["credentials"]
        headers = {"Authorization": f"token {credentials['users']['alice']['token']}"}
        address = f"{credentials['api_url']}/users/alice"
        async with aiohttp.ClientSession(headers=headers) as session:
            async with session.post(f"{address}/server") as answer:
                assert answer.status in {201, 202}
            async with session.get(f"{address}/server/progress") as answer:
                assert '"ready": true' in await answer.text()
        family = descendants(process.pid)
        assert len(family) >= 3  # hub, proxy, single-user server
        yield process, family, ready
    finally:
        if process.returncode is None:
            process.kill()
        # Read its output to the end, or its pipe would stay open.
        await process.communicate()


async def all_gone(family):
    while alive(family):  # noqa: ASYNC110 - processes tell nobody but their parent
        await asyncio.sleep(0.05)


@pytest.fixture
def open_directory():
    """Create a folder that other users can reach, unlike those of pytest."""
    with tempfile.TemporaryDirectory(prefix="test-hub-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@needs_proc
async def test_a_killed_launcher_leaves_nothing_behind(open_directory):
    async with hub_process(open_directory) as (process, family, _):
        process.kill()
        async with asyncio.timeout(15):
            await all_gone(family)
    assert not list(open_directory.glob("playground-hub-*"))


@needs_proc
@pytest.mark.thorough
async def test_the_command_ends_with_its_parent_where_told_to(open_directory):
    in_a_shell = ("sh", "-c", '"$0" "$@" & wait')
    async with hub_process(open_directory, "--die-with-parent", before=in_a_shell) as (shell, family, _):
        shell.kill()
        async with asyncio.timeout(15):
            await all_gone(family)
    assert not list(open_directory.glob("playground-hub-*"))


@needs_proc
@pytest.mark.thorough
async def test_a_killed_hub_ends_the_command_with_an_error(open_directory):
    async with hub_process(open_directory) as (process, family, _):
        (hub,) = having(family, b"hub_config.py")
        os.kill(hub, signal.SIGKILL)
        async with asyncio.timeout(15):
            assert await process.wait() != 0
            await all_gone(family)


async def test_a_port_in_use_is_said_so():
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(HubError, match=f"port {port}"):
            async with start(port=port):
                pass


def test_the_default_seed():
    assert [person.name for person in load().users] == ["alice", "bob", "carol"]


def test_limits_can_be_given():
    import argparse

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    given = parser.parse_args(["--light", "--concurrent-spawn-limit", "1", "--named-server-limit", "2"])
    assert (given.light, given.concurrent_spawn_limit, given.named_server_limit) == (True, 1, 2)
    assert Options().account == "nobody"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave its own account")
class TestAsRoot:
    def test_servers_run_as_an_existing_account_that_is_not_root(self):
        assert runtime.account_to_use("nobody") == "nobody"
        assert runtime.account_to_use("root") == ""
        assert runtime.account_to_use("there is no such account") == ""

    def test_what_the_account_can_reach(self, open_directory):
        (open_directory / "open").mkdir(mode=0o755)
        (open_directory / "shut").mkdir(mode=0o700)
        for name in ("open", "shut"):
            file = open_directory / name / "file"
            file.write_text("x")
            file.chmod(0o644)
        assert runtime.reachable(open_directory / "open" / "file", "nobody")
        assert not runtime.reachable(open_directory / "shut" / "file", "nobody")
        (open_directory / "shut").chmod(0o750)
        os.chown(open_directory / "shut", 0, pwd.getpwnam("nobody").pw_gid)
        assert runtime.reachable(open_directory / "shut" / "file", "nobody")

    def test_a_shut_away_python_is_linked_into_reach(self, open_directory):
        import subprocess

        umask = os.umask(0o077)  # the one of `usher demo`
        try:
            made, environment = runtime.python_for("nobody", open_directory)
        finally:
            os.umask(umask)
        program = "import ssl, sqlite3, tornado, jupyterhub; print(jupyterhub.__name__)"
        account = pwd.getpwnam("nobody")
        ran = subprocess.run(
            [made, "-c", program],
            env=environment,
            cwd="/",
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ran.stdout.strip(), ran.returncode) == ("jupyterhub", 0), ran.stderr

"""Tests of ``usher up``: one conversation from an empty folder and a wheel to the first running workspace."""

import asyncio
import signal
from contextlib import AsyncExitStack, suppress

from playground.processes import reserved_port
from tests.app.terminal import ADDRESS, local_services, usher
from tests.playground.slack_help import AMIR, OLIVIA
from tests.rigs.strangers import stranger


async def test_five_answers_from_an_empty_folder_to_the_first_workspace(installed, tmp_path):
    async with local_services() as made, usher(installed, tmp_path, "up", **made.env) as (process, typist):
        # Usher writes to the person who sets it up, not to the other administrators they name.
        made.slack.state.groups["S0ADMINS"] = {AMIR, OLIVIA}
        for answer in [*made.answers[:-1], f"{OLIVIA}, S0ADMINS"]:
            await typist.sees(": ")
            await typist.types(answer)
        said = await typist.sees("The log is usher.log.")
        assert "Workspaces: analysis (running), notes (running), asleep (suspended)" in typist.read
        await made.person.links(ADDRESS.search(said)[0])
        await made.person.starts("asleep")
        said = await typist.sees("Ctrl+C")
        assert "Your workspace is ready." in said
        for what in ("an https address", "keys apart", "a machine that stays on"):
            assert f"warn for a team, {what}: not yet" in said
        # A backup exists already if the token was typed before Usher's start looked for something to back up.
        assert "warn for a team, backups: " in said
        process.send_signal(signal.SIGINT)
        await process.wait()
    assert process.returncode == 0
    # Routine events go to the log, which only its owner can read, and aren't printed.
    log = tmp_path / "usher.log"
    assert log.stat().st_mode & 0o777 == 0o600
    assert "drained" in log.read_text(encoding="utf-8")
    assert "drained" not in typist.read


async def test_ctrl_c_ends_the_question_for_a_token_at_once(installed, tmp_path):
    async with stranger("jupyterhub") as server, usher(installed, tmp_path, "up") as (process, typist):
        await typist.types(f"jupyterhub {server.url}")
        await typist.sees("(Enter to link later, in Slack): ")
        while process.returncode is None:
            # A signal that arrives just before the answer is read may only be noticed later, so send it
            # again.
            process.send_signal(signal.SIGINT)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 5)
        await typist.sees("run it again to go on")
        assert process.returncode == 1


async def test_everything_goes_wrong_once_and_the_workspace_is_ready_all_the_same(installed, tmp_path):
    """Wrong answers, an address that nothing serves, an interruption, and another Usher with the same app."""
    async with local_services() as made:
        provider, token, browsers, *slack_answers = made.answers
        env, gone = made.env, f"http://127.0.0.1:{reserved_port()}"
        async with usher(installed, tmp_path, "up", **env) as (process, typist):
            await typist.types(f"posit {gone}", provider, "wrong", token, gone, browsers, "xoxb-wrong")
            process.stdin.close()
            said = await typist.sees("run it again to go on")
            await process.wait()
        assert process.returncode == 1
        for remedy in ("whether this machine can reach it", "though Usher runs here", "invalid_auth"):
            assert remedy in said
        async with AsyncExitStack() as other, usher(installed, tmp_path, "up", **env) as (_, typist):
            await typist.types(token, *slack_answers[:-1])
            await typist.sees("Socket Mode can be opened")
            await other.enter_async_context(made.rival())
            await typist.types(slack_answers[-1])
            said = await typist.sees("give it its own app")
            assert "Slack counts more connections of this app than this Usher has (1 more)." in said
            assert "Where are your workspaces?" not in typist.read
            await other.aclose()
            await made.person.links(ADDRESS.search(typist.read)[0])
            await made.person.starts("asleep")
            await typist.sees("Your workspace is ready.")

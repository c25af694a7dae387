"""A codespace in a repository that asks for more permissions, from the form to the person's decision."""

import pytest
from usher_codespaces.local import SEED, LocalGitHub

from bot.store.accounts import find_account
from tests.rigs.scenario.people import GENERAL
from tests.scenarios.test_usable import beside

TOKEN = "aLiCe12345-0123456789abcdefABCDEF"


@pytest.fixture
async def codespaces(tmp_path, monkeypatch):
    info = tmp_path / "usher_codespaces-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: usher-codespaces\nVersion: 0\n")
    (info / "entry_points.txt").write_text("[usher.providers]\ncodespaces = usher_codespaces:Codespaces\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    seed = SEED | {"tokens": {"alice": TOKEN}}
    there = {"provider": "codespaces", "from": "usher-codespaces", "title": "GitHub Codespaces"}
    async with beside(tmp_path, lambda clock: LocalGitHub(seed, clock), **there) as ready:
        yield ready


async def test_repository_asks_for_permissions_before_it_is_created(codespaces):
    alice, server = codespaces.alice, codespaces.server
    server.asking_repositories.add("acme/reef")
    await codespaces.slack.say(alice.id, GENERAL, "/workspace new there")
    await codespaces.settle()
    await codespaces.slack.fill(alice.id, {"field:repository": "acme/reef", "field:name": "paper"})
    assert (await codespaces.slack.submit(alice.id))["response_action"] == "clear"
    await codespaces.settle()
    await codespaces.pass_time(600)
    failed = alice.only("failed")
    url = f"{codespaces.bot.context.connections['there'].settings.base_url}/acme/reef/codespaces"
    page = f"{url}/allow_permissions?ref=main"
    asks = f"The repository asks for more permissions. Allow or deny them at {page} and try again."
    assert asks in failed.text
    assert codespaces.calls("POST /repos/acme/reef/codespaces$", server) == 1
    account = await codespaces.bot.store.read(find_account, codespaces.principal(), "there")
    assert (account.state, account.is_held) == ("active", False)
    # The link isn't suspended, so another workspace can be started, and the creation tried again.
    await alice.writes("start training")
    await codespaces.pass_time(30)
    assert "*training* is ready." in alice.only("ready").text
    server.decisions.add(("alice", "acme/reef"))
    await alice.presses(failed, "Try again")
    await codespaces.pass_time(30)
    assert "*paper* is ready." in alice.told("ready")[-1].text
    assert codespaces.calls("POST /repos/acme/reef/codespaces$", server) == 2

"""A refused credential: refreshed once by the first call, recorded once, and shared by later calls."""

from dataclasses import replace
from types import SimpleNamespace

from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.providers.base import Credential
from bot.reconciler.keys import Keys
from bot.store import accounts, audit, credentials
from bot.support import errors
from bot.support.vault import row_key
from tests.rigs.providers import FakeProvider
from tests.rigs.store import ALICE, want_read


async def resolve_refusal(world, account):
    """Let an account's credential be refused. Return the keys and the result."""
    keys, runtime = Keys(world.context), SimpleNamespace(provider=world.provider)
    return keys, await keys.resolve_refusal(account, runtime, errors.CredentialRefused())


async def test_what_another_process_has_renewed_meanwhile_is_taken_and_not_renewed_again(world):
    account = await world.link(refresh="again")
    await world.store.write(credentials.save_secret, account.id, account.secret, world.seal(ALICE, "token-2"))
    _, became = await resolve_refusal(world, account)
    assert (became, world.provider.refreshed) == ("changed", 0)
    assert (await world.store.read(accounts.find_account, ALICE, "cloud")).refused_since is None


async def test_a_fresh_credential_that_is_refused_at_once_is_held_and_not_renewed_again(world):
    keys, became = await resolve_refusal(world, await world.link(refresh="again"))
    assert (became, world.provider.refreshed) == ("changed", 1)
    fresh = await world.store.read(accounts.find_account, ALICE, "cloud")
    runtime = SimpleNamespace(provider=world.provider)
    refusal = errors.CredentialRefused()
    assert await keys.resolve_refusal(fresh, runtime, refusal) == "held"
    assert world.provider.refreshed == 1
    # Once the new credential has been accepted, it may be renewed like any other.
    keys.note_accepted(fresh, keys.open(fresh))
    assert (
        await keys.resolve_refusal(
            await world.store.read(accounts.find_account, ALICE, "cloud"), runtime, refusal
        )
        == "changed"
    )
    assert world.provider.refreshed == 2


async def test_a_secret_is_decrypted_once_though_its_account_id_is_learnt_later(world, monkeypatch):
    account, keys = await world.link(), Keys(world.context)
    first = keys.open(account)
    monkeypatch.setattr(world.context.vault, "open", None)
    learnt = keys.open(replace(account, remote_id="u1"))
    assert (learnt.credential.account_id, learnt.credential.token) == ("u1", first.credential.token)


async def for_connection(world):
    """Link an account that uses the connection's own secret."""
    account = await world.link()
    sealed = world.vault.seal(row_key(ALICE.key, "cloud"), minted("token-1").as_mapping())
    await world.store.write(credentials.save_secret, account.id, account.secret, sealed)
    return await world.store.read(accounts.find_account, ALICE, "cloud")


def minted(token):
    return Credential(SecretStr(token), extra=Credential.for_connection("admin").extra)


class Minting(FakeProvider):
    """A provider that uses the connection's own secret to make people's credentials."""

    async def refresh(self, access):
        await super().refresh(access)
        return minted(f"fresh-{self.refreshed}")


async def test_what_the_connections_secret_renews_is_in_the_audit(world):
    account = await for_connection(world)
    world.provider = Minting(world.clock, world.provider.settings)
    _, became = await resolve_refusal(world, account)
    entries = [row for row in await world.store.read(audit.read_audit) if row["action"] == "account.renew"]
    assert (became, [row["target"] for row in entries]) == ("changed", [account.id])


async def test_reads_with_the_connections_secret_are_in_the_audit_once_a_day(world, monkeypatch):
    monkeypatch.setattr(FakeProvider, "can_reach_all_workspaces", lambda self, access: True)
    monkeypatch.setattr(FakeProvider, "credential_owner", lambda self, access, call: "admin")
    workspace = await world.workspace_of(await world.make())
    noted = []
    for seconds in (60.0, 60.0, 86_400.0):
        world.clock.advance(seconds - 30.0)
        await want_read(world.store, workspace.id)
        await world.pass_time(30)
        noted.append([row["action"] for row in await world.store.read(audit.read_audit)].count("call.read"))
    assert noted == [1, 1, 2]


async def test_whom_the_connections_secret_may_not_act_for_any_more_is_held_and_nobody_else(world):
    account = await for_connection(world)
    world.provider.fail("refresh", errors.Forbidden("not that person"))
    keys, became = await resolve_refusal(world, account)
    assert (became, keys.lockouts) == ("held", {})


async def test_a_connections_refused_secret_is_told_once_until_it_is_accepted_again(world):
    account = await for_connection(world)
    keys = Keys(world.context)
    with capture_logs() as logs:
        keys.note_lockout("cloud")
        since = world.clock.now()
        world.clock.advance(60.0)
        keys.note_lockout("cloud")
        assert keys.lockouts == {"cloud": since}
        keys.note_accepted(account, keys.open(account))
        assert keys.lockouts == {"cloud": None}
        keys.note_lockout("cloud")
    assert [line["event"] for line in logs] == ["the connection's own secret is refused"] * 2

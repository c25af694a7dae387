"""A rig for the pages of workspaces: a real store, and a provider whose workspaces open in a page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from bot.domain.accounts import Account
from bot.domain.forms import Spec
from bot.domain.observations import Observed
from bot.domain.people import Principal
from bot.domain.reads import ReadResult
from bot.domain.stops import StopEffect, StopEffects
from bot.domain.workspaces import State, Workspace
from bot.providers import facets
from bot.providers.base import Pace
from bot.providers.facets import Embedding
from bot.store import accounts, gates, workspaces
from bot.support.vault import Vault, entry_key
from tests.rigs.maker import FakeMaking
from tests.rigs.store import add_workspace, put_account, want_read
from tests.web.rig import ALICE, KEY, Browser, Rig, ScriptedProvider, rig
from tests.web.there import SigningProvider

TOKEN = "73543c2d-3476-46ee-a49c-227f59181961"
REMOTE = "1" * 32


class PageProvider(ScriptedProvider, FakeMaking, facets.EmbeddedPage):
    """A provider whose workspaces open in one of Usher's own pages."""

    kind: ClassVar[str] = "in_page"
    pace: ClassVar[Pace] = Pace(min_poll_interval=5, pending_interval=5)

    def __init__(self, loads: Embedding | None = None) -> None:
        super().__init__("sphere", "Sphere Engine", ("none",))
        self.loads = loads or Embedding("sdk.example", is_https=True, endpoint="https://acme.example")

    def stop_effects(self, workspace: Workspace) -> StopEffects:
        return {"stop": StopEffect.RETURNS if workspace.survives_stop is not False else StopEffect.ERASES}

    def embedding(self) -> Embedding:
        return self.loads


class IdeRig:
    """The rig, which puts workspaces into its store as reads would."""

    def __init__(self, made: Rig) -> None:
        self.made = made
        self.store, self.clock, self.origin = made.store, made.clock, made.origin

    async def workspace(
        self,
        owner: Principal = ALICE,
        *,
        remote_id: str = REMOTE,
        connection: str = "sphere",
        name: str = "notebook",
        **seen: Any,
    ) -> Workspace:
        """Give a person a workspace in a state, RUNNING by default."""
        account = await self.store.read(accounts.find_account, owner, connection)
        if account is None:
            account = Account(
                f"account-{owner.user_id}-{connection}", owner, connection, "", "sealed", "active", 0.0
            )
            await put_account(self.store, account)
        row = Workspace(
            id=f"workspace_{owner.user_id}_{remote_id[:8]}",
            principal=owner,
            connection=connection,
            remote_id=remote_id,
            gate_key=f"https://app.example#{remote_id}",
            name=name,
            origin="added",
            spec=Spec(name, {"project": "p"}),
        )
        added: Workspace = await add_workspace(self.store, row)
        await self.sees(added, **seen)
        return added

    async def sees(
        self, workspace: Workspace, state: State = State.RUNNING, entry: str | None = TOKEN, **more: Any
    ) -> None:
        """Record a read of a workspace, with the secret that opens it."""
        await want_read(self.store, workspace.id)
        for _ in range(3):
            for claim in await self.store.claim(gates.claim_reads, workspace.connection, 100, 5.0, 0.5):
                if claim.gate_key != workspace.gate_key:
                    continue
                found = Observed(state, **more)
                result = ReadResult(
                    claim.gate_key, claim.workspace_ids, found, None, granted_at=claim.granted_at
                )
                await self.store.perform(gates.record_reads, [result])
                if entry is not None:
                    await self.keep(workspace, entry)
                return
            self.clock.advance(6.0)
        raise AssertionError("the gate did not open")

    async def keep(self, workspace: Workspace, entry: str) -> None:
        key = entry_key(workspace.principal.key, workspace.connection, workspace.remote_id)
        sealed = Vault([KEY]).seal(key, {"entry": entry})
        await self.store.write(workspaces.save_entry, workspace.id, workspace.gate_key, sealed)

    def is_wanted(self) -> bool:
        """Return whether the background work was woken."""
        return bool(self.made.woken)

    async def signed_in(self, user: str = "U0ALICE", page: str = "workspace_x") -> Browser:
        """Open a browser, and sign in with Slack as a person to see a page."""
        browser = await self.made.browser()
        self.made.issuer.person = ("T0HOME", user)
        await browser.get(f"/ide/{page}")
        await browser.get(f"/ide/{page}/sign-in")
        return browser


@asynccontextmanager
async def ide_rig(
    *, sign_in: bool = True, loads: Embedding | None = None, **more: Any
) -> AsyncIterator[IdeRig]:
    """Serve everything on a free port."""
    provider = PageProvider(loads)
    hub = SigningProvider("hub", "Team hub")
    connections = {"saturn": ScriptedProvider(), "sphere": provider, "hub": hub}
    async with rig(sign_in=sign_in, connections=connections, **more) as made:
        yield IdeRig(made)

"""Claims of status reads, taken directly from the database."""

from bot.domain.workspaces import Workspace
from bot.store import gates
from tests.rigs.store import ALICE, add_workspace, gate_key, link_account

SHARED = gate_key("saturn", "shared")


def by_reference(principal, connection="saturn", key=SHARED, name="shared"):
    return Workspace(
        id=f"workspace_{principal.user_id}_{connection}_{name}",
        principal=principal,
        connection=connection,
        remote_id=name,
        gate_key=key,
        name=name,
        origin="added",
    )


async def claim_one(store, connection="saturn", interval=10.0, margin=0.5):
    claims = await store.claim(gates.claim_reads, connection, 10, interval, margin)
    return claims[0] if claims else None


async def claimed(store):
    """Link Alice, let her watch a workspace, and claim its first read. Return the workspace and the claim."""
    await link_account(store)
    workspace = await add_workspace(store, by_reference(ALICE))
    claim = await claim_one(store)
    assert claim is not None
    return workspace, claim

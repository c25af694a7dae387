"""The names of workspaces that Usher names by itself: chosen once, when their first call is committed to."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.names import FreeName
from bot.domain.workspaces import PROVISIONAL
from bot.store.tables import WORKSPACES
from bot.store.transaction import Transaction


def choose(tx: Transaction, workspace_id: str, wanted: FreeName) -> None:
    """Name a workspace unlike what is taken and unlike its person's others on the connection.

    What a creation of unknown outcome may still make keeps its name. A workspace that has a name keeps it.
    """
    workspace = WORKSPACES.one(tx, id=workspace_id)
    if workspace is None or workspace.spec is None or not workspace.spec.is_unnamed:
        return
    others = [
        WORKSPACES.of(other)
        for other in tx.all(
            "namesakes",
            id=workspace_id,
            principal=workspace.principal.key,
            connection=workspace.connection,
            unmade=f"{PROVISIONAL}%",
        )
    ]
    named = [other for other in others if other.spec is None or not other.spec.is_unnamed]
    name = wanted.besides(text for other in named for text in {other.name, other.title})
    spec = replace(workspace.spec, name=name)
    WORKSPACES.change(tx, {"id": workspace_id}, name=name, spec=spec)

"""The names of workspaces that Usher names by itself: chosen once, when their first call is committed to."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.models import PROVISIONAL
from bot.domain.names import FreeName
from bot.store import rows
from bot.store.text import as_json
from bot.store.transaction import Transaction


def choose(tx: Transaction, workspace_id: str, wanted: FreeName) -> None:
    """Name a workspace unlike what is taken and unlike its person's others on the connection.

    What a creation of unknown outcome may still make keeps its name. A workspace that has a name keeps it.
    """
    row = tx.one("workspace", id=workspace_id)
    if row is None:
        return
    workspace = rows.workspace(row)
    if workspace.spec is None or not workspace.spec.is_unnamed:
        return
    others = [
        rows.workspace(other)
        for other in tx.all(
            "namesakes",
            id=workspace_id,
            principal=row["principal"],
            connection=row["connection"],
            unmade=f"{PROVISIONAL}%",
        )
    ]
    named = [other for other in others if other.spec is None or not other.spec.is_unnamed]
    name = wanted.besides(text for other in named for text in {other.name, other.title})
    spec = replace(workspace.spec, name=name)
    tx.run("call_workspace", id=workspace_id, name=name, spec=as_json(spec.as_json()))

"""The cost of workspaces and runs: which machines they use, and what each machine costs per hour."""

from collections.abc import Callable

from bot.domain.accounts import Account
from bot.domain.forms import Spec
from bot.domain.prices import MachineKind
from bot.store.tables import RUNS, WORKSPACES
from bot.store.transaction import Row, Transaction


def find_new_machine(before: Row, seen: MachineKind | None) -> MachineKind | None:
    """Return the machine that a read or list reports, or None if it reports none or the machine is known."""
    return None if seen is None or seen.to_columns().items() <= before.items() else seen


def note_machine(tx: Transaction, workspace_id: str, machine: MachineKind) -> None:
    """Save a workspace's machine. If the current period of running has no price yet, save its price, too."""
    columns = machine.to_columns()
    WORKSPACES.change(tx, {"id": workspace_id}, **columns)
    tx.run("price_life", workspace_id=workspace_id, **columns)


def note_offer(
    tx: Transaction,
    account: Account,
    update: Callable[[Spec], Spec],
    describe: Callable[[Spec], MachineKind],
) -> None:
    """Update the prices of an account's workspaces and runs from the provider's new offer.

    A period of running that already has a price keeps it.
    """
    for workspace in WORKSPACES.all(tx, **account.pair):
        if workspace.spec is not None and (spec := update(workspace.spec)) != workspace.spec:
            WORKSPACES.change(tx, {"id": workspace.id}, spec=spec)
            note_machine(tx, workspace.id, describe(spec))
    for run in RUNS.all(tx, **account.pair):
        if run.spec is not None and (spec := update(run.spec)) != run.spec:
            RUNS.change(tx, {"id": run.id}, spec=spec)

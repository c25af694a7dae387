"""Setting and loading people's preferences."""

from collections.abc import Sequence
from dataclasses import asdict

from bot.domain.people import Principal
from bot.domain.preferences import PreferenceFacts, Preferences, find_asking_hours
from bot.domain.workspaces import Workspace
from bot.services.caller import Caller, concerns_caller
from bot.services.context import Context
from bot.store import preferences as store
from bot.store.transaction import Transaction


@concerns_caller
def save(tx: Transaction, caller: Caller, wanted: Preferences) -> None:
    """Set a person's preferences."""
    caller.check(tx, "settings")
    if caller.is_first_delivery(tx):
        before = store.preferences(tx, caller.principal)
        store.save_preferences(tx, caller.principal, wanted)
        had, has = asdict(before), asdict(wanted)
        said = {name: f"{had[name]} → {has[name]}" for name in has if has[name] != had[name]}
        caller.record(tx, "settings.save", caller.principal.key, **said)


async def load_preferences(
    context: Context, principal: Principal, workspaces: Sequence[Workspace]
) -> PreferenceFacts:
    """Load a person's preferences, including those for single workspaces, as facts for an answer."""
    wanted = await context.store.read(store.preferences, principal)
    return PreferenceFacts(
        wanted=wanted,
        now=await context.store.now(),
        own=tuple(one for one in workspaces if (one.notify_ready, one.notify_stopped) != (None, None)),
        asked_after={
            one.settings.title: find_asking_hours(wanted.idle_prompt_after, one.settings.asks_after_hours)
            for one in context.connections.values()
            if one.is_available_to(principal)
        },
        has_assistant=context.assistant,
    )

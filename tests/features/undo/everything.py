"""What a person has and wants, read from the database."""

from bot.features.hours import store as hours_store
from bot.features.preferences import store as preferences_store
from bot.features.waitlist import store as waitlist_store
from bot.store import operations as operation_rows
from bot.store import runs as run_rows
from bot.store import workspaces
from tests.rigs.store import ALICE

#: What is the same again once an act was taken back; the rest counts what happened, or when.
_OF_WORKSPACES = [
    *("id", "name", "alias", "hidden", "state", "stop_at", "stop_mode", "stop_agreed", "stop_rule"),
    *("notify_ready", "notify_stopped"),
]


_OF_RULES = ["id", "days", "starts", "stops", "zone", "off", "paused", "agreed", "processed_until"]


async def everything(store, who=ALICE):
    """Return what a person has and wants, and what the engine has yet to send."""
    rows = await store.perform(workspaces.read_workspaces, who, hidden=True)
    operations = await store.read(operation_rows.open_operations, who)
    runs = [run for run in await store.read(run_rows.list_runs, who) if run.is_open]
    return {
        "workspaces": {one.id: [getattr(one, name) for name in _OF_WORKSPACES] for one in rows},
        "rules": {
            one.id: [getattr(one, name) for name in _OF_RULES]
            for one in await store.read(hours_store.list_rules_of_person, who)
        },
        "preferences": await store.read(preferences_store.preferences, who),
        "waits": [
            (one.workspace_id, one.expires_at) for one in await store.read(waitlist_store.list_entries, who)
        ],
        "operations": {one.workspace_id: (one.verb, one.start_call, one.stop_call) for one in operations},
        "runs": {run.id: run.requested_stop for run in runs},
    }

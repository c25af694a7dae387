"""Promises: whether a person's plan can be carried out as things are, and why not; pure.

What is planned, warned of, drawn and reported asks here, so that nothing is announced that can't come true.
An obstacle is a key of ``bot.messages.texts.cards.OBSTACLES``; "" is none.
"""

from typing import Final

from bot.domain.accounts import Account
from bot.domain.stops import StopEffects, StopMode
from bot.domain.workspaces import State, Workspace

#: The obstacles that *Link again* removes.
LINK_HELPS: Final = frozenset({"another_account", "credential_refused", "renamed", "sign_in_refused"})
#: The obstacles that may pass while a plan waits; any other ends it.
PASSING_OBSTACLES: Final = LINK_HELPS | {"not_allowed_now", "people_out", "unreachable"}
#: For how long, in seconds, a plan waits for an obstacle to pass before its person reads of it.
GRACE_SECONDS: Final = 60.0
#: The same for a stop that was about to be sent at its time.
MAX_HELD_SECONDS: Final = 180.0


def find_access_obstacle(account: Account | None, now: float, *, is_connected: bool) -> str:
    """Return the reason for which no call can be made for a person, "" for none.

    One refusal alone says nothing: the provider is asked again.
    """
    if not is_connected:
        return "connection_gone"
    if account is None or account.state == "revoking":
        return "unlinked"
    return account.refusal if account.state == "refused" or account.repeats(now) else ""


def find_stop_obstacle(workspace: Workspace, effects: StopEffects, mode: StopMode) -> str:
    """Return the reason for which a running workspace can't be stopped in a mode, "" for none."""
    is_offered = mode in effects and (mode == "stop" or workspace.allows(mode))
    return "" if is_offered or workspace.state is not State.RUNNING else "not_allowed_now"

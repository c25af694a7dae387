"""Whether a person's plan can be carried out as things are, and what the obstacle is. Pure functions.

Plans, warnings, messages and reports all ask here, so that Usher announces nothing impossible. An obstacle is
a key of ``bot.messages.texts.cards.OBSTACLES``; "" is none.
"""

from typing import Final

from bot.domain.accounts import Account
from bot.domain.stops import StopEffects, StopMode
from bot.domain.workspaces import State, Workspace

#: Obstacles that *Link again* removes.
LINK_HELPS: Final = frozenset({"another_account", "credential_refused", "renamed", "sign_in_refused"})
#: Obstacles that may pass while a plan waits. Any other ends the plan.
PASSING_OBSTACLES: Final = LINK_HELPS | {"not_allowed_now", "people_out", "unreachable"}
#: Seconds that a plan waits for an obstacle to pass before its person is told.
GRACE_SECONDS: Final = 60.0
#: The same for a stop that was about to be sent on time.
MAX_HELD_SECONDS: Final = 180.0


def find_access_obstacle(account: Account | None, now: float, *, is_connected: bool) -> str:
    """Return why no call can be made for a person, "" if one can.

    A single refusal of the credential is no obstacle, as the provider is asked again.
    """
    if not is_connected:
        return "connection_gone"
    if account is None or account.state == "revoking":
        return "unlinked"
    return account.refusal if account.state == "refused" or account.repeats(now) else ""


def find_stop_obstacle(workspace: Workspace, effects: StopEffects, mode: StopMode) -> str:
    """Return why a running workspace can't be stopped in this mode, "" if it can."""
    is_offered = mode in effects and (workspace.allows(mode) or (mode == "stop" and workspace.is_own))
    return "" if is_offered or workspace.state is not State.RUNNING else "not_allowed_now"

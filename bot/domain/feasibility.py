"""Whether a user's plan can be carried out right now and, if not, why. Pure functions.

An obstacle is a key of ``bot.messages.texts.cards.OBSTACLES``, or "" if there is none.
"""

from typing import Final

from bot.domain.accounts import Account
from bot.domain.stops import StopEffects, StopMode
from bot.domain.workspaces import State, Workspace

#: Obstacles that a user can remove with the *Link again* button.
LINK_HELPS: Final = frozenset({"another_account", "credential_refused", "renamed", "sign_in_refused"})
#: Obstacles that may disappear while a plan is waiting. Any other obstacle ends the plan.
PASSING_OBSTACLES: Final = LINK_HELPS | {"connection_coming", "not_allowed_now", "people_out", "unreachable"}
#: How long, in seconds, a plan waits for an obstacle to disappear before the user is told.
GRACE_SECONDS: Final = 60.0
#: How long, in seconds, a planned stop may be overdue before the user is told.
MAX_HELD_SECONDS: Final = 180.0


def find_access_obstacle(account: Account | None, now: float) -> str:
    """Return why nothing can be requested from the provider for a user, or "" if requests are possible.

    A single refusal of the credential doesn't prevent requests yet, because Usher will try it again.
    """
    if account is None or account.state == "revoking":
        return "unlinked"
    return account.refusal if account.state == "refused" or account.repeats(now) else ""


def find_stop_obstacle(workspace: Workspace, effects: StopEffects, mode: StopMode) -> str:
    """Return why a running workspace can't be stopped in this mode, or "" if it can."""
    is_offered = mode in effects and (workspace.allows(mode) or (mode == "stop" and workspace.is_own))
    return "" if is_offered or workspace.state is not State.RUNNING else "not_allowed_now"

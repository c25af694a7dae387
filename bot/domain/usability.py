"""Usability of a running workspace: what it may lack, and for how long that is waited for; pure."""

from collections.abc import Mapping
from typing import Final, Literal

#: What a running workspace may lack, which a start waits for.
#: - ``address``: its link; *ready* comes without it after a minute.
#: - ``page``: an answer of its own page; *ready* comes without it after half a minute.
#: - ``agent``: the agent that connects it; nobody can open it without.
#: - ``app``: a working app; nobody can open it without.
Lack = Literal["address", "page", "agent", "app"]

#: For how many seconds after a workspace was first seen running without it a start waits for what it lacks,
#: and a loss isn't news.
PATIENCE_SECONDS: Final[Mapping[Lack, float]] = {"address": 60.0, "page": 30.0, "agent": 60.0, "app": 60.0}
#: For how many seconds it is then read as often as one that is starting.
MAX_LATE_SECONDS: Final = 600.0
#: Without these nobody can open it. The others Usher may just not see.
UNUSABLE: Final[frozenset[Lack]] = frozenset({"agent", "app"})

#: What is said of a page whose certificate isn't trusted.
UNTRUSTED_PAGE: Final = (
    "I can't check its page, as the certificate there isn't trusted here. Ask your Usher admin to look at it."
)


def is_awaited(lacks: Lack | None, lacks_since: float | None, at: float) -> bool:
    """Return whether a running workspace's lack in a read at ``at`` is still waited for."""
    if lacks is None:
        return False
    return lacks_since is None or at - lacks_since < PATIENCE_SECONDS[lacks]


def is_late(lacks_since: float | None, now: float) -> bool:
    """Return whether a lack may still end, so that its workspace is read as often as one that is starting."""
    return lacks_since is not None and now - lacks_since < MAX_LATE_SECONDS


def find_lack_start(lacks: Lack | None, before: Lack | None, since: float | None, at: float) -> float | None:
    """Return the time since when a workspace lacks something, after a read at ``at``; None for no lack.

    ``before`` and ``since``: what it lacked until then, and since when.
    """
    if lacks is None:
        return None
    return at if before is None else since

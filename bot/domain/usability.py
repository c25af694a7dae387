"""What a running workspace may still lack, and how long a start waits for each part. Pure functions."""

from collections.abc import Mapping
from typing import Final, Literal

#: What a running workspace may still lack before its start counts as finished.
#: - ``address``: its link. After a minute, *ready* is sent without it.
#: - ``page``: an answer from its own page. After half a minute, *ready* is sent without it.
#: - ``agent``: a connected agent. Nobody can open the workspace without it.
#: - ``app``: a working app. Nobody can open the workspace without it.
Lack = Literal["address", "page", "agent", "app"]

#: How long a start waits for each missing part, in seconds from the first read that found it missing. The
#: user isn't told about a part that turns up within that time.
PATIENCE_SECONDS: Final[Mapping[Lack, float]] = {"address": 60.0, "page": 30.0, "agent": 60.0, "app": 60.0}
#: For this many seconds after a read first finds a part missing, a running workspace is read as often as one
#: that is starting.
MAX_LATE_SECONDS: Final = 600.0
#: Parts that a workspace needs before anyone can open it. Any other part may be there without Usher seeing
#: it, so a workspace that seems to lack one may still work.
UNUSABLE: Final[frozenset[Lack]] = frozenset({"agent", "app"})

UNTRUSTED_PAGE: Final = (
    "I can't check its page, as the certificate there isn't trusted here. Ask your Usher admin to look at it."
)


def is_awaited(lacks: Lack | None, lacks_since: float | None, at: float) -> bool:
    """Return whether a start should keep waiting for the part that a workspace lacked in a read at ``at``."""
    if lacks is None:
        return False
    return lacks_since is None or at - lacks_since < PATIENCE_SECONDS[lacks]


def is_late(lacks_since: float | None, now: float) -> bool:
    """Return whether something has been missing only for minutes, so that the workspace is read often."""
    return lacks_since is not None and now - lacks_since < MAX_LATE_SECONDS


def find_lack_start(lacks: Lack | None, before: Lack | None, since: float | None, at: float) -> float | None:
    """Return when a workspace began to lack something, given a read at ``at``, or None if it lacks nothing.

    ``before`` is what it lacked until that read, and ``since`` is when it began to lack that.
    """
    if lacks is None:
        return None
    return at if before is None else since

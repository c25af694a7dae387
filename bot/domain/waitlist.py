"""The waitlist: which kind of capacity a start lacked, and how long to wait for it. Pure functions."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from bot.domain.failure_causes import Reason, find_reason, find_scarce_resources
from bot.domain.people import Principal
from bot.domain.row_times import Past, Stays

#: How long to wait after each failed attempt, in seconds. The last value applies to all further attempts.
PAUSE_SECONDS: Final = (60.0, 120.0, 300.0, 600.0)
#: Minimum number of seconds between two attempts to get the same kind of capacity.
MIN_PAUSE_SECONDS: Final = 60.0
#: How long, in seconds, a workspace may remain unused after it got capacity for which others are waiting. Its
#: owner is then warned, and after another ``ANSWERED_WITHIN_SECONDS`` the workspace is stopped. If the stop
#: would be irreversible, Usher only asks whether the workspace is still needed.
UNUSED_SECONDS: Final = 1_800.0
ANSWERED_WITHIN_SECONDS: Final = 600.0
#: Hours of the day. If the user doesn't say when a wait should end, it ends at the first of these hours that
#: is at least ``MIN_WAIT_SECONDS`` away.
END_HOURS: Final = (9, 18)
MIN_WAIT_SECONDS: Final = 3_600.0


class WaitlistState(StrEnum):
    """The states of a waitlist entry: in line, being tried, granted but not yet used, and over."""

    WAITING = "waiting"
    TRYING = "trying"
    GRANTED = "granted"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class WaitlistEntry:
    """A user who is waiting for capacity for a workspace.

    The place in line isn't stored. Among the entries for the same ``kind`` of capacity on the connection, it
    depends first on ``round``, the number of rounds in which the user has had a turn, and then on ``seq``.
    ``mode`` is how the workspace is stopped if nobody uses it, or "" if it isn't stopped.
    """

    id: str
    principal: Principal
    connection: str
    workspace_id: str
    kind: str
    seq: int
    joined_at: Past
    expires_at: Stays
    state: WaitlistState = WaitlistState.WAITING
    attempts: int = 0
    attempted_at: Past | None = None
    operation_id: str | None = None
    mode: str = ""
    granted_at: Past | None = None
    ended_at: Past | None = None
    round: int = 0

    @property
    def is_missing_kind_known(self) -> bool:
        """Return whether it is known, from an attempt, which kind of capacity is missing."""
        is_tried = self.attempted_at is not None and self.state is not WaitlistState.TRYING
        return self.kind != "room" or self.attempts > 0 or is_tried

    @property
    def is_waiting(self) -> bool:
        """Return whether the user is still waiting."""
        return self.granted_at is None and self.ended_at is None


def find_missing_capacity(cause: str | None) -> str:
    """Return the kind of capacity that a start lacked, or "" if it failed for another reason.

    Signs of missing capacity, by provider:

    - Kubernetes, and so Saturn Cloud, JupyterHub's KubeSpawner and Posit's launcher there: the scheduler's
      "Insufficient nvidia.com/gpu", "Insufficient memory" (its ``FailedScheduling`` events, kubernetes.io,
      "Assign Memory Resources"). A pod that is waiting for an autoscaler hasn't been refused, so its start
      continues. A time-out alone says nothing about capacity (KubeSpawner's ``start_timeout``).
    - JupyterHub: 429 without Retry-After is ``active_server_limit`` ("Spawn requests will be rejected with a
      429 error", jupyterhub.readthedocs.io, "Application configuration"), verified with 6.1.1. With
      Retry-After, too many are starting at once; ``named_server_limit_per_user`` is the user's own limit.
    - Posit Workbench: errors 15 and 16 of the API, the sessions and users of a licence that may be floating
      (docs.posit.co, "Floating Licensing"); 20 is a limit of the user's own profile.
    - Clouds, through Coder: no machine of a kind, or an account's quota. A namespace's quota, "exceeded
      quota: …", is the user's own limit.
    - Slurm: "Requested nodes are busy" waits in its own queue; ``QOSMax…`` and ``AssocGrp…`` are quotas.
    - Sphere Engine: 402 and 403 for a start mean the account's limit. This is assumed, as neither is
      documented.
    """
    if (cause or "").partition(":")[0] != "no_room":
        return ""
    said = (cause or "").partition(":")[2].lstrip(":")
    short, reason = find_scarce_resources(said), find_reason(said)
    if reason is Reason.NO_GPU:
        return "gpu"
    if "licen" in said.casefold():
        return "license"
    return short[0] if reason is Reason.NO_ROOM and short else "room"


def lacks_reason(cause: str | None) -> bool:
    """Return whether a failure gives no reason for the failed attempt. Outages and time-outs don't."""
    word, _, said = (cause or "").partition(":")
    if word == "provider_failed":
        return not said or find_reason(said) is Reason.SLOW
    # A start becomes stale if its provider is too busy for so long that the time to start passes.
    return word in {"conflict", "gave_up", "stale", "unanswered"}


class OthersInLine(NamedTuple):
    """The other people in line for the same capacity.

    ``lowest`` and ``highest`` are their lowest and highest rounds, and ``fewest`` is the smallest number of
    attempts that any of them has made.
    """

    lowest: int | None = None
    highest: int = 0
    fewest: int | None = None

    @property
    def entry_round(self) -> int:
        """Return the round that a newcomer joins. People who still have a turn in it come first."""
        return self.lowest or 0

    def find_round(self, own: int) -> int:
        """Return the round that a user rejoins. Meanwhile, others may have had their turns or left."""
        return min(max(own, self.entry_round), self.highest)

    def end_turn(self, own: int) -> int:
        """Return the next round for a user who has just had a turn, so that the others come first."""
        return (own if self.lowest is None else min(own, self.lowest)) + 1

    def pause_after(self, attempts: int) -> float:
        """Return how many seconds to wait before the next attempt of a user who has made ``attempts`` so far.

        If someone else in line has made fewer attempts, the wait is computed from that number instead.
        """
        return get_pause(attempts if self.fewest is None else min(attempts, self.fewest))


def get_pause(attempts: int) -> float:
    """Return how many seconds to wait before the next attempt, given the number of failed ones."""
    return PAUSE_SECONDS[min(attempts, len(PAUSE_SECONDS) - 1)]


def get_default_end(now: float, zone: ZoneInfo) -> float:
    """Return when a wait ends by default: at the next 9:00 or 18:00 that is at least an hour away."""
    today = datetime.fromtimestamp(now, zone).date()
    days = (today, today + timedelta(days=1))
    ends = [datetime.combine(day, time(hour), zone).timestamp() for day in days for hour in END_HOURS]
    return next(end for end in ends if end >= now + MIN_WAIT_SECONDS)


class WaitlistFacts(NamedTuple):
    """A wait for capacity, and the names of its workspace and connection.

    ``ahead`` is the number of people ahead in this round. ``tried_before`` is how many of the ``others`` have
    already had their turn in it.
    """

    entry: WaitlistEntry
    name: str
    title: str
    ahead: int = 0
    tried_before: int = 0
    others: int = 0
    is_held: bool = False
    is_refused: bool = False

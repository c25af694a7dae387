"""Working hours that have begun: when they will stop a workspace, and whether to retry a failed start."""

from collections.abc import Collection
from typing import Final

from bot.domain.hours import ON_TIME_SECONDS, HoursRule, Occurrence, Side
from bot.domain.operations import Operation, OperationVerb
from bot.domain.work_items import Outcome

#: How far ahead to look, in seconds, for the stop that ends the current working hours, and how far back for
#: the start that began them. A day is enough, because working hours last at most a day.
DAY_SECONDS: Final = 86_400.0
#: How far ahead to look, in seconds, for a planned stop. If there is one, the owner of a workspace that was
#: left running isn't asked whether it is still needed.
STOP_AHEAD_SECONDS: Final = 86_400.0
#: How long, in seconds, a workspace is assumed to be needed after working hours have started it. Used only
#: for hours without a stop.
_OPEN_SECONDS: Final = 12 * 3600.0
#: Delay before a failed start is retried, in seconds.
RETRY_SECONDS: Final = 60.0
#: Causes of failed starts that point to a lack of capacity, which may be temporary.
ROOM_CAUSES: Final = frozenset({"limit", "no_room"})
_ONCE_MORE: Final = frozenset({"conflict", "stopped_elsewhere"})
_PASSING: Final = ROOM_CAUSES | _ONCE_MORE | {"gave_up", "provider_failed", "unanswered"}


def need_workspace(rules: Collection[HoursRule], at: float) -> bool:
    """Return whether the owner's working hours require the workspace to run after this time."""
    own = [one for one in rules if not one.paused]
    return any(
        (one.stops is None and bool(one.between(at - _OPEN_SECONDS, at))) or one.is_on(at) for one in own
    )


def find_begun_stop(rules: Collection[HoursRule], now: float) -> tuple[Occurrence, HoursRule] | None:
    """Return the next stop of the working hours in progress, and its rule. None if there is no such stop."""
    begun = [(stop, rule) for rule in rules if rule.is_on(now) for stop in _list_unsettled(rule, now)[:1]]
    begun = [pair for pair in begun if pair[0].side == "stop"]
    if not begun and has_begun(rules, now):
        coming = [(one, rule) for rule in rules for one in _list_unsettled(rule, now)]
        begun = [pair for pair in sorted(coming, key=_get_occurrence)[:1] if pair[0].side == "stop"]
    return min(begun, key=_get_occurrence, default=None)


def has_begun(rules: Collection[HoursRule], now: float) -> bool:
    """Return whether working hours are in progress."""
    active = [one for one in rules if not one.paused]
    past = sorted(one for rule in active for one in rule.between(now - DAY_SECONDS, now))
    return any(rule.is_on(now) for rule in active) or (bool(past) and past[-1].side == "start")


def has_end(rules: Collection[HoursRule], at: float, now: float) -> bool:
    """Return whether working hours will stop a workspace even without its stop planned for ``at``."""
    start, stop = (_find_first(rules, side, now) for side in ("start", "stop"))
    return stop is not None and (start is None or start[0].at > stop[0].at or start[0].at <= at)


def _find_first(rules: Collection[HoursRule], side: Side, now: float) -> tuple[Occurrence, HoursRule] | None:
    """Return the first start or stop that is still to come in the next 24 hours, and its rule."""
    coming = [(one, rule) for rule in rules for one in _list_unsettled(rule, now) if one.side == side]
    return min(coming, key=_get_occurrence, default=None)


def _get_occurrence(pair: tuple[Occurrence, HoursRule]) -> Occurrence:
    return pair[0]


def _list_unsettled(rule: HoursRule, now: float) -> list[Occurrence]:
    return [] if rule.paused else rule.between(max(now, rule.processed_until), now + DAY_SECONDS)


def tries_again(start: Operation, plan: Occurrence, now: float, *, is_own: bool) -> bool:
    """Return whether to retry a planned start that failed, because its cause may be temporary.

    If there was no capacity, the start is retried until it would be too late. If the user made the plan
    (``is_own``), they join the waitlist instead. After a conflict, or after someone else stopped the
    workspace, it is retried once. After any other failure, it is retried only until the planned time begins.
    A failed creation is never retried.
    """
    word, is_first = (start.cause or "").partition(":")[0], start.created_at <= plan.at + ON_TIME_SECONDS
    goes_on = (word in ROOM_CAUSES and not is_own) or (word in _ONCE_MORE and is_first)
    latest = plan.latest_start if goes_on else plan.at - RETRY_SECONDS
    is_passing = start.verb is OperationVerb.START and start.outcome is Outcome.FAILED and word in _PASSING
    return is_passing and now + RETRY_SECONDS < latest

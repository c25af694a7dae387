"""Ends: which of a workspace's ends counts; pure.

A workspace is stopped once, however many lessons, classes and hours end in it: at the time that this table
gives. What its person set last, knowing of the others, wins; of what is left the latest does,
so that the end of one class stops nobody in another, but for what isn't used while somebody waits for it.
With one timer, whoever joined a course shortly before a lesson was stopped in the middle of it, by the hour
of their first look.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from bot.domain.hours import Occurrence, Rule, Side
from bot.domain.stops import End, StopMode
from bot.domain.workspaces import Workspace

#: What goes without saying once its person has named a time.
_BY_ITSELF: Final = frozenset({"hours", "needed"})
#: What comes within a day is ahead: no day of hours is longer.
DAY_SECONDS: Final = 86_400.0
#: What others take part in.
_SHARED_REASONS: Final = frozenset({"class", "lesson", "look"})
#: How long before the end of a lesson hours that only start have to come for the workspace to go on.
_LONGEST: Final = 12 * 3600.0
#: What runs and has no stop within this many seconds is asked about.
STOP_AHEAD_SECONDS: Final = 86_400.0


def that_counts(ends: Collection[End], rules: Collection[Rule], agreed_at: float) -> End | None:
    """Return the end that counts; None if there is none, or hours of the person's own go on.

    An own end counts, earlier or later, if it was set since ``agreed_at``, when they last joined a class or a
    course. Otherwise the latest does, and a lesson that begins before an end puts that off to its own.
    ``rules`` are those of the workspace that aren't paused.
    """
    # Who may only start something says nothing of what else is to stop it.
    own = next((one for one in ends if one.because == "own" and not (one.start and len(ends) > 1)), None)
    unused = next((one for one in ends if one.because == "room"), None)
    if unused is not None and not any(
        one.because in _SHARED_REASONS or one.since > unused.since for one in ends
    ):
        # Somebody waits for it who would use it, so it isn't kept until its hours end.
        ends = (unused if own is None or own.at > unused.at else own,)
    elif own is not None and own.since >= agreed_at:
        return own
    others = [one for one in ends if one.because != "own" and not (own and one.because in _BY_ITSELF)]
    among = [*others, *(one for one in ends if one is own)]
    # What else is to stop it says for how long it is needed.
    latest = max(among, key=lambda one: (one.because != "needed", one.at), default=None)
    while latest is not None and (later := _put_off(latest, rules)) is not None:
        latest = later
    if latest is not None and latest.because == "lesson" and any(_goes_on(one, latest.at) for one in rules):
        return None
    return latest


def _put_off(end: End, rules: Collection[Rule]) -> End | None:
    """Return the end of a lesson that begins before an end, or just then, and ends later."""
    for rule in rules:
        coming = rule.after(end.at) if rule.card else None
        begin = None if coming is None else rule.begin(coming)
        if begin is not None and begin.side == "start" and begin.due_at <= end.at:
            return replace(of_lesson(rule, begin.until, end.mode), start=end.start)
    return None


def of_lesson(rule: Rule, until: float, mode: StopMode, start: str = "") -> End:
    """Return the end of a lesson."""
    return End(until, mode, rule.agreed, True, "lesson", rule.id, rule.course, until, start=start)


def _goes_on(rule: Rule, at: float) -> bool:
    """Return whether hours of a person's own need the workspace beyond a time."""
    only_starts = rule.stops is None and bool(rule.between(at - _LONGEST, at))
    return not rule.card and (only_starts or rule.is_on(at))


# -- what hours have begun -----------------------------------------------------------------------------------


def find_next_stop(workspace: Workspace, rules: Collection[Rule], now: float) -> float | None:
    """Return the next stop ahead of a workspace, None if nothing stops it.

    It is the end that counts, else the next stop of its person's hours; or the provider's own end, if that
    comes before. A lesson stops only what it has started, and has planned that by then.
    """
    planned = workspace.stop_at
    if planned is None:
        stops = [one.next_stop(now) for one in rules if not one.card]
        planned = min((at for at in stops if at is not None), default=None)
    own = workspace.ends_at if workspace.ends_at is not None and workspace.ends_at > now else None
    return min((at for at in (planned, own) if at is not None), default=None)


def find_begun_stop(rules: Collection[Rule], now: float) -> tuple[Occurrence, Rule] | None:
    """Return the coming stop of hours that have begun, and the rule that plans it.

    One rule may start a workspace and another one stop it.
    """
    begun = [(stop, rule) for rule in rules if rule.is_on(now) for stop in _list_unsettled(rule, now)[:1]]
    begun = [pair for pair in begun if pair[0].side == "stop"]
    if not begun and has_begun(rules, now):
        coming = [(one, rule) for rule in rules for one in _list_unsettled(rule, now)]
        begun = [pair for pair in sorted(coming, key=_get_occurrence)[:1] if pair[0].side == "stop"]
    return min(begun, key=_get_occurrence, default=None)


def has_begun(rules: Collection[Rule], now: float) -> bool:
    """Return whether hours have started a workspace, or found it up, and their stop is still to come."""
    active = [one for one in rules if not (one.card or one.paused)]
    past = sorted(one for rule in active for one in rule.between(now - DAY_SECONDS, now))
    return any(rule.is_on(now) for rule in active) or (bool(past) and past[-1].side == "start")


def has_end(rules: Collection[Rule], at: float, now: float) -> bool:
    """Return whether hours still plan an end for the run that was to be stopped at a time.

    That is by the stop that comes next, or by a later one of hours that go on from there.
    """
    start, stop = (_find_first(rules, side, now) for side in ("start", "stop"))
    return stop is not None and (start is None or start[0].at > stop[0].at or start[0].at <= at)


def has_stop_at(rules: Collection[Rule], at: float) -> bool:
    """Return whether hours plan a stop for exactly a time, whether or not it is settled."""
    active = [one for one in rules if not (one.card or one.paused)]
    return any(one.at == at and one.side == "stop" for rule in active for one in rule.between(at - 1.0, at))


def _find_first(rules: Collection[Rule], side: Side, now: float) -> tuple[Occurrence, Rule] | None:
    """Return the first unsettled start or stop of hours within a day, with its rule."""
    coming = [(one, rule) for rule in rules for one in _list_unsettled(rule, now) if one.side == side]
    return min(coming, key=_get_occurrence, default=None)


def _get_occurrence(pair: tuple[Occurrence, Rule]) -> Occurrence:
    return pair[0]


def _list_unsettled(rule: Rule, now: float, seconds: float = DAY_SECONDS) -> list[Occurrence]:
    """Return the unsettled occurrences of a person's own active hours in the seconds to come."""
    return [] if rule.card or rule.paused else rule.between(max(now, rule.settled_at), now + seconds)

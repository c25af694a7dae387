"""The waitlist: who is waiting for each kind of capacity on a connection, and how each attempt ended."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import Operation
from bot.domain.people import Principal
from bot.domain.waitlist import (
    MIN_PAUSE_SECONDS,
    OthersInLine,
    WaitlistEntry,
    WaitlistFacts,
    WaitlistState,
    find_missing_capacity,
    get_default_end,
    get_pause,
    lacks_reason,
)
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.store import cards, people
from bot.store.notices import add_notices
from bot.store.queues import Queue, declare_queue
from bot.store.tables import ACCOUNTS, WAITLIST_ENTRIES, WORKSPACES
from bot.store.transaction import Row, Transaction

MAX_WAITS_AT_ONCE: Final = 100
#: If a stopped workspace has freed capacity, the next start for a person on the waitlist is tried at the
#: earliest this many seconds after their last one failed. If a run has ended instead, ``RUN_PAUSE_SECONDS``
#: applies, because runs end often but rarely free the capacity that people are waiting for.
STOP_PAUSE_SECONDS: Final = 60.0
RUN_PAUSE_SECONDS: Final = 300.0


def find_entry(tx: Transaction, wait_id: str) -> WaitlistEntry | None:
    """Return a waitlist entry by its id, even if it has ended."""
    return WAITLIST_ENTRIES.one(tx, id=wait_id)


def find_entry_of_workspace(tx: Transaction, workspace_id: str) -> WaitlistEntry | None:
    """Return a workspace's open waitlist entry."""
    return WAITLIST_ENTRIES.one(tx, workspace_id=workspace_id, ended_at=None)


def list_entries(tx: Transaction, principal: Principal) -> list[WaitlistEntry]:
    """Return a person's open waitlist entries, in the order in which the person joined."""
    return WAITLIST_ENTRIES.query(tx, "entries_of_person", principal=principal.key)


def find_last_entry(tx: Transaction, principal: Principal, since: float) -> WaitlistEntry | None:
    """Return a person's waitlist entry that ended last, unless it ended before a given time."""
    return WAITLIST_ENTRIES.first(tx, "last_wait", principal=principal.key, since=since)


def describe(tx: Transaction, of: WaitlistEntry, title: str, failures_allowed: float) -> WaitlistFacts:
    """Return the facts shown about a waitlist entry, including the person's place in line."""
    workspace = WORKSPACES.one(tx, id=of.workspace_id)
    account = ACCOUNTS.first(tx, "account", principal=of.principal.key, connection=of.connection)
    return WaitlistFacts(
        entry=of,
        name=workspace.title if workspace is not None else "",
        title=title,
        **count_places(tx, of),
        is_held=count_failures_in_a_row(tx, of.connection) >= failures_allowed,
        is_refused=account is not None and account.is_refused,
    )


def describe_wait(tx: Transaction, wait_id: str, title: str, failures_allowed: float) -> WaitlistFacts | None:
    """Return the facts shown about the waitlist entry with this id, or None if it no longer exists."""
    found = find_entry(tx, wait_id)
    return None if found is None else describe(tx, found, title, failures_allowed)


def count_places(tx: Transaction, of: WaitlistEntry) -> dict[str, int]:
    """Count the ``others`` in a waitlist entry's line, and how many of them are ``ahead`` of the entry.

    ``tried_before`` is the number of people who have already had their turn in the entry's round.
    """
    place = {"connection": of.connection, "kind": of.kind, "round": of.round, "seq": of.seq, "id": of.id}
    (row,) = tx.all("count_places", **place)
    return {name: int(number) for name, number in row.items()}


def find_others(tx: Transaction, of: WaitlistEntry) -> OthersInLine:
    """Return a summary of the other people who are waiting for the same capacity."""
    (row,) = tx.all("others_in_line", connection=of.connection, kind=of.kind, id=of.id)
    return OthersInLine(**row)


def summarize_lines(tx: Transaction, since: float) -> list[Row]:
    """Return a summary of each line.

    It shows how many people are waiting, since when, and how long the people who recently got the capacity
    had waited on average.
    """
    return tx.all("lines", since=since)


def count_failures_in_a_row(tx: Transaction, connection: str) -> int:
    """Return how many starts on a connection have failed in a row, up to now."""
    (row,) = tx.all("failed_in_a_row", connection=connection)
    return int(row["count"])


def count_attempts(tx: Transaction, connection: str) -> int:
    """Return how many attempts on a connection are in progress, whatever the kind of capacity."""
    (row,) = tx.all("attempts_under_way", connection=connection)
    return int(row["count"])


def join(tx: Transaction, new: WaitlistEntry) -> WaitlistEntry:
    """Put a person at the end of the current round.

    Rejoining doesn't give a second turn in the same round.
    """
    tx.be_alone()
    others = find_others(tx, new)
    former = [
        one.round for one in WAITLIST_ENTRIES.all(tx, workspace_id=new.workspace_id) if one.kind == new.kind
    ]
    entry = others.find_round(max(former, default=others.entry_round))
    (last,) = tx.all("next_in_line")
    joined = replace(new, seq=int(last["seq"]), round=entry)
    _reduce_pauses(tx, joined)
    WAITLIST_ENTRIES.add(
        tx, joined, next_at=min(max(tx.now(), (new.attempted_at or 0.0) + MIN_PAUSE_SECONDS), new.expires_at)
    )
    _queue_updates_of_places(tx, joined)
    return joined


def _reduce_pauses(tx: Transaction, newcomer: WaitlistEntry) -> None:
    """Shorten the pauses between a line's attempts to the pause that applies to a newcomer."""
    pause = get_pause(newcomer.attempts)
    tx.run("hasten_line", connection=newcomer.connection, kind=newcomer.kind, pause=pause)


def pass_turn(tx: Transaction, of: WaitlistEntry, pause: float) -> None:
    """End a person's turn, because no attempt is possible for them now.

    Their next turn begins after a pause.
    """
    if of.state in {WaitlistState.WAITING, WaitlistState.TRYING}:
        later = {"round": find_others(tx, of).end_turn(of.round), "next_at": tx.now() + pause}
        change(tx, of, state=WaitlistState.WAITING, operation_id=None, **later)
        # The message about the wait says why no attempt is possible.
        cards.queue_updates(tx, of.id, changed=True)


def is_gone_since(tx: Transaction, of: WaitlistEntry) -> bool:
    """Return whether an entry's workspace has disappeared since the person joined the waitlist."""
    row = WORKSPACES.row(tx, id=of.workspace_id)
    return row is not None and row["state"] == State.GONE and (row["gone_at"] or 0.0) > of.joined_at


def change(tx: Transaction, of: WaitlistEntry, **to: Any) -> bool:
    """Change a waitlist entry, unless its state has changed in the meantime.

    Return whether it was changed.
    """
    tx.be_alone()
    row = WAITLIST_ENTRIES.change_returning(tx, {"id": of.id, "state": of.state}, **to)
    if row is not None:
        _queue_updates_of_places(tx, WAITLIST_ENTRIES.parse(row), former=of)
    return row is not None


def _queue_updates_of_places(tx: Transaction, of: WaitlistEntry, former: WaitlistEntry | None = None) -> None:
    """Redraw the messages that show places in the line of an entry, and in its ``former`` line.

    From the second round on, messages don't show a place, because the place would change with each attempt.
    Such messages are redrawn only when people join or leave.
    """
    is_over, former = of.state in {WaitlistState.GRANTED, WaitlistState.OVER}, former or replace(of, kind="")
    is_changed = is_over or of.kind != former.kind or (of.attempts != former.attempts and of.attempts <= 2)
    for kind in {of.kind, former.kind} - {""} if is_changed else ():
        tx.run("update_places", connection=of.connection, kind=kind, limit=MAX_WAITS_AT_ONCE)
    if is_changed or of.expires_at != former.expires_at:
        cards.queue_updates(tx, of.id, changed=True)


def extend(tx: Transaction, of: WaitlistEntry, until: float) -> WaitlistEntry:
    """Change when a person's wait ends. Their place in line stays the same."""
    row = WAITLIST_ENTRIES.row(tx, id=of.id) or {"next_at": until}
    change(tx, of, expires_at=until, next_at=min(row["next_at"], until))
    return replace(of, expires_at=until)


def end(tx: Transaction, of: WaitlistEntry) -> None:
    """End a waitlist entry without a message, because its owner already knows or is told another way."""
    change(tx, of, state=WaitlistState.OVER, ended_at=tx.now())


def announce(of: WaitlistEntry, short_of: str, cause: str | None) -> NewNotice:
    """Return the notice that tells a person their place in line after their first failed attempt."""
    body = {"workspace": of.workspace_id, "connection": of.connection, "room": short_of, "cause": cause}
    return NewNotice(of.id, NoticeKind.WAITLIST_PLACE, "begin", of.principal, body)


def build_over_notice(of: WaitlistEntry, now: float, tx: Transaction, cause: str = "") -> NewNotice:
    """Return the notice that tells a person that their wait has ended without success."""
    zone = people.find_zone(tx, of.principal)
    again = get_default_end(now, zone)
    body = {
        "workspace": of.workspace_id,
        "connection": of.connection,
        "kind": of.kind,
        "until": of.expires_at,
    }
    body |= {"again": again, "cause": cause, "attempts": of.attempts}
    return NewNotice(of.id, NoticeKind.WAITLIST_ENDED, "end", of.principal, body)


def close(tx: Transaction, of: WaitlistEntry, cause: str = "") -> None:
    """End a waitlist entry and tell its owner why. Without a ``cause``, the reason is that its time is up."""
    end(tx, of)
    add_notices(tx, [build_over_notice(of, tx.now(), tx, cause)])


def unlink(tx: Transaction, workspace: Row, notify: bool) -> None:
    """End a workspace's waitlist entry, because its account was unlinked and its row is being deleted."""
    waiting = find_entry_of_workspace(tx, workspace["id"])
    if waiting is None or waiting.state is WaitlistState.GRANTED:
        return
    end(tx, waiting)
    if notify:
        notice = build_over_notice(waiting, tx.now(), tx, "unlinked")
        name = workspace["alias"] or workspace["name"]
        add_notices(tx, [replace(notice, body=notice.body | {"name": name})])


def offer_capacity(tx: Transaction, connection: str, pause: float) -> None:
    """Offer a connection's freed capacity to the people who are waiting for it, in turn.

    After a failed attempt, the same person isn't tried again for at least ``pause`` seconds. If a stopped
    workspace has freed the capacity, attempts that are in progress may still fail, because they were sent
    before that. After such a failure, the pause is only ``STOP_PAUSE_SECONDS``.
    """
    tx.be_alone()
    if pause == STOP_PAUSE_SECONDS:
        tx.run("discount_attempts", connection=connection)
    tx.run("offer_room", connection=connection, now=tx.now(), pause=pause, limit=MAX_WAITS_AT_ONCE)


WAIT_QUEUE: Final = declare_queue(
    Queue(
        name="waitlist_entries",
        kind="wait",
        is_scheduled=True,
        table="waitlist_entries",
        due="next_at",
        where="ended_at IS NULL",
        only="{has_turn}",
        order="next_at, id",
    )
)


def follow_attempt(tx: Transaction, ended: Operation, pending: Sequence[NewNotice]) -> Sequence[NewNotice]:
    """Continue or end a workspace's waitlist entry after its operation has ended. Return the notices to send.

    If an operation failed for lack of capacity and its owner isn't on the waitlist, the notice offers the
    waitlist.
    """
    is_failed, now = ended.outcome is Outcome.FAILED and not ended.verb.brings_down, tx.now()
    kind = find_missing_capacity(ended.cause) if is_failed else ""
    waiting = find_entry_of_workspace(tx, ended.workspace_id)
    if kind and (waiting is None or waiting.state is WaitlistState.GRANTED):
        offer = {"room": kind, "until": get_default_end(now, people.find_zone(tx, ended.principal))}
        return [replace(one, body=one.body | offer) for one in pending]
    if waiting is None or waiting.state is WaitlistState.GRANTED:
        return pending
    if kind or (is_failed and lacks_reason(ended.cause)):
        return record_failure(tx, waiting, now, kind, ended.cause)
    if ended.outcome is Outcome.FULFILLED and not ended.verb.brings_down:
        record_grant(tx, waiting, now)
        granted = {"granted": waiting.mode, "waited_for": waiting.kind}
        return [replace(one, body=one.body | granted) for one in pending]
    end(tx, waiting)
    if any(one.kind is NoticeKind.FAILED for one in pending):
        # The notice of the failed start also says that the wait is over.
        return [replace(one, body=one.body | {"waited": waiting.kind}) for one in pending]
    return [*pending, build_over_notice(waiting, now, tx, ended.cause or "cancelled")]


def record_failure(
    tx: Transaction, of: WaitlistEntry, at: float, kind: str, cause: str | None = None
) -> Sequence[NewNotice]:
    """Record a failed attempt, which ends the person's turn. Return the notices to send to the person.

    After the first failed attempt, the person is told their place in line. Usually, a message that they
    already have shows it. If there is none (for example, because an ephemeral answer can't be edited), they
    are sent a notice. ``kind`` is the kind of capacity that was missing, or "" if that isn't known. If the
    person was waiting for another kind, they change lines.
    """
    tried = replace(of, kind=kind or of.kind, attempts=of.attempts + 1, attempted_at=at)
    if at >= of.expires_at:
        end(tx, of)
        return [build_over_notice(tried, at, tx)]
    others, stays = find_others(tx, tried), tried.kind == of.kind
    if not stays:
        _reduce_pauses(tx, tried)
    now: Row = {"round": others.end_turn(of.round) if stays else others.entry_round, "operation_id": None}
    pause = STOP_PAUSE_SECONDS if of.attempted_at is None else others.pause_after(tried.attempts)
    now["next_at"] = min(at + pause, of.expires_at)
    known = {"kind": tried.kind, "attempts": tried.attempts, "attempted_at": at}
    change(tx, of, state=WaitlistState.WAITING, **known, **now)
    return [] if of.attempts or cards.is_shown(tx, of.id) else [announce(of, kind, cause)]


def record_grant(tx: Transaction, of: WaitlistEntry, now: float) -> None:
    """Record that a person got the capacity that they were waiting for."""
    change(
        tx, of, state=WaitlistState.GRANTED, granted_at=now, attempted_at=now, next_at=now + MIN_PAUSE_SECONDS
    )

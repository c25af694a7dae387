"""Checks of what must hold in every history: after each step, and once everything has settled."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from bot.domain.notices import Mark, NoticeKind
from bot.domain.workspaces import State
from bot.store import audit
from bot.store.tables import parse_enum
from playground.demo.person import buttons
from tests.invariants.life import PEOPLE, Life
from tests.invariants.provider import Start, number_of
from tests.rigs.drawn import as_shown

_IDE = re.compile(r"/ide/(\w+)")
_CANARY = re.compile(r"canary_\w+")
#: Log events that mean a bug was caught by the last handler for it.
_FAULTS = re.compile(r"failed unexpectedly|(step|read|task|timer|notice|card|home|loop) failed")
_REPLIES = "reply"


def at_any_time(life: Life) -> None:
    """Check I3, I5 and I8, that nothing was sent twice, and that no call used another person's token."""
    assert all(gap >= 10.0 for gap in life.moves.gaps()), f"I8: {min(life.moves.gaps())}"
    assert life.moves.strangers == []
    doubled = [key for key, count in Counter(life.slack.sent()).items() if count > 1]
    assert doubled == [], f"told twice: {doubled}"
    for call in life.moves.calls:
        until = life.ended.get(call.token)
        # The only call still allowed is the one that revokes the credential.
        is_over = until is not None and call.at > until and call.method != "revoke"
        assert not is_over, f"I5: {call} after {until}"
    for user_id, text in _seen(life):
        name = next((name for name, principal in PEOPLE.items() if principal.user_id == user_id), "")
        for place in _IDE.findall(text):
            assert name in life.moves.owners.get(place, ()), f"I3: {name or 'everybody'} sees {place}"
        assert not _CANARY.search(text), f"I7: {text}"


def _seen(life: Life) -> Iterator[tuple[str, str]]:
    """Yield pairs of the person who saw a message, and its text. The name is empty if everybody saw it."""
    for message in life.slack.messages:
        yield str(message["channel"]).removeprefix("D"), json.dumps(message)
    for message in life.slack.ephemerals:
        yield str(message["user"]), json.dumps(message)
    for url, body in life.http.posts:
        yield url.rpartition("/")[2], json.dumps(body)
    for user_id, (_, view) in life.slack.homes.items():
        yield user_id, json.dumps(view)
    for principal, answer in life.answers:
        yield principal.user_id, json.dumps(as_shown(answer))


async def one_start_per_operation(life: Life) -> None:
    """I1: check that each start at the provider belongs to one operation, and no operation has two.

    There is an exception: if another person stopped a shared workspace after a start of unknown outcome, it
    looks as if that start had never happened.
    """
    for row in await life.rows("SELECT id, remote_id FROM workspaces"):
        life.places[row["id"]] = row["remote_id"]
    operations = await life.rows(
        "SELECT * FROM operations WHERE verb IN ('start', 'restart') ORDER BY created_at"
    )
    last: dict[str, Start] = {}
    for start in life.moves.starts:
        asked = [
            operation["id"]
            for operation in operations
            if life.places.get(operation["workspace_id"]) == start.remote_id
            and operation["principal"] == PEOPLE[start.username].key
            and number_of(operation["id"]) < start.number
        ]
        assert asked, f"nobody asked for {start}"
        first = last.get(asked[-1])
        assert first is None or _is_stopped_by_another(life, first, start), (
            f"I1: {asked[-1]}: {first}, {start}"
        )
        last[asked[-1]] = start


def _is_stopped_by_another(life: Life, first: Start, second: Start) -> bool:
    """Return whether another person's stop was called between two starts of a workspace."""
    return any(
        call.method == "stop"
        and call.remote_id == first.remote_id
        and call.username != first.username
        and first.at <= call.at <= second.at
        for call in life.moves.calls
    )


async def each_their_own(life: Life) -> None:
    """I4: check that operations are only for workspaces of the same person."""
    theirs = await life.rows(
        "SELECT operations.id, operations.verb FROM operations JOIN workspaces"
        " ON workspaces.id = operations.workspace_id WHERE operations.principal != workspaces.principal"
    )
    assert theirs == [], f"I4: {theirs}"


async def nothing_left_of_ended(life: Life) -> None:
    """I5: check that no unlinked account is left, except those that are still being revoked."""
    left = await life.rows(
        "SELECT id, state FROM accounts WHERE state != 'revoking' AND id IN ("
        "SELECT json_extract(detail, '$.account') FROM audit"
        " WHERE action = 'account.unlinked' AND result = 'ok')"
    )
    assert left == [], f"I5: {left} stayed"


async def made_once(life: Life, operations: list[dict[str, Any]]) -> None:
    """I9: check that each creation made at most one workspace, and that stopped or removed ones are down."""
    latest = {operation["workspace_id"]: operation for operation in operations}
    creations = {
        operation["workspace_id"]: operation for operation in operations if operation["verb"] == "create"
    }
    for key, made in life.moves.made.items():
        assert len(made) == 1, f"I9: {key} made {made}"
        assert key in creations, f"I9: nobody asked for {made}"
    for key, operation in creations.items():
        assert operation["outcome"] != "fulfilled" or key in life.moves.made, (
            f"I9: {operation} came of nothing"
        )
        told = latest[key]
        if told["outcome"] == "fulfilled" and told["verb"] in ("stop", "suspend", "force", "remove"):
            up = [
                remote_id
                for remote_id in life.moves.made.get(key, ())
                if remote_id in life.moves.machines
                and life.moves._moved(remote_id).state in (State.RUNNING, State.STARTING)
            ]
            assert up == [], f"I9: {up} is up after {told}"
            gone = told["verb"] != "remove" or not set(life.moves.made.get(key, ())) & set(
                life.moves.machines
            )
            assert gone, f"I9: {told} left it there"


async def at_the_end(life: Life, logs: list[Any]) -> None:
    """I2, I6 and I7: check that every operation ended, no secret is stored or logged, and no work is left."""
    operations = await life.rows("SELECT * FROM operations ORDER BY created_at")
    for operation in operations:
        assert operation["outcome"] is not None, f"I2: {operation}"
        if operation["outcome"] == "replaced":
            mine = [each["id"] for each in operations if each["workspace_id"] == operation["workspace_id"]]
            assert mine[-1] != operation["id"], f"I2: replaced by nothing: {operation}"
    known = Counter(
        (operation["principal"], operation["verb"], life.places.get(operation["workspace_id"]))
        for operation in operations
    )
    for promise in life.promises:
        assert known[promise.principal.key, promise.verb, promise.place], f"I2: {promise}"
    await made_once(life, operations)
    assert await _unsent(life) == []
    assert await life.rows("SELECT kind, subject FROM tasks") == []
    assert await life.store.perform(audit.verify_audit) is None
    await _no_secret(life, logs)


#: Selects the interactions whose operation has ended, and whose final message was sent.
_RESOLVED = (
    "SELECT i.key FROM inbox i JOIN notices n ON n.subject = i.result"
    " WHERE n.occasion = 'end' AND n.state = 'sent'"
)
#: Selects the sent messages about the results of tasks. Such a message replaces the one that promised it,
#: whose subject is the same without the task's id.
_RESULTS = f"SELECT subject FROM notices WHERE kind = '{NoticeKind.MESSAGE}' AND state = 'sent'"


async def _unsent(life: Life) -> list[dict[str, Any]]:
    """Return notices that were given up, except for replies and warnings of a stop whose time has changed.

    A message that promised a result isn't sent if the result itself was sent first.
    """
    changed = {
        (row["workspace"], f"{row['before']:.0f}")
        for row in await life.rows("SELECT * FROM seen_timers WHERE before IS NOT NULL")
    }
    resolved = {row["key"] for row in await life.rows(_RESOLVED)}
    resolved |= {row["subject"].rpartition("/")[0] for row in await life.rows(_RESULTS)}
    notices = await life.rows(
        "SELECT subject, kind, occasion, state, error FROM notices WHERE state != 'sent'"
    )
    return [
        row
        for row in notices
        if row["kind"] != _REPLIES
        and not (
            row["error"] == "superseded"
            and (
                (row["kind"] == NoticeKind.MESSAGE and row["subject"] in resolved)
                or (row["subject"], row["occasion"].partition(":")[0]) in changed
            )
        )
    ]


async def _no_secret(life: Life, logs: list[Any]) -> None:
    tables = await life.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
    for table in tables:
        held = json.dumps(await life.rows(f"SELECT * FROM {table['name']}"))
        assert not _CANARY.search(held), f"I7: {table['name']}"
        assert not [nonce for _, nonce in life.nonces if nonce in held and table["name"] != "notices"]
    for line in logs:
        assert not _CANARY.search(str(line)), f"I7: {line}"
        assert not _FAULTS.fullmatch(str(line.get("event"))), line


#: By action name: states of a workspace that a button for the action would contradict.
_UNTRUE = {
    "start": (State.RUNNING, State.STARTING),
    "stop": (State.STOPPED, State.GONE),
    "suspend": (State.STOPPED, State.SUSPENDED, State.GONE),
    "force": (State.STOPPED, State.SUSPENDED, State.GONE),
    "stop_later": (State.STOPPED, State.SUSPENDED, State.GONE),
    "open_url": (State.STOPPED, State.SUSPENDED, State.STOPPING, State.STARTING, State.GONE),
}
#: Matches the answer to a request for something that is already in progress
#: (``bot.messages.texts.answers.JOINED``).
_ASKED_AGAIN = re.compile(r"is already (?!running)\w+ing\b")
#: The messages about an operation: its card, and how it ended.
_SPEAKS = Mark.CARD | Mark.END
#: Buttons that aren't about a workspace: pages of providers, and links of accounts.
_ELSEWHERE = ("page_url", "invite")
_OF_TIMERS = (NoticeKind.STOP_WARNING, NoticeKind.PLANNED_STOP_FAILED, NoticeKind.WARNING_UNDELIVERED)


async def _each_act_has_one(life: Life) -> None:
    """Check that no operation has two messages about it.

    A notice that had to be sent before the operation was over doesn't count.
    """
    speaking: Counter[str] = Counter()
    for message in life.slack.messages:
        kind, subject = _kind_and_subject(message)
        if (
            kind
            and Mark.IN_CHANNEL not in parse_enum(NoticeKind, kind).marks
            and parse_enum(NoticeKind, kind).marks & _SPEAKS
        ):
            speaking[subject] += 1
    # The answer that announced the operation. An answer to a repeated request doesn't count, though it may
    # come at the same moment. Nor does an answer that Slack held up until its card was there: it stays below.
    there = {message["ts"] for message in life.slack.messages}
    shown = await life.rows("SELECT * FROM cards WHERE is_notice = 0")
    begun = {row["subject"]: row["created_at"] for row in shown}
    card_ts = {row["subject"]: row["message_ts"] or "" for row in shown}
    for row in await life.rows("SELECT * FROM cards WHERE kind IN ('reply', 'message')"):
        is_first = row["created_at"] <= begun.get(row["subject"], 0.0) + 1.0
        is_first = is_first and not _ASKED_AGAIN.search(row["body"])
        is_first = is_first and not "" < card_ts.get(row["subject"], "") < (row["message_ts"] or "")
        speaking[row["subject"]] += is_first and row["message_ts"] in there and row["subject"] in speaking
    crowded = {subject: count for subject, count in speaking.items() if count > 1}
    assert not crowded, f"told by more than one message: {crowded}"


def _offered(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in buttons(message) if each["action_id"] not in _ELSEWHERE]


async def no_message_contradicts_its_row(life: Life) -> None:
    """Check that each operation has one message, and that messages offer only what the rows allow.

    If a notice is still unsent, nothing is checked.
    """
    pending = "SELECT id FROM cards WHERE is_dirty = 1 AND message_ts IS NOT NULL"
    unsent = "SELECT id FROM notices WHERE state IN ('pending', 'retry', 'leased') AND combined_into IS NULL"
    if await life.rows(f"{pending} UNION ALL {unsent}"):
        return
    await _each_act_has_one(life)
    workspaces = {
        row["id"]: row for row in await life.rows("SELECT id, state, remote_id, stop_at FROM workspaces")
    }
    operations = {
        row["id"]: row for row in await life.rows("SELECT * FROM operations ORDER BY created_at, id")
    }
    newest = {row["workspace_id"]: row["id"] for row in operations.values()}
    # A workspace with an operation in progress can be stopped in any state.
    busy = {row["workspace_id"] for row in operations.values() if row["outcome"] is None}
    for message in life.slack.messages:
        kind, subject = _kind_and_subject(message)
        parsed = parse_enum(NoticeKind, kind) if kind else None
        if parsed is None or not (parsed.subject == "operation" or parsed in _OF_TIMERS):
            continue
        operation = operations.get(subject)
        about = operation["workspace_id"] if operation else subject
        for button in _offered(message):
            name = button["action_id"].partition(":")[0]
            row = workspaces.get(button.get("value", "").partition("@")[0]) or workspaces.get(about)
            if row is not None and row["id"] in busy:
                continue
            assert row is not None, f"{button} of {kind} is about nothing"
            assert row["state"] not in _UNTRUE.get(name, ()), f"{name} on {kind}, and it is {row}"
            if name in ("keep_running", "hour_more"):
                assert button["action_id"].endswith(f":u{row['stop_at'] or 0:.0f}"), f"{button}: {row}"
            of = operations.get(button.get("value", ""))
            if name == "try_again":
                assert newest[about] == button["value"], f"{button}, and {newest[about]} came after it"
            if name == "keep_waiting":
                assert of is not None, f"{button} is of nothing"
                assert (of["outcome"], of["deadline_at"]) == (None, None), f"{name}: {of}"


def _kind_and_subject(message: dict[str, Any]) -> tuple[str, str]:
    key = message.get("metadata", {}).get("event_payload", {}).get("key", "")
    subject, kind, _ = key.rsplit("/", 2) if key else ("", "", "")
    return kind, subject

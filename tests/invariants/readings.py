"""Checks of the messages that report an end: each is sent once, to the right person, and is true."""

import re
from collections import defaultdict
from itertools import product

from bot.domain.notices import Mark, NoticeKind
from bot.store.notices import SILENCE_SECONDS
from bot.store.tables import parse_enum
from playground.slack.history import Reading
from tests.invariants.life import PEOPLE, Life
from tests.rigs.endings import find_ending, read_beginning

#: Identifies a message: its channel and ts.
Place = tuple[str, str]
#: Seconds for which a message may be outdated. One that waited through a silence is read again, which may
#: take as long.
STALE_SECONDS = 2 * SILENCE_SECONDS + 15.0
#: Selects notices that were combined into one message, after a silence or as the results of one request.
_TOLD_TOGETHER = (
    "SELECT n.subject, h.subject || '/' || h.kind || '/' || h.occasion AS key"
    " FROM notices n JOIN notices h ON h.id = n.combined_into WHERE n.state = 'sent'"
)
#: Matches messages that report several ends, one on each line.
_COMBINED = re.compile("/(summary|results)/")


def _subject_of_end(reading: Reading) -> str | None:
    """Return the operation or run whose end a message reports, or None."""
    subject, kind, _ = reading.key.rsplit("/", 2) if reading.key else ("", "", "")
    marks = parse_enum(NoticeKind, kind).marks if kind else Mark.NONE
    is_card = kind == "card" and find_ending(reading.text) is not None
    return subject if Mark.END in marks or is_card else None


def ends_of(life: Life) -> dict[str, dict[Place, Reading]]:
    """Return all messages that ever reported an end, by subject, in their latest version."""
    found: defaultdict[str, dict[Place, Reading]] = defaultdict(dict)
    latest = {(reading.channel, reading.ts): reading for reading in life.slack.history.readings}
    for reading in life.slack.history.readings:
        if (subject := _subject_of_end(reading)) is not None:
            found[subject][reading.channel, reading.ts] = latest[reading.channel, reading.ts]
    return found


def each_end_is_read_once(life: Life) -> None:
    """I2: check that no end was ever reported in two messages, and that none of the messages was deleted.

    Deleted messages count, too.
    """
    for subject, messages in ends_of(life).items():
        assert len(messages) == 1, f"I2: {subject} told by {list(messages.values())}"
        gone = [reading for reading in messages.values() if reading.until is not None]
        assert not gone, f"I2: the end of {subject} is gone: {gone}"


async def each_end_was_read(life: Life) -> None:
    """I2: check that every operation ended, and one message to its owner says how."""
    found = ends_of(life)
    keys = {reading.key: reading for reading in life.slack.history.readings}
    for row in await life.rows(_TOLD_TOGETHER):
        if (told := keys.get(row["key"])) is not None:
            found[row["subject"]][told.channel, told.ts] = told
    # A warning that became the stop's card still has the warning's key in Slack.
    cards = await life.rows("SELECT id, channel_id, message_ts FROM cards WHERE kind = 'card'")
    subjects = {(row["channel_id"], row["message_ts"]): row["id"] for row in cards}
    for reading in life.slack.history.readings:
        place = (reading.channel, reading.ts)
        if place in subjects and reading.until is None and find_ending(reading.text) is not None:
            found[subjects[place]][place] = reading
    for operation in await life.rows("SELECT * FROM operations ORDER BY created_at"):
        read = list(found.get(operation["id"], {}).values())
        has_end = operation["outcome"] in ("fulfilled", "failed", "refused")
        assert len(read) == 1 if has_end else len(read) <= 1, f"I2: {operation} told as {read}"
        channel = "D" + operation["principal"].rpartition(":")[2]
        assert {reading.channel for reading in read} <= {channel}, f"I2: {operation} told to {read}"


def each_end_is_so(life: Life) -> None:
    """I10: check that what is reported as ready is running, and what is reported as stopped isn't.

    This is judged by the last reads before the message. Only messages since the last check count. An edit
    that only removes buttons, or the end of the text, doesn't count as a new report.
    """
    history, moves, now = life.slack.history.readings, life.moves, life.clock.monotonic()
    for place, reading in enumerate(history[life.readings_seen :], life.readings_seen):
        is_combined = _COMBINED.search(reading.key) is not None
        told = reading.text.splitlines() if is_combined or _subject_of_end(reading) else []
        former = [one.text for one in history[:place] if told and one.ts == reading.ts][-1:]
        if former and read_beginning(former[0]).startswith(read_beginning(reading.text)):
            continue
        reader = next((name for name, who in PEOPLE.items() if reading.channel == f"D{who.user_id}"), "")
        for line, remote_id in product(told, list(moves.machines)):
            ending = find_ending(line)
            is_named = re.search(rf"\b{moves._moved(remote_id).name}\b", line)
            if is_named and ending in ("ready", "stopped"):
                so_at = (moves.up_at if ending == "ready" else moves.down_at).get(remote_id, 0.0)
                was_read = any(so_at < at < now for at in moves.reads[reader, remote_id])
                assert now - so_at <= STALE_SECONDS or not was_read, (
                    f"I10: {reading}, {now - so_at:.0f} s late"
                )
    life.readings_seen = len(history)

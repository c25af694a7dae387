"""Formats results for Slack's assistant as JSON.

An answer has two forms, made from the same rows and sentences: one that a person reads in Slack, and one for
the assistant. In the assistant's form, times are machine-readable, names are quoted and escaped as JSON
strings, and URLs are left out. See ``docs/internals/rules.md``, "An assistant agrees to nothing".
"""

import json
import re
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from typing import Any, Final

from bot.domain.accepted_requests import AcceptedRequest
from bot.domain.hours import HoursRule
from bot.domain.message_context import WorkspaceFacts
from bot.domain.operations import MAX_PROMPT_SECONDS
from bot.domain.runs import Run
from bot.domain.time_parsing import DAYS, clock
from bot.domain.timeouts import is_going
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks import kit
from bot.messages.blocks.buttons import get_wait
from bot.messages.blocks.cards import VERB_FORMS
from bot.messages.texts.cards import STATES
from bot.messages.texts.runs import STATES as RUN_STATES
from bot.messages.texts.waitlist import WAITED_FOR, WAITING_UNTIL
from bot.support.cleaning import HIDDEN, unescape

_ADDRESS_PATTERN: Final = re.compile(r"\w+://[^\s\"]+")
#: Matches a time in Slack's notation, along with a written date in front of it (``Mon 30 Nov at``), and
#: captures the time's epoch seconds. ``_LINK_PATTERN`` matches a link or a mention, and captures its label.
_TIME_PATTERN: Final = re.compile(
    r"(?:\b[A-Z][a-z]{2} [0-9]{1,2} [A-Z][a-z]{2}(?: [0-9]{4})? at )?<!date\^([0-9]+)\^[^>]*>"
)
_LINK_PATTERN: Final = re.compile(r"<[^<>|]*(?:\|([^<>]*))?>")
#: Matches bold text. All other asterisks are ordinary characters.
_BOLD_PATTERN: Final = re.compile(r"(?<![\w*])\*(?!\s)([^*\n]+)(?<!\s)\*(?![\w*])")
#: Names of at least this many characters are quoted wherever they occur, and so are all names with spaces.
#: Otherwise, the assistant could mistake them for sentences. Shorter names are quoted only if they are bold,
#: in a command, or the label of a link.
_MIN_SENTENCE_LENGTH: Final = 12


def format_result(**facts: Any) -> str:
    """Return the result of a call as JSON."""
    return json.dumps(facts, ensure_ascii=False)


def write_lines(blocks: Iterable[kit.Block], names: Iterable[str]) -> list[str]:
    """Return an answer's lines, rewritten for a program to read.

    ``names`` must contain every name in the lines that a person or a program chose.
    """
    known = sorted({kit.line(one) for one in names if one}, key=len, reverse=True)
    return [said for line in kit.iterate_lines(blocks) if (said := _write_line(line, known))]


def _write_line(text: str, names: Iterable[str]) -> str:
    """Rewrite a line so that each name in it is a JSON string.

    Names already found are replaced by placeholders, so that no name is found inside another.
    """
    found: list[str] = []

    def keep(name: str) -> Callable[[re.Match[str]], str]:
        found.append(json.dumps(write_text(unescape(name)), ensure_ascii=False))
        mark = f"\0{len(found) - 1}\0"
        # Text inside other Slack markup is never a name.
        return lambda match: mark if match["other"] is None else match[0]

    for name in names:
        sign = re.escape(name)
        marked = rf"\*{sign}\*|<[^<>|]*\|{sign}>|(?<=[`\s]){sign}(?=[`\s])(?=[^`]*`)"
        is_sentence = " " in name or len(name) >= _MIN_SENTENCE_LENGTH
        anywhere = rf"|(?<!\w){sign}(?!\w)" if is_sentence else ""
        text = re.sub(rf"{marked}|(?P<other><[^<>]*>){anywhere}", keep(name), text)
    text = _TIME_PATTERN.sub(lambda match: str(format_time(float(match[1]))), text)
    text = _LINK_PATTERN.sub(lambda match: match[1] or "", text)
    plain = _ADDRESS_PATTERN.sub(HIDDEN, unescape(_BOLD_PATTERN.sub(r"\1", text)))
    return re.sub(r"\0([0-9]+)\0", lambda match: found[int(match[1])], plain).strip()


def describe(
    title: Callable[[str], str], one: Workspace | Run | AcceptedRequest, **more: Any
) -> dict[str, Any]:
    """Describe a workspace, run or request by its name, its connection, and the values in ``more``.

    None values are left out. ``title`` is called with a connection's name and returns its title.
    """
    name = write_text(one.title if isinstance(one, Workspace) else one.name)
    known = {key: said for key, said in more.items() if said is not None}
    return {"name": name, "on": write_text(title(one.connection)), **known}


def describe_state(facts: WorkspaceFacts, silent_since: float | None) -> dict[str, Any]:
    """Return a workspace's state and times, what it is waiting for, and which start and stop are planned."""
    workspace, operation = facts.workspace, facts.operation
    assert workspace is not None, "the facts are a workspace's"
    state, since = STATES[workspace.current_state], workspace.down_at
    if workspace.current_state is State.RUNNING:
        since = workspace.started_at
    asked_at = None
    if operation is not None and operation.is_open and not is_so_already(facts):
        forms, asked_at = VERB_FORMS[operation.verb], operation.created_at
        is_new = facts.now - asked_at < MAX_PROMPT_SECONDS and not operation.block_reason
        waits = "waiting to {do}".format(do=forms["happen"])
        state = str(forms["happening"]) if is_new or is_going(operation, workspace) else waits
        since = None
    if (wait := get_wait(facts)) is not None:
        what = WAITED_FOR.get(wait.kind, "room")
        state, since = WAITING_UNTIL.format(what=what, until=format_time(wait.expires_at)), None
    starts = (one.after(max(facts.now, one.processed_until)) for one in facts.rules if not one.paused)
    planned = [one.at for one in starts if one is not None and one.side == "start"]
    return {
        "state": state,
        "since": format_time(since),
        "asked_at": format_time(asked_at),
        "as_of": format_time(workspace.read_at),
        "provider_silent_since": format_time(silent_since),
        "stops_at": format_time(facts.next_stop),
        "starts_at": format_time(min(planned, default=None)),
        "last_used_at": format_time(workspace.last_used_at),
    }


def is_so_already(facts: WorkspaceFacts) -> bool:
    """Return whether a workspace was already in its operation's target state when it was last read.

    Return False once the operation has called the provider.
    """
    workspace, operation = facts.workspace, facts.operation
    if workspace is None or operation is None or operation.has_called:
        return False
    return workspace.is_down if operation.verb.brings_down else workspace.current_state is State.RUNNING


def describe_run(run: Run) -> dict[str, Any]:
    """Return what is known about a run: its state, times, duration and exit code."""
    ended_at = run.finished_at
    took = None if ended_at is None or run.started_at is None else round(ended_at - run.started_at)
    return {
        "state": RUN_STATES[run.state],
        "exit_code": run.exit_code,
        "took_seconds": took,
        "asked_at": format_time(run.created_at),
        "started_at": format_time(run.started_at),
        "ended_at": format_time(ended_at),
        "as_of": format_time(run.observed_at),
    }


def describe_hours(one: HoursRule, beside: Collection[HoursRule], now: float) -> dict[str, Any]:
    """Describe a rule for working hours and say when it next applies, given the workspace's other rules."""
    days = [*(day for day in DAYS if day in one.days), *sorted(one.days - {*DAYS})]
    coming = None if one.paused else one.after(max(now, one.processed_until))
    side = {"start": "starts_at", "stop": "stops_at"}
    following = {} if coming is None else {f"next_{side[coming.side]}": format_time(coming.at)}
    stop = one.next_stop(now, beside)
    return {
        "days": days,
        "starts": clock(one.starts),
        "stops": clock(one.stops),
        "zone": one.zone,
        "is_paused": bool(one.paused),
        **following,
        "next_stops_at": format_time(stop),
    }


def format_time(at: float | None) -> str | None:
    """Return a time as ISO 8601 text in UTC."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def write_text(name: str) -> str:
    """Return text from outside as a single plain line with URLs removed."""
    return _ADDRESS_PATTERN.sub(HIDDEN, unescape(kit.line(name)))

"""What administrators see in their Home of everybody: counts, connections, slow starts, failures."""

from __future__ import annotations

from typing import Any, Final

from bot.domain.facts import ConnectionFacts, RunFacts, TotalsFacts, WorkspaceFacts
from bot.domain.people import People
from bot.domain.workspaces import Operation
from bot.messages.blocks import kit
from bot.messages.blocks.home import answered, foot
from bot.messages.blocks.kit import Block, Press
from bot.messages.blocks.limits import Markup, fill, safe
from bot.messages.texts import cards, problems, times
from bot.messages.texts import home as words

#: Connections on the page.
CONNECTIONS: Final = 20
#: The longest part of a cause shown here; the person concerned got all of it.
CAUSE: Final = 300


def totals_home(facts: TotalsFacts) -> dict[str, Any]:
    """Draw the totals."""
    buttons = [
        kit.button(words.TO_OWN, Press("home", "own", mark="own")),
        kit.button(words.REFRESH, Press("home", "refresh", mark="refresh")),
    ]
    return kit.home(
        [
            *answered(facts.answer, facts.answered_at, facts.now),
            *_counts(facts),
            *_connections(facts),
            *_slow(facts),
            *_failures(facts),
            *foot(facts.now, buttons),
        ]
    )


def _counts(facts: TotalsFacts) -> list[Block]:
    counted = words.TOTALS_LINE.format(
        running=sum(one.counts.running for one in facts.connections),
        known=sum(one.counts.workspaces for one in facts.connections),
        linked=sum(one.counts.linked for one in facts.connections if one.has_links),
        starting=facts.starting,
        runs=facts.open_runs,
    )
    title = fill(words.TOTALS_OF, place=facts.place) if facts.place else words.TOTALS
    blocks = [kit.header(title), kit.section(counted)]
    if facts.dead_notices:
        messages = times.counted(facts.dead_notices, "message")
        blocks.append(kit.section(words.UNDELIVERED.format(messages=messages)))
    return blocks


def _connections(facts: TotalsFacts) -> list[Block]:
    if not facts.connections:
        return []
    # Those that don't answer come first.
    found = sorted(facts.connections, key=lambda one: one.outage is None)
    blocks = [kit.header(words.CONNECTIONS)]
    blocks += [kit.section(_connection(one, facts.now)) for one in found[:CONNECTIONS]]
    if len(found) > CONNECTIONS:
        blocks.append(kit.context(times.counted(len(found) - CONNECTIONS, "more connection")))
    return blocks


def _connection(one: ConnectionFacts, now: float) -> str:
    text = fill(
        words.ANSWERING if one.outage is None else words.OUTAGE,
        title=one.title,
        since=kit.moment(one.outage if one.outage is not None else now, now),
        running=one.counts.running,
        known=one.counts.workspaces,
    )
    text += words.LINKED_HERE.format(count=one.counts.linked) if one.has_links else ""
    text += words.REFUSED_LINKS.format(count=one.counts.refused) if one.counts.refused else ""
    return text + (words.FAILED_HERE.format(count=one.counts.failed) if one.counts.failed else "")


def _slow(facts: TotalsFacts) -> list[Block]:
    rows = [kit.section(_slow_row(one, facts.people)) for one in facts.slow] or [kit.section(words.NO_SLOW)]
    return [kit.header(words.SLOW), *rows]


def _slow_row(facts: WorkspaceFacts, people: People) -> str:
    operation = facts.operation
    assert operation is not None, "a slow start is an operation"
    text = fill(
        words.SLOW_ROW,
        who=kit.person(people.get(operation.principal.key)),
        title=facts.connection_title,
        at=kit.moment_at(operation.created_at, facts.now),
        reference=operation.reference,
    )
    return f"{text}\n{kit.held(operation.hold, facts.now)}" if operation.hold else text


def _failures(facts: TotalsFacts) -> list[Block]:
    rows: list[WorkspaceFacts | RunFacts] = [*facts.failed, *facts.lost_runs]
    failed = [kit.section(_failure(one, facts.people)) for one in rows]
    count = sum(one.counts.failed for one in facts.connections) + facts.failed_runs
    if count > len(failed):
        failed.append(kit.context(words.MORE_FAILURES.format(count=count - len(failed))))
    return [kit.header(words.FAILURES), *(failed or [kit.section(words.NO_FAILURES)])]


def _failure(facts: WorkspaceFacts | RunFacts, people: People) -> str:
    row = facts.run if isinstance(facts, RunFacts) else facts.operation
    assert row is not None, "a failure is of an operation or a run"
    verb = cards.FORMS[row.asked_verb].verb if isinstance(row, Operation) else words.RUN
    cause = problems.sentence(row.cause or "internal", facts.connection_title)
    return fill(
        words.FAILURE_ROW,
        at=kit.moment(row.ended_at or row.created_at, facts.now),
        who=kit.person(people.get(row.principal.key)),
        verb=verb,
        title=facts.connection_title,
        reference=row.reference,
        cause=Markup(safe(cause, CAUSE)),
    )

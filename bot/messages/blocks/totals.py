"""What administrators see: of everybody in their Home, and of a server with its users in pages."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from bot.domain.facts import ConnectionFacts, RunFacts, TotalsFacts, WorkspaceFacts
from bot.domain.notices import Answer
from bot.domain.people import About, People, Snapshot, User
from bot.domain.workspaces import Operation
from bot.messages.blocks import kit
from bot.messages.blocks.home import answered, foot
from bot.messages.blocks.kit import Block, Markup, Press, fill, line, page_of, safe
from bot.messages.texts import answers, cards, home, problems, times

#: Connections on the page.
CONNECTIONS: Final = 20
#: The longest part of a cause shown here; the person concerned got all of it.
CAUSE: Final = 300


def totals_home(facts: TotalsFacts) -> dict[str, Any]:
    """Draw the totals."""
    buttons = [
        kit.button(home.TO_OWN, Press("home", "own", mark="own")),
        kit.button(home.REFRESH, Press("home", "refresh", mark="refresh")),
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
    counted = home.TOTALS_LINE.format(
        running=sum(one.counts.running for one in facts.connections),
        known=sum(one.counts.workspaces for one in facts.connections),
        linked=sum(one.counts.linked for one in facts.connections if one.has_links),
        starting=facts.starting,
        runs=facts.open_runs,
    )
    title = fill(home.TOTALS_OF, place=facts.place) if facts.place else home.TOTALS
    blocks = [kit.header(title), kit.section(counted)]
    if facts.dead_notices:
        messages = times.counted(facts.dead_notices, "message")
        blocks.append(kit.section(home.UNDELIVERED.format(messages=messages)))
    return blocks


def _connections(facts: TotalsFacts) -> list[Block]:
    if not facts.connections:
        return []
    # Those that don't answer come first.
    found = sorted(facts.connections, key=lambda one: one.outage is None)
    blocks = [kit.header(home.CONNECTIONS)]
    blocks += [kit.section(_connection(one, facts.now)) for one in found[:CONNECTIONS]]
    if len(found) > CONNECTIONS:
        blocks.append(kit.context(times.counted(len(found) - CONNECTIONS, "more connection")))
    return blocks


def _connection(one: ConnectionFacts, now: float) -> str:
    text = fill(
        home.ANSWERING if one.outage is None else home.OUTAGE,
        title=one.title,
        since=kit.moment(one.outage if one.outage is not None else now, now),
        running=one.counts.running,
        known=one.counts.workspaces,
    )
    text += home.LINKED_HERE.format(count=one.counts.linked) if one.has_links else ""
    text += home.REFUSED_LINKS.format(count=one.counts.refused) if one.counts.refused else ""
    return text + (home.FAILED_HERE.format(count=one.counts.failed) if one.counts.failed else "")


def _slow(facts: TotalsFacts) -> list[Block]:
    rows = [kit.section(_slow_row(one, facts.people)) for one in facts.slow] or [kit.section(home.NO_SLOW)]
    return [kit.header(home.SLOW), *rows]


def _slow_row(facts: WorkspaceFacts, people: People) -> str:
    operation = facts.operation
    assert operation is not None, "a slow start is an operation"
    text = fill(
        home.SLOW_ROW,
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
        failed.append(kit.context(home.MORE_FAILURES.format(count=count - len(failed))))
    return [kit.header(home.FAILURES), *(failed or [kit.section(home.NO_FAILURES)])]


def _failure(facts: WorkspaceFacts | RunFacts, people: People) -> str:
    row = facts.run if isinstance(facts, RunFacts) else facts.operation
    assert row is not None, "a failure is of an operation or a run"
    verb = cards.FORMS[row.asked_verb].verb if isinstance(row, Operation) else home.RUN
    cause = problems.sentence(row.cause or "internal", facts.connection_title)
    return fill(
        home.FAILURE_ROW,
        at=kit.moment(row.ended_at or row.created_at, facts.now),
        who=kit.person(people.get(row.principal.key)),
        verb=verb,
        title=facts.connection_title,
        reference=row.reference,
        cause=Markup(safe(cause, CAUSE)),
    )


#: How many users one message shows, and one paragraph: each fits, however long the names are.
PAGE: Final = 60
_PARAGRAPH: Final = 12
_FACTS: Final = 30


def about(
    snapshot: Snapshot[About], title: str, *, now: float, page: int = 1, replaces: bool = False
) -> Answer:
    """Draw what a server said, with one page of its users; a page beyond the end becomes the last one."""
    users = snapshot.payload.users
    one = page_of(users, page, PAGE)
    heading = fill(answers.ABOUT, title=title)
    facts = [
        fill(answers.ABOUT_FACT, label=label, value=Markup(line(value, 200)))
        for label, value in snapshot.payload.facts[:_FACTS]
    ]
    blocks: list[Block] = [kit.section("\n".join([heading, *facts][:_PARAGRAPH]))]
    rest = facts[_PARAGRAPH - 1 :]
    blocks += [kit.section("\n".join(part)) for part in _parts(rest)]
    if users:
        people = times.counted(len(users), "person", "people")
        blocks.append(kit.section(fill(answers.ABOUT_USERS, people=people)))
        shown = [_user(user) for user in one.shown]
        blocks += [kit.section("\n".join(part)) for part in _parts(shown)]
    small = [fill(answers.AS_OF_ALONE, at=kit.moment(snapshot.read_at, now))]
    if one.left:
        small.insert(0, answers.AND_MORE.format(count=one.left))
    blocks.append(kit.context(*small))
    if one.left:
        blocks += kit.actions(
            [kit.button(cards.MORE, "about:more", f"{snapshot.connection} {one.number + 1}")]
        )
    return kit.answer(kit.bare(heading), blocks, replaces=replaces)


def _user(user: User) -> str:
    template = answers.ABOUT_USER if user.is_active else answers.ABOUT_USER_INACTIVE
    level = Markup(line(user.level)) if user.level else Markup("")
    return " ".join(fill(template, username=user.username, level=level).split())


def _parts(lines: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(lines), _PARAGRAPH):
        yield lines[start : start + _PARAGRAPH]

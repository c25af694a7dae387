"""A person's Home: their things and open questions, and the totals for administrators.

It is seen by its owner alone, so *Open* carries the address: ``docs/internals/rules.md``, "An IDE's address
reaches only the owner".
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.domain.message_context import RunFacts, WorkspaceFacts
from bot.domain.operations import Operation
from bot.domain.people import People
from bot.features.home import texts as home_words
from bot.features.home.model import ConnectionFacts, HomeFacts, LinkFacts, MakerFacts, Question, TotalsFacts
from bot.messages.blocks import kit, replies
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.buttons import list_hours_button
from bot.messages.blocks.cards import link_button_value, list_question_buttons
from bot.messages.blocks.home_sections import QUESTION_RENDERERS, SECTIONS, add_section
from bot.messages.blocks.kit import Block, Element, Markup, fill, line, row, safe
from bot.messages.blocks.lists import render_run_row, render_workspaces
from bot.messages.hooks import MessageHooks
from bot.messages.texts import answers, cards, problems, times
from bot.messages.texts import runs as run_words

#: The most blocks of an answer, and the most accounts and makers: what fits next to a page of workspaces.
MAX_ANSWER_BLOCKS: Final = 7
MAX_LINKS: Final = 10
MAX_MAKERS: Final = 8
#: How many templates are named on a connection's line.
MAX_TEMPLATES: Final = 6

#: What differs in every drawing although nothing happened: no reason to publish it again.
_TIMESTAMP_PATTERN: Final = re.compile(
    "|".join(
        rf"{re.escape(text.partition('{')[0])}(?:at )?<!date\^[^>]*>"
        for text in (answers.SEEN, home_words.UPDATED)
    )
)


def render_home(facts: HomeFacts) -> dict[str, Any]:
    """Draw a person's own Home."""
    buttons = [kit.button(cards.REFRESH, ButtonValue("home", "refresh", mark="refresh"))]
    if facts.is_administrator:
        buttons.append(kit.button(home_words.TO_TOTALS, ButtonValue("home", "totals", mark="totals")))
    for hooks in MessageHooks.list_subscribers():
        buttons += hooks.list_home_buttons(facts)
    return kit.home(
        [
            *render_answer(facts.answer, facts.answered_at, facts.now),
            *(block for _, draw in sorted(SECTIONS.items()) for block in draw(facts)),
            *render_foot(facts.now, buttons),
        ]
    )


def render_sentence(sentence: str) -> dict[str, Any]:
    """Draw a Home that shows nobody's rows: a sentence, not yet escaped."""
    return kit.home([kit.section(safe(sentence))])


def digest(view: Mapping[str, Any]) -> str:
    """Return the digest of a view without its timestamps."""
    text = json.dumps(view, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(_TIMESTAMP_PATTERN.sub("", text).encode()).hexdigest()


def render_answer(answer: Mapping[str, Any] | None, at: float, now: float) -> list[Block]:
    """Render the answer to the last press, above the rest, with its time."""
    if answer is None:
        return []
    blocks = list(answer.get("blocks") or [kit.section(str(answer.get("text") or ""))])
    said = fill(home_words.ANSWERED, at=kit.moment(at, now))
    return [*blocks[:MAX_ANSWER_BLOCKS], kit.context(said), kit.divider()]


def format_updated(now: float) -> str:
    """Format the time at which a view was rendered."""
    return fill(home_words.UPDATED, at=kit.moment_at(now, now))


# -- what waits for the person -------------------------------------------------------------------------------


@add_section(0)
def _draw_waiting(facts: HomeFacts) -> list[Block]:
    code = kit.button(cards.ENTER_CODE, "enter_code", style=kit.PRIMARY)
    return _render_questions(
        facts.questions, [kit.section(home_words.ENTER_CODE, code)] if facts.has_code else []
    )


def _render_questions(questions: Sequence[Question], more: Sequence[Block] = ()) -> list[Block]:
    blocks = [*(block for asked in questions for block in QUESTION_RENDERERS[asked.kind](asked.facts)), *more]
    return [kit.header(home_words.QUESTIONS), *blocks] if blocks else []


def _render_run_question(facts: RunFacts) -> list[Block]:
    sentence = fill(run_words.ASKED_NOTICE, name=facts.run.name, title=facts.connection_title)
    return kit.add_block_labels(row(sentence, list_question_buttons(facts.run.id, "job_")), facts.objects)


def _render_operation_question(facts: WorkspaceFacts) -> list[Block]:
    assert facts.operation is not None, "what is asked is about an operation"
    name = facts.workspace.title if facts.workspace is not None else facts.operation.workspace_id
    sentence = f"*{line(name)}*\n{fill(cards.ASKED, title=facts.connection_title)}"
    return kit.add_block_labels(row(sentence, list_question_buttons(facts.operation.id)), facts.objects)


QUESTION_RENDERERS.update(operation=_render_operation_question, run=_render_run_question)


# -- workspaces and runs -------------------------------------------------------------------------------------


@add_section(30)
def _workspaces(facts: HomeFacts) -> list[Block]:
    blocks = [kit.header(home_words.WORKSPACES_HEADING)]
    if not facts.rows:
        return [*blocks, kit.section(_format_empty(facts))]
    small = [home_words.COUNT.format(count=facts.count, running=facts.running)]
    if facts.pages > 1:
        small.append(home_words.PAGE_NUMBER.format(page=facts.page, pages=facts.pages))
    rows, seen = render_workspaces(facts.rows)
    blocks += [kit.context(" · ".join([*small, *seen])), *rows]
    others = [
        (home_words.PREVIOUS_PAGE, "previous", facts.page - 1),
        (home_words.NEXT_PAGE, "next", facts.page + 1),
    ]
    turning = [
        kit.button(label, ButtonValue("home", f"page {page}", mark=mark))
        for label, mark, page in others
        if 0 < page <= facts.pages
    ]
    of_hours = [kit.button(cards.HOURS, "hours_form")] if any(map(list_hours_button, facts.rows)) else []
    return [*blocks, *kit.actions(turning), *kit.actions(of_hours)]


def _format_empty(facts: HomeFacts) -> str:
    """Format the introduction of Usher, and the first step to a workspace here."""
    if not facts.links:
        return home_words.NOTHING_SET_UP
    needs_accounts = any(link.state != "needless" for link in facts.links)
    what = replies.describe_usher(needs_accounts=needs_accounts, runs_jobs=facts.runs_jobs)
    return f"{what}\n{_format_first_step(facts)}"


def _format_first_step(facts: HomeFacts) -> str:
    if not facts.makers:
        is_linked = any(link.state not in {"none", "requested"} for link in facts.links)
        return home_words.NONE_LINKED if is_linked else home_words.NONE_UNLINKED
    is_unlinked = any(link.state == "none" for link in facts.links)
    return home_words.NONE_NEW_OR_LINK if is_unlinked else home_words.NONE_NEW


@add_section(40)
def _runs(facts: HomeFacts) -> list[Block]:
    if not facts.runs:
        return []
    blocks = [
        kit.header(home_words.RUNS_HEADING),
        *(block for one in facts.runs for block in render_run_row(one)),
    ]
    if facts.more_runs:
        more = fill(home_words.MORE_RUNS, count=facts.more_runs, command=Markup(facts.job_command))
        blocks.append(kit.context(more))
    return blocks


# -- accounts, and what can be made --------------------------------------------------------------------------


@add_section(50)
def _links(facts: HomeFacts) -> list[Block]:
    if not facts.links:
        return []
    shown = facts.links[:MAX_LINKS]
    # Those with something to do come first, with their buttons; the others share a paragraph.
    pressed = [(_format_link(link, facts.now), _link_buttons(link)) for link in shown]
    blocks = [kit.header(home_words.ACCOUNTS_HEADING)]
    for text, buttons in pressed:
        if buttons:
            blocks += row(text, buttons)
    calm = [text for text, buttons in pressed if not buttons]
    if calm:
        blocks.append(kit.section("\n".join(calm)))
    if len(facts.links) > len(shown):
        count = len(facts.links) - len(shown)
        blocks.append(kit.context(fill(home_words.MORE_LINKS, count=count, command=Markup(facts.command))))
    return blocks


def _format_link(link: LinkFacts, now: float) -> str:
    state = "nameless" if link.state == "linked" and not link.username else link.state
    since = kit.moment(link.since if link.since is not None else now, now)
    return fill(home_words.LINK_STATES[state], title=link.title, username=link.username, since=since)


def _link_buttons(link: LinkFacts) -> list[Element]:
    """Return the button that links, if the person can link, with the connection's key."""
    if not link.by or link.state in {"linked", "needless", "requested"}:
        return []
    if link.by == "admin":
        return [kit.button(home_words.ASK_BUTTON, "ask_link", link.connection, of=link.title)]
    label = home_words.LINK_BUTTON if link.state == "none" else cards.LINK_AGAIN
    style = kit.PRIMARY if link.state != "held" else None
    return [kit.button(label, "invite", link_button_value(link.connection), style=style, of=link.title)]


@add_section(60)
def _makers(facts: HomeFacts) -> list[Block]:
    if not facts.makers:
        return []
    return [kit.header(home_words.NEW), *(_maker(maker) for maker in facts.makers[:MAX_MAKERS])]


def _maker(maker: MakerFacts) -> Block:
    button = kit.button(home_words.NEW_BUTTON, "make", f"workspace {maker.connection}", of=maker.title)
    if maker.templates is None:
        return kit.section(fill(home_words.UNREAD_TEMPLATES, title=maker.title), button)
    named = [line(template) for template in maker.templates[:MAX_TEMPLATES]]
    templates = ", ".join(named)
    if len(maker.templates) > len(named):
        count = len(maker.templates) - len(named)
        templates = fill(home_words.MORE_TEMPLATES, templates=Markup(templates), count=count)
    template = home_words.TEMPLATE_LIST if templates else home_words.NO_TEMPLATES
    return kit.section(fill(template, title=maker.title, templates=Markup(templates)), button)


def render_foot(now: float, buttons: Sequence[Element]) -> list[Block]:
    """Render the end of a Home: its buttons, and its time."""
    return [kit.divider(), *kit.actions(buttons), kit.context(format_updated(now))]


#: Connections on the page.
MAX_CONNECTIONS: Final = 20
#: The longest part of a cause shown here; the person concerned got all of it.
MAX_CAUSE_LENGTH: Final = 300


def render_totals(facts: TotalsFacts) -> dict[str, Any]:
    """Draw the totals."""
    buttons = [
        kit.button(answers.SHOW, ButtonValue("home", "own", mark="own")),
        kit.button(cards.REFRESH, ButtonValue("home", "refresh", mark="refresh")),
    ]
    return kit.home(
        [
            *render_answer(facts.answer, facts.answered_at, facts.now),
            *_render_questions(facts.questions),
            *_counts(facts),
            *_connections(facts),
            *_slow(facts),
            *_failures(facts),
            *render_foot(facts.now, buttons),
        ]
    )


def _counts(facts: TotalsFacts) -> list[Block]:
    counted = home_words.TOTALS_LINE.format(
        running=sum(one.counts.running for one in facts.connections),
        known=sum(one.counts.workspaces for one in facts.connections),
        linked=sum(one.counts.linked for one in facts.connections if one.has_links),
        starting=facts.starting,
        runs=facts.open_runs,
    )
    title = fill(home_words.TOTALS_OF, place=facts.place) if facts.place else home_words.TOTALS
    blocks = [kit.header(title), kit.section(counted)]
    if facts.dead_notices:
        messages = times.format_count(facts.dead_notices, "message")
        blocks.append(kit.section(home_words.UNDELIVERED.format(messages=messages)))
    return blocks


def _connections(facts: TotalsFacts) -> list[Block]:
    if not facts.connections:
        return []
    # Those that don't answer come first.
    found = sorted(facts.connections, key=lambda one: one.outage is None)
    blocks = [kit.header(home_words.CONNECTIONS_HEADING)]
    blocks += [kit.section(_connection(one, facts.now)) for one in found[:MAX_CONNECTIONS]]
    if len(found) > MAX_CONNECTIONS:
        blocks.append(kit.context(times.format_count(len(found) - MAX_CONNECTIONS, "more connection")))
    return blocks


def _connection(one: ConnectionFacts, now: float) -> str:
    text = fill(
        home_words.ANSWERING if one.outage is None else home_words.OUTAGE,
        title=one.title,
        since=kit.moment(one.outage if one.outage is not None else now, now),
        running=one.counts.running,
        known=one.counts.workspaces,
    )
    text += home_words.LINKED_HERE.format(count=one.counts.linked) if one.has_links else ""
    text += home_words.REFUSED_LINKS.format(count=one.counts.refused) if one.counts.refused else ""
    return text + (home_words.FAILED_HERE.format(count=one.counts.failed) if one.counts.failed else "")


def _slow(facts: TotalsFacts) -> list[Block]:
    rows = [kit.section(_slow_row(one, facts.people)) for one in facts.slow]
    return [kit.header(home_words.SLOW), *(rows or [kit.section(home_words.NO_SLOW)])]


def _slow_row(facts: WorkspaceFacts, people: People) -> str:
    operation = facts.operation
    assert operation is not None, "a slow start is an operation"
    text = fill(
        home_words.SLOW_ROW,
        who=kit.mention(people.get(operation.principal.key)),
        title=facts.connection_title,
        at=kit.moment_at(operation.created_at, facts.now),
        reference=operation.reference,
    )
    return (
        f"{text}\n{kit.format_reason(operation.block_reason, facts.now)}" if operation.block_reason else text
    )


def _failures(facts: TotalsFacts) -> list[Block]:
    rows: list[WorkspaceFacts | RunFacts] = [*facts.failed, *facts.lost_runs]
    failed = [kit.section(_failure(one, facts.people)) for one in rows]
    count = sum(one.counts.failed for one in facts.connections) + facts.failed_runs
    if count > len(failed):
        failed.append(kit.context(home_words.MORE_FAILURES.format(count=count - len(failed))))
    return [kit.header(home_words.FAILURES), *(failed or [kit.section(home_words.NO_FAILURES)])]


def _failure(facts: WorkspaceFacts | RunFacts, people: People) -> str:
    row = facts.run if isinstance(facts, RunFacts) else facts.operation
    assert row is not None, "a failure is of an operation or a run"
    verb = cards.FORMS[row.asked_verb].verb if isinstance(row, Operation) else home_words.RUN
    cause = problems.explain_cause(row.cause or "internal", facts.connection_title)
    return fill(
        home_words.FAILURE_ROW,
        at=kit.moment(row.ended_at or row.created_at, facts.now),
        who=kit.mention(people.get(row.principal.key)),
        verb=verb,
        title=facts.connection_title,
        reference=row.reference,
        cause=Markup(safe(cause, MAX_CAUSE_LENGTH)),
    )

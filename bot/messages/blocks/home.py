"""A person's Home: what is theirs and waits for them, their preferences, and what administrators see.

It is seen by its owner alone, so *Open* carries the address: ``docs/internals/rules.md``, "An IDE's address
reaches only the owner".
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.domain.facts import RunFacts, WorkspaceFacts
from bot.domain.forms import Choice
from bot.domain.homes import ConnectionFacts, HomeFacts, LinkFacts, MakerFacts, Question, TotalsFacts
from bot.domain.notices import Answer
from bot.domain.operations import Operation
from bot.domain.people import People
from bot.domain.preferences import ASKS_AFTER, NEVER, PreferenceFacts
from bot.messages.blocks import kit, replies, waits
from bot.messages.blocks.acts import lines
from bot.messages.blocks.buttons import hours_button
from bot.messages.blocks.cards import asked_buttons, link_value
from bot.messages.blocks.courses import card_button, room
from bot.messages.blocks.kit import Block, Element, Markup, Press, fill, line, row, safe
from bot.messages.blocks.lists import run_row, workspace_rows
from bot.messages.texts import answers, assistant, cards, problems, times, verbs
from bot.messages.texts import courses as course_words
from bot.messages.texts import home as home_words
from bot.messages.texts import runs as run_words

#: The most blocks of an answer, and the most accounts and makers: what fits next to a page of workspaces.
ANSWER_BLOCKS: Final = 7
LINKS: Final = 10
MAKERS: Final = 8
#: How many courses, each of which is a paragraph and its buttons.
COURSES: Final = 4
#: How many acts of today.
TODAY: Final = 5
#: How many templates are named on a connection's line.
TEMPLATES: Final = 6

#: What differs in every drawing although nothing happened: no reason to publish it again.
_PASSING: Final = re.compile(
    "|".join(
        rf"{re.escape(text.partition('{')[0])}(?:at )?<!date\^[^>]*>"
        for text in (answers.SEEN, home_words.UPDATED)
    )
)


def home(facts: HomeFacts) -> dict[str, Any]:
    """Draw a person's own Home."""
    buttons = [kit.button(cards.REFRESH, Press("home", "refresh", mark="refresh"))]
    if facts.is_administrator:
        buttons.append(kit.button(home_words.TO_TOTALS, Press("home", "totals", mark="totals")))
    buttons += [card_button()] if facts.links else []
    return kit.home(
        [
            *answered(facts.answer, facts.answered_at, facts.now),
            *_questions(facts),
            *waits.rows(facts.waits, facts.now),
            *_courses(facts),
            *_workspaces(facts),
            *_runs(facts),
            *_links(facts),
            *_makers(facts),
            *_today(facts),
            *([kit.header(home_words.HOME), section(facts.preferences)] if facts.preferences else []),
            *foot(facts.now, buttons),
        ]
    )


def sentence_home(sentence: str) -> dict[str, Any]:
    """Draw a Home that shows nobody's rows: a sentence, not yet escaped."""
    return kit.home([kit.section(safe(sentence))])


def digest(view: Mapping[str, Any]) -> str:
    """Return what distinguishes two views, leaving out when things were checked."""
    text = json.dumps(view, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(_PASSING.sub("", text).encode()).hexdigest()


def answered(answer: Mapping[str, Any] | None, at: float, now: float) -> list[Block]:
    """Draw the answer to the last press, above the rest; it says when it was given."""
    if answer is None:
        return []
    blocks = list(answer.get("blocks") or [kit.section(str(answer.get("text") or ""))])
    said = fill(home_words.ANSWERED, at=kit.moment(at, now))
    return [*blocks[:ANSWER_BLOCKS], kit.context(said), kit.divider()]


def updated(now: float) -> str:
    """Say when a view was drawn."""
    return fill(home_words.UPDATED, at=kit.moment_at(now, now))


def _today(facts: HomeFacts) -> list[Block]:
    said = "\n".join(lines(facts.today, facts.now, TODAY))
    return [kit.header(home_words.TODAY), kit.section(said)] if said else []


# -- what waits for the person -------------------------------------------------------------------------------


def _questions(facts: HomeFacts) -> list[Block]:
    blocks = [block for question in facts.questions for block in _question(question)]
    if facts.has_code:
        blocks.append(
            kit.section(home_words.CODE, kit.button(cards.ENTER_CODE, "enter_code", style=kit.PRIMARY))
        )
    return [kit.header(home_words.QUESTIONS), *blocks] if blocks else []


def _question(question: Question) -> list[Block]:
    if question.approval is not None:
        return replies.decision(*question.approval)
    if question.run is not None:
        run, title = question.run.run, question.run.connection_title
        sentence = fill(run_words.ASKED_NOTICE, name=run.name, title=title)
        return row(sentence, asked_buttons(run.id, "job_"))
    facts = question.operation
    assert facts is not None, "a question is about one of the three"
    assert facts.operation is not None, "what is asked is about an operation"
    name = facts.workspace.title if facts.workspace is not None else facts.operation.workspace_id
    sentence = f"*{line(name)}*\n{fill(cards.ASKED, title=facts.connection_title)}"
    return row(sentence, asked_buttons(facts.operation.id))


def _courses(facts: HomeFacts) -> list[Block]:
    if not facts.courses:
        return []
    left = len(facts.courses) - COURSES
    more = fill(course_words.MORE, count=left, command=Markup(facts.command)) if left > 0 else ""
    blocks = [block for one in facts.courses[:COURSES] for block in room(one)]
    return [kit.header(course_words.HEADING), *blocks, *([kit.context(more)] if more else [])]


# -- workspaces and runs -------------------------------------------------------------------------------------


def _workspaces(facts: HomeFacts) -> list[Block]:
    blocks = [kit.header(home_words.WORKSPACES)]
    if not facts.rows:
        return [*blocks, kit.section(_nothing(facts))]
    small = [home_words.COUNT.format(count=facts.count, running=facts.running)]
    if facts.pages > 1:
        small.append(home_words.PAGE.format(page=facts.page, pages=facts.pages))
    rows, seen = workspace_rows(facts.rows)
    blocks += [kit.context(" · ".join([*small, *seen])), *rows]
    others = [(home_words.PREVIOUS, "previous", facts.page - 1), (home_words.NEXT, "next", facts.page + 1)]
    turning = [
        kit.button(label, Press("home", f"page {page}", mark=mark))
        for label, mark, page in others
        if 0 < page <= facts.pages
    ]
    of_hours = [kit.button(cards.HOURS, "hours_form")] if any(map(hours_button, facts.rows)) else []
    return [*blocks, *kit.actions(turning), *kit.actions(of_hours)]


def _nothing(facts: HomeFacts) -> str:
    """Say what Usher is, in case nobody has yet, and how to get a workspace here."""
    if not facts.links:
        return home_words.NOTHING_SET_UP
    needs_accounts = any(link.state != "needless" for link in facts.links)
    what = replies.what(needs_accounts=needs_accounts, runs_jobs=facts.runs_jobs)
    return f"{what}\n{_first_step(facts)}"


def _first_step(facts: HomeFacts) -> str:
    if not facts.makers:
        is_linked = any(link.state not in {"none", "asked"} for link in facts.links)
        return home_words.NONE_LINKED if is_linked else home_words.NONE_UNLINKED
    is_unlinked = any(link.state == "none" for link in facts.links)
    return home_words.NONE_NEW_OR_LINK if is_unlinked else home_words.NONE_NEW


def _runs(facts: HomeFacts) -> list[Block]:
    if not facts.runs:
        return []
    blocks = [kit.header(home_words.RUNS), *(block for one in facts.runs for block in run_row(one))]
    if facts.more_runs:
        more = fill(home_words.MORE_RUNS, count=facts.more_runs, command=Markup(facts.job_command))
        blocks.append(kit.context(more))
    return blocks


# -- accounts, and what can be made --------------------------------------------------------------------------


def _links(facts: HomeFacts) -> list[Block]:
    if not facts.links:
        return []
    shown = facts.links[:LINKS]
    # Those with something to do come first, with their buttons; the others share a paragraph.
    pressed = [(_link(link, facts.now), _link_buttons(link)) for link in shown]
    blocks = [kit.header(home_words.LINKS)]
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


def _link(link: LinkFacts, now: float) -> str:
    state = "nameless" if link.state == "linked" and not link.username else link.state
    since = kit.moment(link.since if link.since is not None else now, now)
    return fill(home_words.LINK[state], title=link.title, username=link.username, since=since)


def _link_buttons(link: LinkFacts) -> list[Element]:
    """Return the way to link where the person can do something about it, with the connection's key."""
    if not link.by or link.state in {"linked", "needless", "asked"}:
        return []
    if link.by == "admin":
        return [kit.button(home_words.ASK_BUTTON, "ask_link", link.connection)]
    label = home_words.LINK_BUTTON if link.state == "none" else cards.LINK_AGAIN
    style = kit.PRIMARY if link.state != "held" else None
    return [kit.button(label, "invite", link_value(link.connection), style=style)]


def _makers(facts: HomeFacts) -> list[Block]:
    if not facts.makers:
        return []
    return [kit.header(home_words.NEW), *(_maker(maker) for maker in facts.makers[:MAKERS])]


def _maker(maker: MakerFacts) -> Block:
    button = kit.button(home_words.NEW_BUTTON, "make", f"workspace {maker.connection}")
    if maker.templates is None:
        return kit.section(fill(home_words.UNREAD_TEMPLATES, title=maker.title), button)
    named = [line(template) for template in maker.templates[:TEMPLATES]]
    templates = ", ".join(named)
    if len(maker.templates) > len(named):
        count = len(maker.templates) - len(named)
        templates = fill(home_words.MORE_TEMPLATES, templates=Markup(templates), count=count)
    template = home_words.TEMPLATES if templates else home_words.NO_TEMPLATES
    return kit.section(fill(template, title=maker.title, templates=Markup(templates)), button)


def foot(now: float, buttons: Sequence[Element]) -> list[Block]:
    """Draw the end of a Home: what it can be turned to, and when it was drawn."""
    return [kit.divider(), *kit.actions(buttons), kit.context(updated(now))]


CALLBACK: Final = "settings"
#: The names of the form's fields.
TELL, ASKING, WORKSPACE, NEW, ASSISTANT = "tell", "asking", "workspace", "new", "assistant"
#: The choice that means none; no row and no connection is called so.
ASK: Final = "-"
#: A menu's options, besides *Ask me each time*.
OPTIONS: Final = 99
#: After how many hours people can choose to be asked about what was left running.
HOURS: Final = (4, 8, 12, 24, 48)
#: How many of the names are shown.
_NAMES: Final = 10


def section(facts: PreferenceFacts, heading: str = "") -> Block:
    """Return what applies now, with the button that opens the form; for the person's own eyes."""
    sentences = [*([heading] if heading else []), *_sentences(facts)]
    return kit.section("\n".join(sentences), kit.button(home_words.CHANGE, "settings_form"))


def answer(facts: PreferenceFacts, view: dict[str, Any] | None = None) -> Answer:
    """Return the section as an answer that says when it was true, with the form where one can be opened."""
    small = kit.context(fill(answers.AS_OF_ALONE, at=kit.moment(facts.now, facts.now)))
    shown = kit.answer([section(facts, home_words.HEADING), small])
    return Answer(text=shown.text, blocks=shown.blocks, view=view)


def saved(facts: PreferenceFacts) -> dict[str, Any]:
    """Return what takes the form's place once it is saved."""
    said = "\n".join([home_words.SAVED, *_sentences(facts)])
    return kit.modal(home_words.TITLE, [kit.section(said)], close=verbs.DONE)


def _sentences(facts: PreferenceFacts) -> list[str]:
    wanted = facts.wanted
    sent = [said for topic, said in home_words.TOPICS.items() if getattr(wanted, topic)]
    sentences = [fill(home_words.SENT, topics=Markup(_listed(sent))) if sent else home_words.NOT_SENT]
    if facts.own:
        names = [f"*{line(one.title)}*" for one in facts.own[:_NAMES]]
        names += [fill(answers.AND_MORE, count=len(facts.own) - _NAMES)] if len(facts.own) > _NAMES else []
        sentences.append(fill(home_words.EXCEPT, names=Markup(", ".join(names))))
    if wanted.asks_after == NEVER:
        sentences.append(home_words.ASKS_NEVER)
    else:
        hours = wanted.asks_after or ASKS_AFTER
        sentences.append(fill(home_words.ASKS_AFTER, time=times.duration(hours * 3600.0)))
    if facts.has_assistant:
        sentences.append(fill(assistant.SET, level=assistant.LEVELS[wanted.assistant]))
    workspace = facts.workspace
    sentences.append(
        fill(home_words.WORKSPACE, name=workspace.title) if workspace is not None else home_words.NO_WORKSPACE
    )
    if not facts.connection_title:
        return [*sentences, home_words.NO_NEW]
    template = home_words.USUAL_TEMPLATE if wanted.template else home_words.NEW_ANY
    return [*sentences, fill(template, source=wanted.template, title=facts.connection_title)]


def form(
    facts: PreferenceFacts, workspaces: Sequence[Choice], sources: Sequence[Choice], command: str
) -> dict[str, Any]:
    """Return the form, filled with what applies now; ``command`` is how workspaces are written about."""
    wanted = facts.wanted
    topics = [kit.option(topic, said) for topic, said in home_words.TOPICS.items()]
    sent = [one for one in topics if getattr(wanted, one["value"])]
    source = f"{wanted.connection} {wanted.template}".strip()
    hours_left = [
        Choice(str(one), home_words.ASK_AFTER.format(time=times.duration(one * 3600))) for one in HOURS
    ]
    blocks = [
        kit.boxes(TELL, home_words.TELL, topics, sent, home_words.TELL_HINT.format(command=command)),
        _menu(
            ASKING, home_words.ASKING, hours_left, str(wanted.asks_after or ASKS_AFTER), home_words.ASK_NEVER
        ),
        _menu(WORKSPACE, home_words.DEFAULT_WORKSPACE, workspaces, wanted.workspace_id),
        _menu(NEW, home_words.DEFAULT_NEW, sources, source),
    ]
    if facts.has_assistant:
        levels = {value: kit.option(value, said) for value, said in assistant.LEVELS.items()}
        chosen = levels[wanted.assistant]
        blocks.append(kit.select(ASSISTANT, assistant.MENU, list(levels.values()), chosen))
    return kit.modal(
        home_words.TITLE, blocks, submit=home_words.SUBMIT, close=verbs.CLOSE, callback_id=CALLBACK
    )


def _menu(name: str, label: str, choices: Sequence[Choice], chosen: str, none: str = home_words.ASK) -> Block:
    options = [kit.option(ASK, none), *(kit.option(one.value, one.label) for one in choices[:OPTIONS])]
    initial = next((one for one in options if one["value"] == chosen), options[0])
    return kit.select(name, label, options, initial)


def _listed(parts: Sequence[str]) -> str:
    """Return parts of a sentence joined by commas and *or*."""
    return " or ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


#: Connections on the page.
CONNECTIONS: Final = 20
#: The longest part of a cause shown here; the person concerned got all of it.
CAUSE: Final = 300


def totals_home(facts: TotalsFacts) -> dict[str, Any]:
    """Draw the totals."""
    buttons = [
        kit.button(answers.SHOW, Press("home", "own", mark="own")),
        kit.button(cards.REFRESH, Press("home", "refresh", mark="refresh")),
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
        messages = times.counted(facts.dead_notices, "message")
        blocks.append(kit.section(home_words.UNDELIVERED.format(messages=messages)))
    return blocks


def _connections(facts: TotalsFacts) -> list[Block]:
    if not facts.connections:
        return []
    # Those that don't answer come first.
    found = sorted(facts.connections, key=lambda one: one.outage is None)
    blocks = [kit.header(home_words.CONNECTIONS)]
    blocks += [kit.section(_connection(one, facts.now)) for one in found[:CONNECTIONS]]
    if len(found) > CONNECTIONS:
        blocks.append(kit.context(times.counted(len(found) - CONNECTIONS, "more connection")))
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
        failed.append(kit.context(home_words.MORE_FAILURES.format(count=count - len(failed))))
    return [kit.header(home_words.FAILURES), *(failed or [kit.section(home_words.NO_FAILURES)])]


def _failure(facts: WorkspaceFacts | RunFacts, people: People) -> str:
    row = facts.run if isinstance(facts, RunFacts) else facts.operation
    assert row is not None, "a failure is of an operation or a run"
    verb = cards.FORMS[row.asked_verb].verb if isinstance(row, Operation) else home_words.RUN
    cause = problems.sentence(row.cause or "internal", facts.connection_title)
    return fill(
        home_words.FAILURE_ROW,
        at=kit.moment(row.ended_at or row.created_at, facts.now),
        who=kit.person(people.get(row.principal.key)),
        verb=verb,
        title=facts.connection_title,
        reference=row.reference,
        cause=Markup(safe(cause, CAUSE)),
    )

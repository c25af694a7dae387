"""The card of an operation, rendered from database rows, so that it can be updated at any time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain import causes
from bot.domain.feasibility import LINK_HELPS
from bot.domain.holds import Hold
from bot.domain.markup import Template
from bot.domain.message_context import Facts, RunFacts, WorkspaceFacts
from bot.domain.notices import Answer, NoticeKind, end_of
from bot.domain.operations import MAX_PROMPT_SECONDS, Operation, OperationVerb
from bot.domain.runs import Run
from bot.domain.timeouts import is_going, is_on_time, is_slow, is_unanswered
from bot.domain.work_items import Outcome, WorkItem
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks import kit, limits
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.buttons import (
    BACK,
    again_button,
    can_be_made_again,
    describe_obstacle,
    force_button,
    get_mark,
    list_buttons,
    list_end_lines,
    list_hours_button,
    list_later_button,
    list_opposite_button,
    list_page_button,
    open_buttons,
    stop_button,
)
from bot.messages.blocks.kit import Element, Markup, fill, safe
from bot.messages.blocks.renderers import RENDERERS, renders
from bot.messages.texts import cards, holds, notices, problems, times
from bot.messages.texts.holds import PEOPLE_OUT

_BROKEN = frozenset({Outcome.FAILED, Outcome.UNKNOWN})
_UP = frozenset({State.RUNNING, State.STARTING})

#: The forms of each operation's verb, for use in sentences. The key None is for an operation whose row no
#: longer exists.
VERB_FORMS: Final[Mapping[OperationVerb | None, Mapping[str, Markup]]] = {
    verb: {name: Markup(word) for name, word in forms.words().items()} for verb, forms in cards.FORMS.items()
}


def make_verb_forms(operation: Operation, now: float, zone: ZoneInfo | None) -> Mapping[str, Markup]:
    """Return the words for a new operation. If known, ``end`` says when its workspace is usually ready."""
    forms, usual_end_at = VERB_FORMS[operation.verb], operation.usual_end_at
    if usual_end_at is None or usual_end_at <= now:
        return forms
    return {**forms, "end": Markup(fill(cards.USUALLY_BY, at=kit.moment(usual_end_at, now, zone), **forms))}


@renders(NoticeKind.CARD)
def render_operation_card(facts: WorkspaceFacts) -> Answer:
    """Render the card of ``facts.operation`` in its current state."""
    operation = facts.operation
    assert operation is not None, "a card is the card of an operation"
    if operation.is_open:
        return _render_open_card(facts, operation)
    end = RENDERERS[end_of(operation)]
    if operation.outcome is not Outcome.FULFILLED or end.is_true(facts):
        return end.render(facts)
    if operation.verb.brings_down:
        return _render_card(facts, [cards.SINCE[State.STARTING]], [], list_buttons(facts, State.RUNNING))
    return _render_no_longer_running(facts, operation)


def get_name(facts: Facts) -> str:
    """Return the name of the run or workspace as its owner knows it, or a generic phrase if it has none."""
    match facts:
        case RunFacts(run=run):
            return run.name
        case WorkspaceFacts(workspace=Workspace() as workspace):
            return workspace.title
        case WorkspaceFacts(former_name=str(name)) if name:
            return name
        case _:
            return "your workspace"


def fill_notice(template: Template, facts: Facts, **more: object) -> str:
    """Fill a template with ``more`` and the values that all notices share: name, title and verb forms.

    By default, ``at`` is the time at which the notice was written.
    """
    operation = facts.operation if isinstance(facts, WorkspaceFacts) else None
    forms = VERB_FORMS[operation.asked_verb if operation is not None else None]
    names = {"name": get_name(facts), "title": facts.connection_title, **forms}
    if "{gone}" in "".join(template):
        names["gone"] = describe_gone(facts)
    return fill(template, **{**names, "at": lambda: kit.moment(facts.written_at, facts.written_at), **more})


def describe_gone(facts: Facts) -> Markup:
    """Say that a workspace no longer exists.

    If the provider has never listed it as the person's own, it may still exist, so only say that it isn't
    listed.
    """
    text = cards.NOT_SHOWN if _was_never_shown(facts) else cards.GONE
    return Markup(fill(text, title=facts.connection_title))


def _was_never_shown(facts: Facts) -> bool:
    workspace = facts.workspace if isinstance(facts, WorkspaceFacts) else None
    return workspace is not None and workspace.was_never_shown


def notice(
    template: str,
    facts: Facts,
    buttons: Iterable[Element] = (),
    *,
    small: Sequence[str] = (),
    **more: object,
) -> Answer:
    """Return a message made from a template, which ``fill_notice`` fills."""
    return kit.message(fill_notice(template, facts, **more), small, buttons)


def _render_card(facts: WorkspaceFacts, lines: list[str], small: list[str], buttons: list[Element]) -> Answer:
    title = fill(cards.HEAD, mark=get_mark(facts), name=get_name(facts), title=facts.connection_title)
    return kit.message(kit.join([title, *lines], "\n"), small, buttons)


def _render_open_card(facts: WorkspaceFacts, operation: Operation) -> Answer:
    workspace = facts.workspace
    if operation.question_since is not None:
        sentence = fill(cards.ASKED, title=facts.connection_title)
        buttons = [
            *list_question_buttons(operation.id),
            *([stop_button(workspace, facts.effects)] if workspace is not None else []),
        ]
        return _render_card(facts, [sentence], [], buttons)
    going = is_going(operation, workspace)
    # Don't show a new request as waiting, because most requests are sent before anyone can read the message.
    is_new = facts.now - operation.created_at < MAX_PROMPT_SECONDS and not operation.block_reason
    lines = [_format_progress(facts, operation, is_going=going or is_new)]
    small = [format_hold(operation.block_reason, facts)] if operation.block_reason else []
    if obstacle := find_block(facts, operation):
        forms, small = VERB_FORMS[_get_current_verb(operation, workspace)], []
        lines = [fill(cards.NOT_YET, why=describe_obstacle(obstacle, facts), **forms)]
    elif not operation.verb.brings_down:
        lines = [*([_format_start(facts, operation)] if going or is_new else lines), *list_end_lines(facts)]
    lines += _list_condition(facts, operation) if going else []
    if operation.deadline_at is None:
        small.append(format_overdue(operation, facts.now))
    return _render_card(facts, lines, small, _open_buttons(facts, operation))


def describe_progress(facts: WorkspaceFacts, operation: Operation, *, is_explained: bool) -> list[str]:
    """Describe a workspace's open operation for a list row: its state, and at most one more fact.

    ``is_explained`` leaves out the reason for waiting, which is then given once above the list.
    """
    going = is_going(operation, facts.workspace)
    forms, said = VERB_FORMS[_get_current_verb(operation, facts.workspace)], list[str]()
    state = _format_progress(facts, operation, is_going=going)
    if is_explained:
        state = fill("Waiting to {happen}", **forms)
    elif obstacle := find_block(facts, operation):
        state = fill(cards.NOT_YET, why=describe_obstacle(obstacle, facts), **forms)
    elif operation.block_reason:
        said = [format_hold(operation.block_reason, facts)]
    elif operation.deadline_at is None:
        said = [format_overdue(operation, facts.now)]
    elif going and not operation.verb.brings_down:
        state = _format_start(facts, operation)
    # While a stop is in progress, don't announce a later one.
    if not said and not operation.verb.brings_down:
        said = list_end_lines(facts)[:1]
    return [state, *said]


LINKING: Final = frozenset({"invite", "link_url", "ask_link"})


def list_progress_buttons(
    facts: WorkspaceFacts, operation: Operation, *, is_explained: bool = False
) -> list[Element]:
    """Return the buttons in a list row that end an open operation or move it forward.

    *Refresh* is left out because it is above the list, where it applies to all rows. So is *Link again* if
    ``is_explained`` is set. The button that undoes a stop is shown only in the answer to that stop.
    """
    shared = {"refresh", *(LINKING if is_explained else ())}
    presses = ((ButtonValue.from_button(one), one) for one in _open_buttons(facts, operation))
    return [one for press, one in presses if press.name not in shared and press.mark != BACK]


def _format_start(facts: WorkspaceFacts, operation: Operation) -> str:
    usual_end_at = operation.usual_end_at
    if usual_end_at is None or operation.usual_seconds is None or is_slow(operation, facts.now):
        state = _format_progress(facts, operation, is_going=True)
        return kit.join([state, *format_usual_time(facts, operation)])
    at = kit.moment(usual_end_at, facts.now, facts.zone)
    return _format_progress(facts, operation, is_going=True, usual=at)


def format_hold(hold: Hold | None, facts: Facts) -> str:
    """Say why a work item is on hold."""
    return kit.format_reason(holds.explain_hold(hold, facts.connection_title), facts.now, facts.zone)


def _format_progress(
    facts: WorkspaceFacts, operation: Operation, *, is_going: bool, usual: Markup | None = None
) -> str:
    since = operation.began_at if is_going else operation.created_at
    forms = VERB_FORMS[_get_current_verb(operation, facts.workspace)]
    going = "{Happening} since {since}." if usual is None else cards.GOING_ON_USUAL
    template = going if is_going else "Waiting to {happen} since {since}."
    return fill(template, since=kit.since(since, facts.now, facts.zone), at=usual, **forms)


def format_overdue(operation: Operation, now: float) -> str:
    """Say what happens next with an operation whose deadline has passed."""
    if operation.has_lapsed:
        return fill(cards.LAPSED, **VERB_FORMS[operation.verb])
    if not operation.has_called:
        return "I'll keep trying and tell you when it's done."
    return cards.STILL_CHECKING if is_on_time(operation, now) else cards.STILL_WAITING


def find_block(facts: Facts, work_item: WorkItem) -> str:
    """Return why a work item has to wait until its owner links again, or "" if linking wouldn't help."""
    # If the provider refuses calls for several people, this person's link isn't the cause.
    is_theirs = work_item.block_reason != PEOPLE_OUT
    return facts.obstacle if facts.obstacle in LINK_HELPS and is_theirs and not work_item.has_called else ""


def _get_current_verb(operation: Operation, workspace: Workspace | None) -> OperationVerb:
    """Return the verb for an operation's current phase, which is START once the workspace was created."""
    is_made = workspace is not None and not workspace.is_provisional
    return (
        OperationVerb.START
        if operation.asked_verb is OperationVerb.CREATE and is_made
        else operation.asked_verb
    )


def _open_buttons(facts: WorkspaceFacts, operation: Operation) -> list[Element]:
    workspace = facts.workspace
    is_theirs = operation.block_reason != PEOPLE_OUT
    is_held = (operation.block_reason and is_theirs and facts.is_refused) or find_block(facts, operation)
    buttons = [link_again_button(facts)] if is_held else []
    buttons += list_late_buttons(operation)
    is_running = facts.state is State.RUNNING and not (operation.has_called or facts.is_unusable)
    if operation.block_reason and is_running and operation.verb is OperationVerb.START and facts.ide_url:
        # The workspace was running when it was last read, so *Open* may be all that people need.
        buttons += open_buttons(facts)
    if workspace is not None and not operation.verb.brings_down:
        buttons.append(stop_button(workspace, facts.effects))
    elif workspace is not None and not (operation.agreed or buttons or force_buttons(facts)):
        buttons += list_opposite_button(operation.verb, workspace)
    return [*buttons, *force_buttons(facts), kit.button(cards.REFRESH, "refresh", operation.id)]


def list_question_buttons(key: str, prefix: str = "") -> list[Element]:
    """Return the buttons for the question that Usher asks if it can't tell whether a call worked."""
    return [
        kit.button("Check again", f"{prefix}look_again", key, style=kit.PRIMARY),
        kit.button("Start another", f"{prefix}start_another", key),
    ]


def question_or_answer(
    facts: Facts, work_item: WorkItem | None, question: Answer, *, is_made: bool
) -> Answer:
    """Ask whether to create a second workspace or launch a second run, or say that this is settled."""
    if work_item is not None and work_item.is_asked:
        return question
    over = notices.ASKED_ANOTHER if work_item is not None and work_item.is_open else notices.ASKED_OVER
    sentence = fill_notice(notices.ASKED_FOUND if is_made else over, facts)
    return kit.message(sentence)


def keep_waiting_button(work_item: WorkItem, prefix: str = "") -> Element:
    """Return the *Keep waiting* button, for an operation or a run that is taking longer than usual."""
    return kit.button("Keep waiting", f"{prefix}keep_waiting", work_item.id, style=kit.PRIMARY)


def list_late_buttons(operation: Operation) -> list[Element]:
    """Return the *Keep waiting* button once the deadline has passed.

    Return [] if no call has been made and Usher keeps trying anyway.
    """
    is_late = operation.deadline_at is None and (operation.has_called or operation.has_lapsed)
    return [keep_waiting_button(operation)] if is_late else []


def force_buttons(facts: WorkspaceFacts) -> list[Element]:
    """Return the *Force quit* button if a stop has had no effect in time and the provider can force stops."""
    operation, workspace = facts.operation, facts.workspace
    if (
        operation is None
        or workspace is None
        or not is_unanswered(operation, facts.now)
        or not facts.may("force")
    ):
        return []
    return [force_button(workspace, facts.effects)]


def format_usual_time(facts: WorkspaceFacts, operation: Operation) -> list[str]:
    """Say when the workspace is usually ready. If its start is slow, say how long starts usually take."""
    usual_end_at = operation.usual_end_at
    if operation.usual_seconds is None or usual_end_at is None:
        return []
    if is_slow(operation, facts.now):
        return [fill(cards.USUAL_PASSED, usual=Markup(times.format_roughly(operation.usual_seconds)))]
    # Show the time rather than the time left, which would have to be updated over and over.
    return [fill("Usually ready by {at}.", at=kit.moment(usual_end_at, facts.now, facts.zone))]


def _list_condition(facts: WorkspaceFacts, operation: Operation) -> list[str]:
    """Return the provider's message about a workspace that is starting or stopping.

    Until a start is slow, return only warnings, because other messages change with each read.
    """
    workspace = facts.workspace
    # Once the workspace is running, the provider's message is about something other than the start.
    if workspace is None or (workspace.state is State.RUNNING and not workspace.lacks):
        return []
    if is_on_time(operation, facts.now) and not workspace.lacks:
        workspace = replace(workspace, detail=None, progress=None)
    said = problems.describe_condition(workspace, facts.connection_title)
    if workspace.progress is not None and workspace.state is State.STARTING:
        template = "{said} ({percent}%)" if said else "{title} says {percent}%."
        return [
            fill(
                template,
                said=Markup(safe(said, 300)),
                percent=workspace.progress,
                title=facts.connection_title,
            )
        ]
    return [safe(said, 300)] if said else []


def _render_no_longer_running(facts: WorkspaceFacts, operation: Operation) -> Answer:
    template = cards.SINCE.get(facts.state)
    if template is None:
        return RENDERERS[NoticeKind.READY].render(facts)
    sentence = fill(
        template, title=facts.connection_title, because=format_failure(facts), gone=describe_gone(facts)
    )
    buttons = list_buttons(facts, State.GONE if facts.state is State.GONE else State.STOPPED)
    if facts.state in {State.STARTING, State.STOPPING}:
        buttons = [kit.button(cards.REFRESH, "refresh", operation.id)]
    return _render_card(facts, [sentence], [], [*buttons, *list_page_button(facts)])


def describe_running(
    facts: WorkspaceFacts, first: Sequence[str] = (), *, place: str = ""
) -> tuple[list[str], list[str], list[Element]]:
    """Return the parts of a message about a running workspace: paragraphs, small print and buttons.

    The small print consists of ``place``, ``first``, when the workspace ends, and its machine.
    """
    workspace = facts.workspace
    remark = workspace.event_message if workspace is not None else None
    told = [*first, *list_end_lines(facts), *list_machine_lines(facts.workspace)]
    if place:
        told.insert(0, Markup(f"{place} ·") if told else place)
    small = [kit.join(told)] if told else []
    small += [kit.format_reason(remark, facts.now, facts.zone)] if remark else []
    buttons = [
        *list_buttons(facts, State.RUNNING, open_buttons(facts)),
        *list_later_button(facts),
        *list_hours_button(facts),
    ]
    lines = [line] if (line := format_opening(facts)) else []
    if facts.opens_in_page and workspace is not None and workspace.detail:
        # A warning from the provider, for example that setting up the workspace may have failed.
        lines.append(safe(workspace.detail, 300))
    return lines, small, buttons


def list_machine_lines(row: Workspace | Run | None) -> list[str]:
    """Return a line with what is known about the machine: its size, its hourly price, or both."""
    if row is None or not (row.size or row.price):
        return []
    size = [fill("Size *{size}*", size=row.size)] if row.size else []
    price = row.hourly_price
    return [f"{', '.join([*size, *([kit.line(price.label)] if price else [])])}."]


def format_opening(facts: WorkspaceFacts) -> str:
    """Say that a workspace opens on Usher's page, has no URL, or isn't usable yet. Otherwise, return ""."""
    if facts.workspace is not None and facts.is_unusable:
        because = problems.describe_condition(facts.workspace, facts.connection_title)
        return fill("It can't be used right now. {because}", because=Markup(safe(because, 300)))
    if facts.opens_in_page:
        without = cards.NOT_OPEN if facts.has_public_url else cards.NO_PAGE
        return fill(cards.OPENS_HERE if facts.ide_url else without, title=facts.connection_title)
    if facts.ide_url and facts.workspace is not None and facts.workspace.lacks == "page":
        return safe(problems.describe_condition(facts.workspace, facts.connection_title), 300)
    return "" if facts.ide_url else fill(cards.NO_ADDRESS, title=facts.connection_title)


def list_again_buttons(facts: WorkspaceFacts) -> list[Element]:
    """Return the *Start a new one* button if another workspace like this can be created."""
    return [again_button(facts.workspace)] if facts.workspace and can_be_made_again(facts) else []


def is_reached_anyhow(facts: WorkspaceFacts, operation: Operation) -> bool:
    """Return whether a workspace reached its operation's target state after the operation failed."""
    workspace = facts.workspace
    if workspace is None or workspace.is_provisional or operation.outcome is Outcome.REPLACED:
        return False
    if (workspace.observed_at or 0.0) <= (operation.ended_at or 0.0):
        return False  # Nobody has read the workspace since.
    if operation.verb is OperationVerb.REMOVE:
        return workspace.state is State.GONE
    return workspace.is_down if operation.verb.brings_down else workspace.state in _UP


def describe_present(facts: WorkspaceFacts) -> tuple[str, list[Element]]:
    """Describe a workspace's current state, and return the buttons for it."""
    workspace = facts.workspace
    assert workspace is not None, "only what is known can have become something"
    now = {
        State.RUNNING: "It's running now.",
        State.STARTING: "It's starting now.",
        State.GONE: fill(cards.GONE_SINCE, gone=describe_gone(facts)),
    }
    return now.get(workspace.state, "It isn't running now."), list_buttons(facts, opening=open_buttons(facts))


def format_reference(operation: Operation | None) -> list[str]:
    """Return a line with the operation's reference in the log if it ended in an error."""
    if operation is None or operation.outcome not in _BROKEN:
        return []
    return format_reference_line(operation.reference, operation.cause)


def format_reference_line(reference: str | None, cause: str | None) -> list[str]:
    """Return a line with the reference to tell an administrator, or [] if there was no error."""
    if not reference or causes.get_cause_word(cause) in problems.NO_FAULTS:
        return []
    return [fill(cards.REFERENCE, reference=reference)]


def format_cause(facts: WorkspaceFacts, cause: str) -> str:
    """Explain why an operation failed. If the provider gave a reason, it is in the workspace's row."""
    said = format_failure(facts, cause)
    return (
        f"The old one has ended, and I couldn't start a new one in its place. {said}"
        if facts.operation is not None and facts.operation.replaces_ended_workspace
        else said
    )


def format_failure(facts: WorkspaceFacts, cause: str = "provider_failed") -> Markup:
    """Explain a failure, with the provider's reason if there is one, and say who or what can help."""
    reason = facts.workspace.reason if facts.workspace is not None else None
    has_page = bool(facts.page_url)
    cause = "not_shown" if cause == "gone" and _was_never_shown(facts) else cause
    said = holds.explain_end(cause, facts.connection_title, reason or "", has_page=has_page)
    if facts.workspace is None:
        said = said.removesuffix(problems.WANTED).rstrip()
    return Markup(kit.format_reason(said, facts.now, facts.zone))


def retry_buttons(facts: WorkspaceFacts, operation: Operation) -> list[Element]:
    """Return the buttons for a failed operation."""
    word = causes.get_cause_word(operation.cause)
    if word in {"unlinked", "another_account", "credential_refused", "renamed"}:
        return [link_again_button(facts)]
    if word in {"gone", "not_found", "forgotten"}:
        return [*list_again_buttons(facts), *list_page_button(facts)]
    if word == causes.STALE and facts.workspace is not None:
        is_creation = operation.verb is OperationVerb.CREATE
        label = cards.START_NEW if is_creation else VERB_FORMS[operation.verb]["Do"]
        again = kit.button(label, "try_again", operation.id, style=kit.PRIMARY)
        return [again, no_thanks_button()]
    # Don't offer *Try again* if the next attempt would fail for the same reason (the sentence already says
    # what helps), or if the workspace's row no longer exists.
    is_hopeless = word == "no_restart" or facts.workspace is None
    if operation.outcome in {Outcome.FAILED, Outcome.CANCELLED, Outcome.UNKNOWN} and not is_hopeless:
        again = kit.button(cards.TRY_AGAIN, "try_again", operation.id, style=kit.PRIMARY)
        is_stop = operation.verb is OperationVerb.STOP and facts.state is State.RUNNING and facts.may("stop")
        if facts.workspace is None or not (facts.can_still_run or is_stop):
            return [again, *list_page_button(facts)]
        if operation.verb in {OperationVerb.STOP, OperationVerb.FORCE}:
            return [*list_buttons(facts), *list_page_button(facts)]
        return [again, stop_button(facts.workspace, facts.effects), *list_page_button(facts)]
    return list_page_button(facts)


def no_thanks_button() -> Element:
    """Return the *No, thanks* button, which declines a question and does nothing else."""
    return kit.button("No, thanks", "leave")


def link_again_button(facts: Facts) -> Element:
    """Return the *Link again* button, which opens a link page or asks an administrator for a link."""
    if facts.linking == {"admin"}:
        return kit.button(cards.LINK_AGAIN, "ask_link", facts.connection, style=kit.PRIMARY)
    return link_connection_button(cards.LINK_AGAIN, facts.connection, facts.link_pages)


def link_connection_button(
    label: str,
    connection: str,
    pages: Mapping[str, str],
    waiting: str = "",
    *,
    number: int | None = None,
    until: float | None = None,
    of: str = "",
) -> Element:
    """Return a *Link* button.

    The button opens the connection's link page. If ``pages`` has none, the button requests a new page.
    ``until`` is when the page expires. ``waiting`` is the command to run once the account is linked. When a
    button without a page is pressed, the command is parsed again and runs with the rights of the person who
    pressed it.
    """
    url, value = pages.get(connection), carry_command(connection, waiting)
    press = ButtonValue("invite", value, number=number)
    if url is not None:
        press = ButtonValue("link_url", value, number=number, at=until)
    return kit.button(label, press, style=None if number else kit.PRIMARY, url=url, of=of)


def carry_command(connection: str, waiting: str) -> str:
    """Return a button's value: a connection, and the command that waits until it is linked.

    A command that is too long for a button is left out.
    """
    value = f"{connection} {waiting}".strip()
    return value if len(value) <= limits.MAX_BUTTON_VALUE_LENGTH else connection

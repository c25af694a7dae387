"""Messages about an operation that has ended, is taking a long time, or has an unknown outcome."""

from bot.domain.message_context import WorkspaceFacts
from bot.domain.notices import Answer, NoticeKind
from bot.domain.timeouts import is_on_time
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.messages.blocks import kit, waitlist
from bot.messages.blocks.buttons import (
    describe_obstacle,
    get_mark,
    list_buttons,
    list_end_lines,
    list_page_button,
    stop_button,
)
from bot.messages.blocks.cards import (
    describe_present,
    describe_running,
    fill_notice,
    find_block,
    force_buttons,
    format_cause,
    format_failure,
    format_hold,
    format_overdue,
    format_reference,
    format_usual_time,
    is_reached_anyhow,
    link_again_button,
    list_again_buttons,
    list_late_buttons,
    list_question_buttons,
    notice,
    question_or_answer,
    retry_buttons,
)
from bot.messages.blocks.courses import describe_end
from bot.messages.blocks.kit import Markup, fill
from bot.messages.blocks.renderers import renders
from bot.messages.texts import cards, holds, notices, problems, times


def is_ready_over(facts: WorkspaceFacts) -> bool:
    """Return whether a workspace that was ready has gone down since, or got a newer request."""
    return facts.workspace is not None and (facts.is_superseded or facts.state in notices.READY_UNTIL)


@renders(
    NoticeKind.READY,
    is_true=lambda facts: facts.state is State.RUNNING,
    together=lambda facts: None if facts.is_unusable else notices.READY_TOGETHER,
)
def render_ready(facts: WorkspaceFacts) -> Answer:
    """Say that a workspace is ready or, if it has changed since, that it was and what happened later."""
    operation = facts.operation
    is_news = operation is None or operation.has_called
    if is_ready_over(facts):
        ended_at = (operation.ended_at if operation is not None else None) or facts.written_at
        template = notices.READY_UNTIL.get(facts.state, "*{name}* {was} {at}.")
        at = kit.moment_at(ended_at, facts.now, facts.zone)
        was = "became ready" if is_news else "was already running"
        return kit.message(fill_notice(template, facts, at=at, was=was))
    waited = None if operation is None else operation.seconds_waited
    took = [] if waited is None else [fill("It took {took}.", took=times.format_duration(waited))]
    place = Markup(kit.line(facts.connection_title))
    lines, small, buttons = describe_running(facts, took, place=place)
    template = notices.READY if is_news else notices.READY_ALREADY
    because = Markup("")
    if operation is not None and operation.was_sent_late:
        said = holds.describe_delay(operation.delayed_by, facts.connection_title, operation.called_at or 0.0)
        because = Markup(kit.format_reason(said, facts.now, facts.zone))
    template = "{mark} *{name}* is ready, later than usual: {because}" if because and is_news else template
    template = "{mark} *{name}* is running." if facts.is_unusable else template
    said = fill_notice(template, facts, mark=get_mark(facts), because=because)
    sentence = kit.join([kit.join([said, *lines[:1]]), *lines[1:]], "\n")
    ready = kit.message(sentence, small, buttons)
    is_granted = facts.body.get("granted") and not facts.is_unusable
    return waitlist.add_grant(facts, ready) if is_granted else ready


@renders(
    NoticeKind.READY_LINK,
    is_true=lambda facts: (
        facts.state is State.RUNNING and facts.ide_url is not None and not facts.is_url_shown
    ),
    together=lambda _facts: notices.READY_TOGETHER,
)
def _render_ready_link(facts: WorkspaceFacts) -> Answer:
    lines, small, buttons = describe_running(facts, place=Markup(kit.line(facts.connection_title)))
    said = fill_notice("{mark} *{name}* can be opened now.", facts, mark=get_mark(facts))
    return kit.message(kit.join([said, *lines], "\n"), small, buttons)


def _is_missed(facts: WorkspaceFacts) -> bool:
    return facts.operation is not None and not is_reached_anyhow(facts, facts.operation)


@renders(NoticeKind.FAILED, is_true=_is_missed)
def _render_failed(facts: WorkspaceFacts) -> Answer:
    outcome = (facts.operation.outcome if facts.operation is not None else None) or Outcome.FAILED
    offers = _is_missed(facts) and outcome is not Outcome.REFUSED
    offer = waitlist.render_offer(facts) if offers else None
    return waitlist.add_end(facts, offer or _render_failure(facts, outcome))


def _render_failure(facts: WorkspaceFacts, outcome: Outcome) -> Answer:
    """Say why an operation failed or, if its goal was reached anyway, describe the workspace."""
    operation = facts.operation
    cause = (operation.cause if operation is not None else None) or facts.word("cause")
    usual = fill_notice(
        cards.SENT if cause in {"sent", "sent_before_plan"} else cards.ENDED_NAMED[outcome], facts
    )
    if operation is not None and operation.good_until is not None and outcome is Outcome.FAILED:
        at = Markup(kit.moment(operation.planned_for or 0.0, facts.now, facts.zone))
        usual = fill_notice("I couldn't {do} *{name}* on {title} as planned for {at}.", facts, at=at)
    sentence = describe_end(facts, is_done=False) or usual
    if cause != "cancelled":
        because = cause or (str(outcome) if outcome in problems.CAUSES else "internal")
        sentence = kit.join([sentence, format_cause(facts, because)])
    buttons = retry_buttons(facts, operation) if operation is not None else []
    if operation is not None and is_reached_anyhow(facts, operation):
        now, buttons = describe_present(facts)
        sentence = kit.join([sentence, now, *list_end_lines(facts)], "\n")
    return kit.message(sentence, format_reference(operation), buttons)


def _is_down(facts: WorkspaceFacts) -> bool:
    return not facts.is_up


def _get_combined_texts(facts: WorkspaceFacts) -> tuple[str, str] | None:
    operation = facts.operation
    # Don't combine stops at the end of a class, because each message says who ended the class.
    if facts.state is not State.STOPPED or facts.stopping_class is not None or operation is None:
        return None
    return notices.PLANNED_TOGETHER if operation.planned_for is not None else notices.STOPPED_TOGETHER


@renders(NoticeKind.STOPPED, is_true=_is_down, together=_get_combined_texts)
@renders(NoticeKind.STOPPED_ELSEWHERE, is_true=_is_down)
def _render_stopped(facts: WorkspaceFacts) -> Answer:
    operation, workspace = facts.operation, facts.workspace
    if operation is not None and operation.cause == "not_made":
        return notice(notices.NOT_MADE, facts, list_again_buttons(facts))
    is_gone = workspace is not None and workspace.state is State.GONE
    is_asked = operation is not None and operation.verb.brings_down
    is_planned = operation is not None and operation.planned_for is not None
    elsewhere = notices.STOPPED_BECAUSE.get(facts.word("expired"), notices.STOPPED_ELSEWHERE)
    template = notices.STOPPED if is_asked else elsewhere
    if facts.state is State.SUSPENDED:
        template = notices.SUSPENDED
    elif facts.state is State.FAILED and not is_asked:
        template = notices.FAILED_ELSEWHERE
    elif is_asked and operation is not None and not operation.has_called and not is_planned:
        template = notices.STOPPED_ALREADY
    if is_gone:
        # A workspace that no longer exists wasn't merely stopped. Its end was intended only if the owner
        # consented.
        template = notices.ENDED if operation is not None and operation.agreed else notices.NO_LONGER_EXISTS
    usual = fill_notice(template, facts, because=format_failure(facts))
    if template == notices.NO_LONGER_EXISTS and workspace is not None and workspace.detail:
        usual = kit.join([usual, kit.safe(workspace.detail, 300)])
    if is_planned and template != notices.NO_LONGER_EXISTS:
        usual = kit.join([usual, "This stop was planned."])
    sentence = usual if template == notices.NO_LONGER_EXISTS else describe_end(facts, is_done=True) or usual
    buttons = list_buttons(facts, State.GONE if is_gone else State.STOPPED)
    buttons = list_again_buttons(facts) if template == notices.ENDED else buttons
    if template == notices.FAILED_ELSEWHERE:
        buttons = [*buttons, *list_page_button(facts)]
    return kit.message(sentence, [], buttons)


def _has_turned_out(facts: WorkspaceFacts) -> bool:
    match facts.word("said"):
        case "gone" | "not_made":
            return facts.state not in {State.GONE, State.UNKNOWN}
        case "ready" | "not_stopped":
            return not facts.is_up
        case _:
            return facts.state is State.RUNNING


@renders(NoticeKind.TURNED_OUT, is_true=_has_turned_out)
def _render_turned_out(facts: WorkspaceFacts) -> Answer:
    said = facts.word("said")
    if said not in notices.TURNED_OUT:
        return _render_stopped(facts)
    is_gone = said == "not_stopped" and facts.state is State.GONE
    template = notices.NO_LONGER_EXISTS if is_gone else notices.TURNED_OUT[said]
    sentence = fill_notice(template, facts, state=describe_present(facts)[0])
    if facts.state is not State.RUNNING:
        return kit.message(sentence, [], list_buttons(facts))
    lines, more, buttons = describe_running(facts)
    return kit.message(kit.join([sentence, *lines], "\n"), more, buttons)


@renders(NoticeKind.REMOVED)
def _render_removed(facts: WorkspaceFacts) -> Answer:
    is_unmade = facts.operation is not None and facts.operation.cause == "not_made"
    return notice(notices.NOT_MADE if is_unmade else notices.REMOVED, facts, list_again_buttons(facts))


def _is_waiting(facts: WorkspaceFacts) -> bool:
    operation = facts.operation
    if operation is None or not operation.is_open:
        return False
    return operation.deadline_at is None or (operation.planned_for is not None and not operation.has_called)


@renders(NoticeKind.WAITING, is_true=_is_waiting)
def _render_waiting(facts: WorkspaceFacts) -> Answer:
    operation = facts.operation
    if operation is None:
        return notice(notices.WAITING, facts)
    buttons, is_up_next = list_late_buttons(operation), not operation.verb.brings_down
    if facts.workspace is not None and is_up_next:
        buttons.append(stop_button(facts.workspace, facts.effects))
    buttons += [*force_buttons(facts), *list_page_button(facts)]
    then = [] if is_up_next and not operation.has_lapsed else [format_overdue(operation, facts.now)]
    if obstacle := find_block(facts, operation):
        sentence = fill_notice(notices.NOT_YET, facts, why=describe_obstacle(obstacle, facts))
        return kit.message(kit.join([sentence, *then]), [], [link_again_button(facts), *buttons])
    small = [format_hold(operation.block_reason, facts)] if operation.block_reason else []
    if facts.workspace and (
        condition := problems.describe_condition(facts.workspace, facts.connection_title)
    ):
        small.insert(0, kit.safe(condition, 300))
    if operation.is_planned_ahead:
        times_ = {"at": operation.planned_for, "until": operation.good_until}
        planned = {name: Markup(kit.moment(at or 0.0, facts.now, facts.zone)) for name, at in times_.items()}
        return kit.message(fill_notice(notices.WAITING_PLANNED, facts, **planned), small, buttons)
    if operation.has_called and is_on_time(operation, facts.now):
        usual = Markup(kit.join(format_usual_time(facts, operation)))
        return kit.message(fill_notice(notices.WAITING_ON_TIME, facts, usual=usual), small, buttons)
    sentence = fill_notice(notices.WAITING if operation.has_called else notices.WAITING_UNSENT, facts)
    return kit.message(kit.join([sentence, *([] if operation.has_called else then)]), small, buttons)


@renders(NoticeKind.OUTCOME_QUESTION)
def render_question(facts: WorkspaceFacts) -> Answer:
    """Ask whether to create another workspace, or say that this is settled."""
    operation, workspace = facts.operation, facts.workspace
    buttons = list_question_buttons(operation.id) if operation is not None else []
    question = notice(notices.ASKED, facts, buttons)
    is_made = workspace is not None and not workspace.is_provisional
    return question_or_answer(facts, operation, question, is_made=is_made)

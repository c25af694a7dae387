"""Answers that list workspaces, runs or a server's users, or that offer actions on workspaces and runs.

A page of a list has at most 50 blocks.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import tzinfo
from itertools import repeat
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from bot.domain.holds import find_common_code
from bot.domain.message_context import RunFacts, WorkspaceFacts
from bot.domain.notices import Answer
from bot.domain.operations import Operation
from bot.domain.runs import Run
from bot.domain.snapshots import About, Snapshot, User
from bot.domain.stops import StopEffect
from bot.domain.timeouts import is_run_unanswered
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks import kit, limits, replies
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.buttons import (
    MAX_CHOICES,
    describe_obstacle,
    format_cost,
    format_stop_risk,
    get_mark,
    get_wait,
    list_buttons,
    list_end_lines,
    list_hours_button,
    list_later_button,
    list_page_button,
    make_change,
    open_button,
)
from bot.messages.blocks.cards import (
    describe_progress,
    find_block,
    format_hold,
    link_again_button,
    list_machine_lines,
    list_progress_buttons,
    render_operation_card,
)
from bot.messages.blocks.commands import describe_command
from bot.messages.blocks.hours import format_lines
from bot.messages.blocks.kit import Block, Element, Markup, fill, get_page, line, row, safe
from bot.messages.blocks.plans import list_lessons
from bot.messages.blocks.runs import (
    again_button,
    force_button,
    format_state_lines,
    list_card_buttons,
    list_logs_button,
    run_card,
    stop_run_button,
)
from bot.messages.texts import answers, cards, problems, talk, times, waitlist
from bot.messages.texts import runs as run_words
from bot.messages.verb import Verb, find_verb

#: Maximum number of rows that fit into a message, along with a title, a remark and buttons.
PAGE_SIZE = 20
#: Number of rows that fit on a small screen. A longer list has a search field.
AT_A_GLANCE: Final = 10
#: Below a list of workspaces, one line says when their states were read from the providers. It applies to all
#: states read at most this many seconds before the latest one. Rows with older states show their own times.
SEEN_TOGETHER_SECONDS: Final = 300.0
#: Maximum number of rows with several buttons. In longer lists, each row has a menu instead, so that the list
#: takes up at most two screens.
MAX_ROWS_WITH_BUTTONS: Final = 8
#: Maximum length of the provider's message about a workspace, so that each row takes up only two lines.
MAX_DETAIL_LENGTH: Final = 80


def format_state_line(facts: WorkspaceFacts, workspace: Workspace) -> str:
    """Return a workspace's state, and when it was read."""
    if waits := _format_wait(facts):
        return fill(answers.ROW, **_get_head(facts, workspace), state=waits)
    state, as_of = format_state(facts.now, workspace, facts.zone)
    return fill(answers.STATE_LINE, **_get_head(facts, workspace), state=state, as_of=as_of)


def _format_wait(facts: WorkspaceFacts) -> Markup:
    """Say what a workspace is waiting for between two attempts to start it, and until when.

    If it isn't waiting, return "".
    """
    wait = get_wait(facts)
    if wait is None:
        return Markup("")
    until = kit.moment(wait.expires_at, facts.now, facts.zone)
    return Markup(fill(waitlist.WAITING_UNTIL, what=waitlist.WAITED_FOR.get(wait.kind, "room"), until=until))


def _get_head(facts: WorkspaceFacts, workspace: Workspace) -> dict[str, object]:
    """Return the values for the first line about a workspace. Its name is a link if it can be opened."""
    is_open = facts.ide_url is not None and workspace.state is State.RUNNING
    name = kit.link(facts.ide_url or "", workspace.title) if is_open else workspace.title
    title = facts.connection_title
    if not workspace.is_own:
        title = f"{workspace.owner}'s · {title}"
    return {"mark": get_mark(facts), "name": name, "title": title}


def get_state_word(workspace: Workspace, state: State) -> str:
    """Return the word for a workspace's state."""
    if workspace.is_provisional:
        return "Being created"
    return "Not in your account" if state is State.GONE and workspace.was_never_shown else cards.STATES[state]


def format_choice_state(facts: WorkspaceFacts, workspace: Workspace) -> str:
    """Format a workspace's state for a menu option, in words only, without times."""
    if (wait := get_wait(facts)) is not None:
        return "Waiting for {what}".format(what=waitlist.WAITED_FOR.get(wait.kind, "room"))
    return get_state_word(workspace, _find_next_state(workspace, facts.operation))


def _find_next_state(workspace: Workspace, operation: Operation | None) -> State:
    """Return STARTING or STOPPING while an operation is open, otherwise the workspace's own state."""
    if operation is None:
        return workspace.current_state
    return State.STOPPING if operation.verb.brings_down else State.STARTING


def format_state(now: float, workspace: Workspace, zone: ZoneInfo | None = None) -> tuple[Markup, Markup]:
    """Return a workspace's state, when it was read and, if known, when it began."""
    found = workspace.current_state
    state = Markup(get_state_word(workspace, found))
    since = workspace.started_at if found is State.RUNNING else workspace.down_at
    if since is not None and found is not State.UNKNOWN and not workspace.is_provisional:
        template = answers.GONE if found is State.GONE else "{state} since {since}"
        state = Markup(fill(template, state=state, since=kit.since(since, now, zone)))
    if workspace.is_provisional or workspace.read_at is None:
        return state, Markup("not checked yet")
    return state, Markup(fill(answers.SEEN, at=kit.moment(workspace.read_at, now, zone)))


def workspace_list(
    rows: Sequence[WorkspaceFacts],
    *,
    page: kit.RowPage[Workspace] | None = None,
    count: int = 0,
    remark: str = "",
    replaces: bool = False,
    more: Iterable[Element] = (),
    what: str = answers.WORKSPACES,
    words: str = "",
) -> Answer:
    """List workspaces.

    ``rows`` are all workspaces, one ``page`` of them, or the most relevant of ``count``. ``what`` describes
    the selection, and ``words`` is what to type to list it again. The owner's list begins with a menu, which
    has the buttons in ``more`` and, if the list is long, a search through all workspaces.
    """
    one = get_page(rows, 1, PAGE_SIZE) if page is None else kit.RowPage(rows, page.number, page.remaining)
    all_ = (one.number - 1) * PAGE_SIZE + len(rows) + one.remaining
    if count:
        one = replace(one, remaining=count - len(rows))
    title = fill(answers.LIST, what=Markup(what))
    drawn, seen = render_workspaces(one.shown)
    search = [replies.search("status")] if max(all_, count) > AT_A_GLANCE else []
    show_all = kit.button(f"Show all {count:,}", ButtonValue("list", "1 all", mark="more"))
    head = " · ".join([f"*{title}*", *seen])
    next_ = show_all if count else None
    blocks = _build_list("list", head, [*search, *more], drawn, one, remark, words, next_)
    return kit.answer(blocks, replaces=replaces)


def _build_list(
    verb: str,
    head: str,
    above: Sequence[Element],
    rows: Iterable[Block],
    page: kit.RowPage[WorkspaceFacts] | kit.RowPage[RunFacts],
    remark: str,
    words: str,
    next_: Element | None = None,
) -> list[Block]:
    """Return a list: its head, a menu with *Refresh*, the rows, how many are left, a remark, and *More*.

    *Refresh* repeats ``verb``, as does *More* unless there is another ``next_`` button. They keep the list's
    filter, ``words``.
    """
    refresh = ButtonValue(verb, f"{page.number} {words}".strip(), mark="refresh")
    blocks = [kit.section(head), *kit.actions([*above, kit.button(cards.REFRESH, refresh)]), *rows]
    small = [answers.AND_MORE.format(count=page.remaining)] if page.remaining else []
    if small or remark:
        blocks.append(kit.context(*small, *filter(None, [remark])))
    following = ButtonValue(verb, f"{page.number + 1} {words}".strip(), mark="more")
    return [*blocks, *kit.actions([next_ or kit.button(cards.MORE, following)] if page.remaining else [])]


def card_answer(facts: WorkspaceFacts, *, remark: str = "") -> Answer:
    """Answer with a copy of an open operation's card and the current time. Only the original gets updates."""
    card = render_operation_card(facts)
    # An operation that a timer began has no card.
    has_card = facts.operation is None or facts.operation.planned_for is None
    below = fill(
        answers.AS_OF if has_card else answers.AS_OF_ALONE, at=kit.moment(facts.now, facts.now, facts.zone)
    )
    above = [kit.section(remark)] if remark else []
    blocks = [*above, *card.blocks, kit.context(below)]
    return kit.answer(blocks)


def status_answer(facts: WorkspaceFacts, workspace: Workspace, *, remark: str = "", more: str = "") -> Answer:
    """Answer with one workspace's state and its buttons. ``remark`` comes first, and ``more`` last."""
    own = [*list_end_lines(facts), *format_lines(facts), *list_lessons(facts)]
    risk = format_stop_risk(workspace) if facts.is_up else ""
    text = "\n".join(filter(None, [remark, format_state_line(facts, workspace), risk, *own]))
    if workspace.last_used_at is not None:
        at = kit.moment_at(workspace.last_used_at, facts.now, facts.zone)
        text = f"{text}\n{fill(answers.LAST_USED, at=at)}"
    said = problems.describe_condition(workspace, facts.connection_title, has_page=bool(facts.page_url))
    if said and get_wait(facts) is None:
        text = f"{text}\n{safe(said, 300)}"
    small = (
        [kit.format_reason(workspace.event_message, facts.now, facts.zone)] if workspace.event_message else []
    )
    small += list_machine_lines(facts.workspace)
    text = f"{text}\n{more}" if more else text
    refresh = kit.button(cards.REFRESH, "status", workspace.id, of=workspace.title)
    later = list_later_button(facts) if workspace.state is State.RUNNING else []
    buttons = [
        *list_row_buttons(facts, workspace),
        *later,
        refresh,
        *list_hours_button(facts),
        *list_page_button(facts),
    ]
    return kit.message(text, small, buttons)


def render_workspaces(rows: Sequence[WorkspaceFacts]) -> tuple[list[Block], list[str]]:
    """Render workspaces one below the other, and return a sentence that says how old their states are.

    A workspace that was read long before the others, or never, shows its own time. If several are waiting for
    the same reason, that reason is given once at the top of the list.
    """
    all_seen = [seen for facts in rows if (seen := _get_read_at(facts)) is not None]
    since = max(all_seen, default=0.0) - SEEN_TOGETHER_SECONDS
    causes = _find_common_holds(rows)
    drawn = [_render_row(facts, since, is_explained=_get_hold(facts) in causes) for facts in rows]
    is_long = sum(len(buttons) > 1 for _, buttons in drawn) > MAX_ROWS_WITH_BUTTONS
    blocks = [_explain_hold(facts) for facts in causes.values()]
    blocks += [block for text, buttons in drawn for block in _render_with_buttons(text, buttons, is_long)]
    blocks = kit.add_block_labels(
        blocks, {key: name for facts in rows for key, name in facts.objects.items()}
    )
    first = min((seen for seen in all_seen if seen >= since), default=None)
    if first is None:
        return blocks, []
    begun = [one.operation.created_at for one in rows if one.operation is not None and one.operation.is_open]
    template = "as of {at} or later" if max([*all_seen, *begun]) // 60 > first // 60 else answers.SEEN
    return blocks, [fill(template, at=kit.moment(first, rows[0].now, rows[0].zone))]


def explains(rows: Iterable[WorkspaceFacts], connection: str) -> bool:
    """Return whether one of the rows already says why calls to a connection are on hold."""
    return any(facts.connection == connection and _get_hold(facts) is not None for facts in rows)


def _find_common_holds(rows: Iterable[WorkspaceFacts]) -> dict[tuple[str, str], WorkspaceFacts]:
    """Map each reason why several workspaces wait, as (connection, code), to the first such workspace."""
    held = dict[tuple[str, str], list[WorkspaceFacts]]()
    for facts in rows:
        if (key := _get_hold(facts)) is not None:
            held.setdefault(key, []).append(facts)
    return {key: waiting[0] for key, waiting in held.items() if len(waiting) > 1}


def _explain_hold(facts: WorkspaceFacts) -> Block:
    """Explain why workspaces are waiting. If linking again helps, put that button next to the explanation."""
    operation = facts.operation
    assert operation is not None, "what waits is an operation"
    if obstacle := find_block(facts, operation):
        said = describe_obstacle(obstacle, facts)
        return kit.section(f"{said[:1].upper()}{said[1:]}.", link_again_button(facts))
    return kit.section(format_hold(operation.block_reason, facts))


def _get_hold(facts: WorkspaceFacts) -> tuple[str, str] | None:
    """Return which connection an operation is waiting for, and the code of the reason.

    Return None if the operation isn't waiting because of its connection.
    """
    operation = facts.operation
    if operation is None or not operation.is_open:
        return None
    code = find_block(facts, operation) or find_common_code(operation.block_reason)
    return (facts.connection, code) if code else None


def _get_read_at(facts: WorkspaceFacts) -> float | None:
    workspace = facts.workspace
    return None if workspace is None or workspace.is_provisional else workspace.read_at


def _render_row(facts: WorkspaceFacts, since: float, *, is_explained: bool) -> tuple[str, list[Element]]:
    """Render a row: symbol, name and connection, then the state and what happens next, then the buttons."""
    workspace, operation = facts.workspace, facts.operation
    assert workspace is not None, "a row shows a workspace"
    state, as_of = format_state(facts.now, workspace, facts.zone)
    said, buttons, is_busy = list[str](), list[Element](), operation is not None and operation.is_open
    if operation is not None and is_busy:
        first, *said = describe_progress(facts, operation, is_explained=is_explained)
        state = Markup(first)
        buttons = list_progress_buttons(facts, operation, is_explained=is_explained)
    elif waits := _format_wait(facts):
        state, is_busy = waits, True
        buttons = list_row_buttons(facts, workspace)
    else:
        said, buttons = _list_next(facts, workspace)[:1], list_row_buttons(facts, workspace)
        if workspace.state is State.RUNNING:
            buttons += [*list_later_button(facts), *list_hours_button(facts)]
    is_old = (_get_read_at(facts) or 0.0) < since and not is_busy
    line_ = " · ".join([one.rstrip(".") for one in (state, *said)] + ([as_of] if is_old else []))
    return fill(answers.ROW, state=Markup(line_), **_get_head(facts, workspace)), buttons


def _list_next(facts: WorkspaceFacts, workspace: Workspace) -> list[str]:
    """Return lines about what happens next to a workspace and what else its owner should know.

    The most important lines come first.
    """
    risk = format_stop_risk(workspace) if facts.is_up else ""
    condition = problems.describe_condition(workspace, facts.connection_title, helps=False)
    complaint = [safe(condition, MAX_DETAIL_LENGTH)] if condition else []
    said = [*([risk] if risk else []), *list_end_lines(facts)]
    said = [*complaint, *said] if facts.is_unusable else [*said, *complaint]
    return [*said, *format_lines(facts), *list_lessons(facts)]


def _render_with_buttons(text: str, buttons: Sequence[Element], is_long: bool) -> list[Block]:
    """Return a row with one button next to it, or with two buttons and a menu below it.

    In a long list, each row has only a menu.
    """
    plain = [kit.without_colour(one) for one in buttons]
    return [kit.section(text, kit.menu(plain))] if is_long and len(plain) > 1 else row(text, plain)


def list_row_buttons(facts: WorkspaceFacts, workspace: Workspace) -> list[Element]:
    """Return a workspace's buttons for a list that only its owner sees.

    If the workspace's URL isn't known, pressing *Open* requests it.
    """
    ask = kit.button(cards.OPEN, "open", workspace.id, style=kit.PRIMARY, of=workspace.title)
    opens = open_button(facts) if facts.ide_url else ask
    return list_buttons(facts, opening=[] if facts.is_unusable else [opens])


def run_list(
    rows: Sequence[RunFacts],
    *,
    page: int = 1,
    remark: str = "",
    replaces: bool = False,
    what: str = run_words.RUNS,
    words: str = "",
) -> Answer:
    """List one page of runs. A page number that is too high gives the last page.

    ``rows`` are all runs. ``what`` and ``words`` are as in ``workspace_list``.
    """
    one = get_page(rows, page, PAGE_SIZE)
    title = fill(answers.LIST, what=Markup(what))
    drawn = [block for facts in one.shown for block in render_run_row(facts)]
    blocks = _build_list("job_list", f"*{title}*", [], drawn, one, remark, words)
    return kit.answer(blocks, replaces=replaces)


def run_status(facts: RunFacts) -> Answer:
    """Answer with a run's progress and buttons, and with the time at which it was last read."""
    run = facts.run
    card = run_card(facts)
    if not run.is_going:
        return card
    remark = "Not checked yet."
    if run.observed_at is not None:
        remark = fill(answers.AS_OF_ALONE, at=kit.moment(run.observed_at, facts.now, facts.zone))
    blocks = [block for block in card.blocks if block["type"] != "actions"]
    buttons = kit.add_labels(list_card_buttons(facts), facts.objects)
    blocks += [kit.context(remark), *kit.actions(buttons)]
    return replace(card, blocks=tuple(blocks))


def list_run_choices(
    verb: str, runs: Sequence[Run], now: float, zone: tzinfo, title: Callable[[str], str]
) -> list[Element]:
    """Return one button per run, which stops the run or shows its logs or status.

    Runs with the same name show their connection, if it differs, and when they were requested. Slack can't
    format times in buttons, so that time is written in the person's own zone.
    """
    labels = {"stop": "Stop {name}", "logs": "Logs of {name}"}
    names = [kit.line(run.name).casefold() for run in runs]
    made = []
    for number, run in enumerate(runs[:MAX_CHOICES]):
        name = kit.line(run.name, 40)
        same = [one for one, other in zip(runs, names, strict=True) if other == names[number]]
        if len({one.connection for one in same}) > 1:
            name = f"{kit.line(run.name, 20)}@{kit.line(title(run.connection), 20)}"
        if len(same) > 1:
            name = fill(run_words.FROM, name=Markup(name), at=times.format_day(run.created_at, now, zone))
        label = fill(labels.get(verb, "Status of {name}"), name=Markup(name))
        button = stop_run_button(run) if verb == "stop" else kit.button(label, f"job_{verb}", run.id)
        made.append(kit.add_number(button, number, label))
    return made


def render_run_row(facts: RunFacts) -> list[Block]:
    """Render a run as a list row."""
    state = Markup("\n".join(format_state_lines(facts)))
    sentence = fill(run_words.ROW, name=facts.run.name, title=facts.connection_title, state=state)
    buttons = [kit.without_colour(one) for one in _list_run_buttons(facts)]
    return kit.add_block_labels(row(sentence, buttons), facts.objects)


def _list_run_buttons(facts: RunFacts) -> list[Element]:
    run = facts.run
    can = facts.capabilities
    logs = list_logs_button(facts) if run.remote_id else []
    if not run.is_going:
        return [*logs, *([again_button(run)] if run.spec and "runs" in can else [])]
    if "runs" not in can or (run.requested_stop and not is_run_unanswered(run, facts.now)):
        return logs
    return [force_button(run) if run.requested_stop else stop_run_button(run), *logs]


#: The action of a button that runs a command exactly as if it had been typed. The button's value is the
#: command.
RUN_COMMAND: Final = "say"
#: The action of a button that changes several workspaces. The button's value names each workspace.
SEVERAL_ACTION: Final = "several"
_IN_A_SECTION: Final = 8


class ListRow(NamedTuple):
    """A list row for a workspace. If a stop would end the workspace permanently, ``ends`` is its effect."""

    workspace: Workspace
    title: str
    ends: StopEffect | None = None


def list_command_buttons(
    commands: Sequence[str], now: float, times: Iterable[float | None] = repeat(None)
) -> list[Element]:
    """Return a button per command, labelled with what the command does.

    Commands that are too long for a button are left out. A button is removed at its time in ``times``.
    """
    return [
        kit.button(
            kit.line(describe_command(command, now), limits.MAX_BUTTON_LENGTH),
            ButtonValue(RUN_COMMAND, command, number=number, at=at),
        )
        for number, (command, at) in enumerate(zip(commands, times, strict=False))
        if len(command) <= limits.MAX_BUTTON_VALUE_LENGTH
    ]


def offer_workspace(verb: str, workspace: Workspace, title: str) -> Answer:
    """Offer to change a workspace. Once the workspace has been started again, the offer has no effect."""
    press = make_change(verb, workspace)
    cost = format_cost(workspace, None, "force" if verb == "force" else "stop")
    return _offer(find_verb("workspace", verb), workspace, title, press, cost)


def offer_run(verb: str, run: Run, title: str) -> Answer:
    """Offer to stop a run, to force-quit it, or to run its job again, which may cost money."""
    press = ButtonValue("job_again" if verb == "run" else f"job_{verb}", run.id)
    return _offer(find_verb("job", verb), run, title, press)


def _offer(verb: Verb, about: Workspace | Run, title: str, press: ButtonValue, cost: str = "") -> Answer:
    name = about.title
    style = kit.DANGER if verb.is_red else kit.PRIMARY
    label = fill(verb.offer.button, name=Markup(kit.line(name)))
    button = kit.button(kit.truncate(label, limits.MAX_BUTTON_LENGTH), press, style=style)
    return replies.ask(fill(verb.offer.text, name=name, title=title, lost=Markup(cost)), [button])


def offer_several(
    verb: str,
    rows: Sequence[ListRow],
    stamps: Sequence[str],
    remarks: Sequence[str],
    label: str,
    at: float | None = None,
    when: Markup | None = None,
) -> Answer:
    """Offer to change several workspaces. List each of them, and mark those that would end permanently.

    ``when`` is the time ``at`` in the reader's time zone.
    """
    count = Markup(str(len(rows)))
    declared = find_verb("workspace", verb)
    head = fill(declared.bulk.text, count=count)
    if at is not None:
        head = fill(declared.bulk_at.text, count=count, at=when)
    lines = [
        fill(
            _get_row_template(verb, row),
            name=row.workspace.title,
            title=row.title,
            lost=format_cost(row.workspace, row.ends) if row.ends else format_stop_risk(row.workspace),
        )
        for row in rows
    ]
    style = kit.DANGER if declared.is_red else kit.PRIMARY
    press = ButtonValue(SEVERAL_ACTION, " ".join([verb, *stamps]), at=at)
    button = kit.button(label, press, style=style)
    parts = [lines[at : at + _IN_A_SECTION] for at in range(0, len(lines), _IN_A_SECTION)]
    blocks = [
        kit.section(kit.join([head, *parts[0]], "\n")),
        *(kit.section(kit.join(one, "\n")) for one in parts[1:]),
    ]
    small = [kit.context(*remarks)] if remarks else []
    return kit.answer([*blocks, *small, *kit.actions([button])], is_question=True)


def _get_row_template(verb: str, row: ListRow) -> str:
    if row.ends is not None:
        return "• *{name}* · {title} – this will end it for good. {lost}"
    is_down = find_verb("workspace", verb).is_red or verb == "suspend"
    return talk.SEVERAL_AT_STAKE if is_down and format_stop_risk(row.workspace) else "• *{name}* · {title}"


def format_in_state(
    now: float,
    zone: ZoneInfo | None,
    workspace: Workspace,
    template: str,
    operation: Operation | None = None,
    reached: Collection[State] = (),
) -> str:
    """Fill a sentence with a workspace's name and state.

    During an operation, the state is starting or stopping. If the state is among ``reached``, the sentence
    says that the workspace is *already* in it.
    """
    state, (_, as_of) = _find_next_state(workspace, operation), format_state(now, workspace, zone)
    word = get_state_word(workspace, state)
    already = "already " if state in reached else ""
    being = talk.BEING.get(state, f"is {already}{word.lower()}")
    seen = "" if operation is not None else f" ({as_of})"
    return fill(template, name=workspace.title, being=Markup(f"{being}{seen}"))


#: Maximum number of users per message. ``_LINES_PER_PARAGRAPH`` is the maximum number of lines per paragraph.
#: Within these limits, the list fits into a message however long the names are.
MAX_USERS: Final = 60
_LINES_PER_PARAGRAPH: Final = 12
_MAX_FACTS: Final = 30


def answer_server_info(
    snapshot: Snapshot[About],
    title: str,
    *,
    now: float,
    zone: ZoneInfo | None,
    page: int = 1,
    replaces: bool = False,
) -> Answer:
    """Answer with a server's facts and one page of its users.

    A page number that is too high gives the last page.
    """
    users = snapshot.payload.users
    one = get_page(users, page, MAX_USERS)
    heading = fill("*{title}*", title=title)
    facts = [
        fill("{label}: {value}", label=label, value=Markup(line(value, 200)))
        for label, value in snapshot.payload.facts[:_MAX_FACTS]
    ]
    blocks: list[Block] = [kit.section("\n".join([heading, *facts][:_LINES_PER_PARAGRAPH]))]
    rest = facts[_LINES_PER_PARAGRAPH - 1 :]
    blocks += [kit.section("\n".join(part)) for part in _split_paragraphs(rest)]
    if users:
        people = times.format_count(len(users), "person", "people")
        blocks.append(kit.section(fill("*{people}*", people=people)))
        shown = [_format_user(user) for user in one.shown]
        blocks += [kit.section("\n".join(part)) for part in _split_paragraphs(shown)]
    small = [fill(answers.AS_OF_ALONE, at=kit.moment(snapshot.read_at, now, zone))]
    if one.remaining:
        small.insert(0, answers.AND_MORE.format(count=one.remaining))
    blocks.append(kit.context(*small))
    if one.remaining:
        key = f"{snapshot.connection} {one.number + 1}"
        blocks += kit.actions([kit.button(cards.MORE, "about:more", key, of=title)])
    return kit.answer(blocks, replaces=replaces)


def _format_user(user: User) -> str:
    template = "`{username}` {level}" if user.is_active else "`{username}` {level} (not active)"
    level = Markup(line(user.level)) if user.level else Markup("")
    return " ".join(fill(template, username=user.username, level=level).split())


def _split_paragraphs(lines: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(lines), _LINES_PER_PARAGRAPH):
        yield lines[start : start + _LINES_PER_PARAGRAPH]

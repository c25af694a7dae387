"""Accepts operations on workspaces: finds the workspaces, asks for confirmation if needed, and replies."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.domain.markup import Template
from bot.domain.notices import Answer, NoticeKind
from bot.domain.operations import Operation, OperationVerb
from bot.domain.stops import Consent, PlannedStops, StopMode
from bot.domain.time_parsing import Moment
from bot.domain.work_items import DEADLINE_SECONDS, Outcome
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks import kit, lists, replies
from bot.messages.blocks.button_values import AGREED
from bot.messages.blocks.buttons import (
    format_day_note,
    format_timer,
    list_earlier_end,
    list_named_opposites,
    list_opposite_button,
    remove_button,
)
from bot.messages.blocks.cards import VERB_FORMS, make_verb_forms
from bot.messages.blocks.kit import Markup, fill, line, safe
from bot.messages.blocks.renderers import RENDERERS
from bot.messages.texts import answers, cards, problems, talk, times
from bot.messages.texts.refusals import explain_refusal
from bot.messages.verb import Effect, Offer, Opposite, Verb, declare_verb, find_verb, to_present_name
from bot.services.caller import Caller
from bot.services.feasibility import check_possible, is_final_stop
from bot.services.operation_requests import (
    begin_operation,
    check_creation_now,
    extend_deadline,
    repeat_creation,
    replace_workspace,
)
from bot.services.timers import plan_timer, set_timer
from bot.services.workspaces import request_status_read, require_operation, require_workspace
from bot.store import operations
from bot.store.operations import Accepted
from bot.support.cleaning import fold
from bot.support.errors import NotLinked, Refused, UsherError
from handlers.linking import require_account
from handlers.requests import routes
from handlers.requests.command_line import normalise
from handlers.requests.payload import find_value
from handlers.requests.request import SILENT, InvalidFields, Request
from handlers.workspace import confirmations, waitlist
from handlers.workspace.confirmations import ask_before_ending, find_stop_mode, make_stamp
from handlers.workspace.targets import list_labels, make_choice_buttons, read_workspace
from handlers.workspace.timers import make_timer_or_ask, plan_stop

declare_verb(
    Verb(
        variant="wait",
        effect=Effect.STARTS,
        has_choice_buttons=True,
        does="Start {rest} and wait for room",
        offer=Offer(
            text="This will start *{name}* on {title}, and wait for room if there is none.",
            button="Start {name} and wait",
        ),
        button_at="Wait for room for {name} until {then}",
    )
)
declare_verb(
    Verb(
        variant="force",
        effect=Effect.ENDS,
        is_red=True,
        does="Force quit {rest}",
        offer=Offer(text="This will force *{name}* on {title} to quit. {lost}", button="Force quit {name}"),
        bulk=Offer(
            text="This will force these {count} workspaces to quit. Unsaved work will be lost.",
            done="Forcing {names} to quit. I'll message you when that's done.",
        ),
    )
)


@routes.verb(
    Verb(
        usage="start NAME",
        summary="start a workspace and get its link in a direct message",
        more=(
            "If you have only one workspace, `start` is enough.",
            "`start NAME for 2h` or `start NAME until 18:00` stops it again then.",
            "`start NAME --wait` waits for room if there is none, until 9:00 or 18:00, whichever comes next.",
            "`start NAME --wait until 18:00` waits until then; `cancel NAME` ends the wait.",
            "If two workspaces have the same name, type `start NAME@CONNECTION`.",
        ),
        order=20,
        effect=Effect.STARTS,
        flags=(AGREED, "wait"),
        accepts=("workspace", "time"),
        also="run launch boot begin execute activate enable ignite deploy starte starten "
        "unpause continue wake unfreeze unsuspend",
        heard="need bring fire spin lancer lance uruchom démarre inicia resume queue",
        former={"queue NAME [until TIME]": "start --wait", "resume NAME": "start"},
        has_choice_buttons=True,
        offer=Offer(text="This will start *{name}* on {title}.", button="Start {name}"),
        button_at="Start {name} until {then}",
        bulk=Offer(
            text="This will start these {count} workspaces:",
            done="Starting {names}. I'll message you when that's done.",
        ),
        bulk_at=Offer(
            text="This will start these {count} workspaces and stop them again {at}:",
            done=("Starting {names}.", "I'll message you when that's done, and stop them {at}."),
        ),
    )
)
@routes.verb(
    Verb(
        usage="restart NAME",
        summary="stop a workspace and start it again",
        more=(
            "If its memory can be kept, it's suspended and resumed.",
            "If it can't be started again, a new one takes its place.",
            "If that would end it for good, I'll ask first.",
        ),
        order=160,
        effect=Effect.ENDS,
        flags=(AGREED,),
        accepts=("workspace", "time"),
        also="reboot reload relaunch bounce",
        has_choice_buttons=True,
        is_red=True,
        offer=Offer(text="This will restart *{name}* on {title}. {lost}", button="Restart {name}"),
        button_at="Restart {name} until {then}",
        bulk=Offer(
            text="This will restart these {count} workspaces. Unsaved work may be lost.",
            done="Restarting {names}. I'll message you when that's done.",
        ),
        bulk_at=Offer(
            text="This will restart these {count} workspaces and stop them {at}. Unsaved work may be lost.",
            done=("Restarting {names}.", "I'll message you when that's done, and stop them {at}."),
        ),
    )
)
async def start(request: Request) -> Answer:
    """Request a start and its planned stop. The card and direct messages report the progress.

    A start that may wait for capacity has no planned stop: the given time is when the wait ends.
    """
    moment, workspace = await request.read_moment(), await read_workspace(request)
    if "wait" in request.flags:
        if workspace.state in {State.RUNNING, State.GONE}:
            return await begin_for(request, workspace, OperationVerb.START)
        return await waitlist.join(request, workspace.id, None if moment is None else moment.at)
    if request.verb == "restart" and confirmations.may_lose(request, workspace):
        return await confirmations.offer_for_one(request, workspace)
    return await begin_for(request, workspace, OperationVerb(request.verb), moment)


@routes.verb(
    Verb(
        usage="stop NAME",
        summary="stop a workspace, or cancel a start that's under way",
        more=(
            "Unsaved work may be lost.",
            "`stop NAME at 6pm` or `stop NAME in 2 hours` stops it later.",
            "If it doesn't stop, its message offers *Force quit*, where the provider supports that.",
            "If that would end it for good, I'll ask first.",
        ),
        order=30,
        effect=Effect.ENDS,
        flags=("force", AGREED),
        accepts=("workspace", "time"),
        also="kill end shut shutdown halt quit terminate close deactivate disable exit poweroff "
        "stopp stoppe stoppen beende beenden",
        heard="off down done finished finish apaga arrête",
        otherwise={
            "settings": "notifications notification notifying messages messaging dms telling asking "
            "bothering sending pinging spamming reminding reminders writing",
            "cancel": "waiting queueing queuing",
        },
        has_choice_buttons=True,
        is_red=True,
        offer=Offer(
            text="This will stop *{name}* on {title} and everything running in it. {lost}",
            button="Stop {name}",
        ),
        button_at="Stop {name} {then}",
        bulk=Offer(
            text="This will stop these {count} workspaces and everything running in them. "
            "Unsaved work may be lost.",
            done="Stopping {names}. I'll message you when that's done.",
        ),
        bulk_at=Offer(
            text="This will stop these {count} workspaces {at}, with everything running in them. "
            "Unsaved work may be lost.",
            done="I'll stop {names} {at}.",
        ),
        opposite=Opposite("Start again", "start", "Start {name}"),
    )
)
@routes.verb(
    Verb(
        usage="suspend NAME",
        summary="pause a workspace so that you can pick up where you left off",
        more=("Not every provider supports this.",),
        order=100,
        needs=("suspend",),
        effect=Effect.ENDS,
        flags=(AGREED,),
        accepts=("workspace", "time"),
        also="pause sleep hibernate freeze",
        has_choice_buttons=True,
        offer=Offer(
            text="This will suspend *{name}* on {title}. Resume it to pick up where you left off.",
            button="Suspend {name}",
        ),
        button_at="Suspend {name} {then}",
        bulk=Offer(
            text="This will suspend these {count} workspaces. Resume them to pick up where you left off.",
            done="Suspending {names}. I'll message you when that's done.",
        ),
        bulk_at=Offer(
            text="This will suspend these {count} workspaces {at}. "
            "Resume them to pick up where you left off.",
            done="I'll suspend {names} {at}.",
        ),
        opposite=Opposite(cards.RESUME, "start", "Resume {name}"),
    )
)
async def stop(request: Request) -> Answer:
    """Request a stop. If a time is given, schedule it. The card and direct messages report the progress."""
    moment, workspace = await request.read_moment(), await read_workspace(request)
    if moment is not None:
        mode: StopMode = "stop" if request.verb == "stop" else "suspend"
        return await plan_stop(request, workspace, moment, mode)
    if confirmations.may_lose(request, workspace):
        return await confirmations.offer_for_one(request, workspace)
    verb = OperationVerb.FORCE if "force" in request.flags else OperationVerb(request.verb)
    return await begin_for(request, workspace, verb)


@routes.action("force")
async def force_quit(request: Request) -> Answer:
    """Request a forced stop, because an ordinary stop seems to have no effect."""
    moment = await request.read_moment()
    return await begin_for(request, await read_workspace(request), OperationVerb.FORCE, moment)


@routes.action("wait")
async def start_and_wait(request: Request) -> Answer:
    """Start the button's workspace. If there is no capacity, put it on the waitlist."""
    return await start(replace(request, verb="start", flags=request.flags | {"wait"}))


async def show_current(request: Request, workspace: Workspace, hint: str = "", more: str = "") -> Answer:
    """Show the open operation's card. If no operation is open, show the state. In any case, request a read.

    ``hint`` is the first line, and ``more`` the last.
    """
    services = request.services
    await request.caller.run(request_status_read, workspace.id)
    operation = await services.store.read(operations.find_latest_operation, workspace.id)
    facts = await services.gatherer.describe_workspace(workspace, operation)
    if operation is not None and operation.is_open:
        return lists.card_answer(facts, remark=hint)
    return lists.status_answer(facts, workspace, remark=hint, more=more)


async def begin_for(
    request: Request, workspace: Workspace, verb: OperationVerb, moment: Moment | None = None
) -> Answer:
    """Begin an operation on the user's workspace. If it would end the workspace for good, ask first.

    If ``moment`` is given, also schedule a stop at that time. If the button's message is out of date, nothing
    is begun.
    """
    services = request.services
    if request.seen not in {None, workspace.generation}:
        return await show_current(request, workspace, request.outdated)
    if workspace.state is State.GONE and workspace.spec is not None and verb is OperationVerb.RESTART:
        verb = OperationVerb.START
    is_replaced = verb is OperationVerb.START and workspace.spec is not None
    if workspace.state is State.GONE and not is_replaced:
        await require_account(request, workspace.connection)
        await request.caller.run(request_status_read, workspace.id)
        return answer_gone(request, workspace)
    timer = None if moment is None else await make_timer_or_ask(request, workspace, moment)
    try:
        accepted = await request.caller.run(
            begin_operation, workspace.id, verb, agreed=request.consent, timer=timer
        )
    except Refused as refusal:
        if refusal.rule != "workspace.ends":
            raise
        return await ask_before_ending(request, workspace, verb)
    if accepted.obstacle and accepted.operation.is_open:
        # The operation is waiting for the user to act, so don't promise anything else. In a direct message,
        # its card says that it is waiting.
        facts = await services.gatherer.describe_workspace(workspace, accepted.operation)
        return SILENT if request.is_read_with_cards else RENDERERS[NoticeKind.WAITING].render(facts)
    answer = await _answer_begun(request, workspace, accepted)
    if moment is None or timer is None:
        return answer
    timed = replace(workspace, stop_at=timer.at, planned_stops=PlannedStops(counts=timer))
    return await _add_timer(request, timed, moment, answer)


async def _add_timer(request: Request, workspace: Workspace, moment: Moment, answer: Answer) -> Answer:
    """Add the time of a planned stop to an answer.

    If a card already shows it, add only what the card doesn't.
    """
    facts = await request.services.gatherer.describe_workspace(workspace)
    notes = [*format_day_note(moment), *list_earlier_end(facts, workspace.stop_at)]
    if not answer.text and not notes:
        return answer
    at = await request.format_time(workspace.stop_at or 0.0)
    sentence = kit.join([format_timer(workspace, facts.connection_title, at), *notes])
    text = f"{answer.text} {kit.strip_markup(sentence)}" if answer.text else kit.strip_markup(sentence)
    return replace(kit.with_blocks(answer, (*answer.blocks, kit.section(sentence))), text=text)


async def make_replacement(request: Request, former: Workspace) -> Answer:
    """Create another workspace to replace one that no longer exists or was never created."""
    return await _answer_begun(request, former, await request.caller.run(replace_workspace, former.id))


def answer_gone(request: Request, workspace: Workspace) -> Answer:
    """Say that a workspace no longer exists. A button offers to remove it from the list."""
    said = answers.NEVER_SHOWN if workspace.was_never_shown else "*{name}* no longer exists on {title}."
    if workspace.hidden:
        return replies.hint(request.fill(said, workspace))
    sentence = request.fill(f"{said} `{{command}}forget {{typed}}` takes it off your list.", workspace)
    return replies.hint(sentence, [kit.button(cards.FORGET, "forget", workspace.id)])


async def _answer_begun(request: Request, workspace: Workspace, accepted: Accepted) -> Answer:
    is_plain = not (accepted.remark or accepted.joined or accepted.repeated)
    if not is_plain and (text := await describe_beyond_card(request, workspace, accepted)):
        return replies.answer(text)
    if request.is_read_with_cards:
        return SILENT
    begun = accepted.operation.verb
    template: Template = answers.FORCING if begun is OperationVerb.FORCE else answers.ACCEPTED
    if begun is OperationVerb.START and workspace.state is State.SUSPENDED:
        template = answers.RESUMING
    elif accepted.operation.agreed and is_final_stop(request.services.context, workspace, accepted.operation):
        template = answers.ENDING
    forms = VERB_FORMS[begun]
    if accepted.operation.usual_end_at is not None:
        zone = await request.find_zone()
        forms = make_verb_forms(accepted.operation, request.services.clock.now(), zone)
    back = [] if template is answers.ENDING else list_opposite_button(begun, workspace)
    return replies.answer(request.fill(template, workspace, **forms), back)


async def describe_beyond_card(request: Request, workspace: Workspace, accepted: Accepted) -> str:
    """Return a sentence with anything that an operation's card doesn't say, or "" if there is nothing."""
    template: Template = answers.REMARKS.get(accepted.remark, "")
    if accepted.repeated and not accepted.operation.is_open:
        template = "I already have that request, so there's nothing more to do."
    elif accepted.joined and not accepted.repeated:
        template = answers.JOINED
    if not template:
        return ""
    now, zone = request.services.clock.now(), await request.find_zone()
    _, as_of = lists.format_state(now, workspace, zone)
    forms = make_verb_forms(accepted.operation, now, zone)
    return request.fill(template, workspace, as_of=as_of, **forms)


@dataclass(slots=True)
class _BulkResult:
    changed: list[Workspace] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@routes.action(lists.SEVERAL_ACTION)
async def run_bulk_button(request: Request) -> Answer:
    """Apply a button's verb to its workspaces. Skip any that have changed since the button was drawn."""
    verb, *stamps = (request.target or "").split() or [""]
    verb = to_present_name("workspace", verb)
    declared = find_verb("workspace", verb)
    if not (declared.bulk if request.at is None else declared.bulk_at).text:
        return replies.hint(talk.NOTHING_DONE)
    await request.read_moment()
    result = _BulkResult()
    for stamp_ in stamps:
        key, _, _ = stamp_.partition(".")
        caller = create_caller_of_several(request, key, len(stamps))
        try:
            workspace = await caller.read(require_workspace, verb, key)
        except Refused:
            result.notes.append(talk.GONE)
            continue
        if await make_stamp(request, workspace) != stamp_.rstrip("!"):
            result.notes.append(await _describe_current(request, workspace))
            continue
        await _do(request, caller, verb, workspace, result, Consent(min(stamp_.count("!"), Consent.KNOWING)))
    return await _answer_for_all(request, verb, result)


async def run_for_several(request: Request, workspaces: Sequence[Workspace]) -> Answer:
    """Apply a typed verb to the named workspaces that won't lose anything by it. Ask about the others.

    If all of them would lose something, or if there are too many, nothing is done yet, and a button offers
    the verb.
    """
    verb = request.variant
    needed = await confirmations.filter_needed(request, workspaces)
    if needed and not confirmations.can_do_several(request):
        labels = list_labels(request, needed, workspaces)
        return replies.hint(talk.ONE_BY_ONE, await make_choice_buttons(request, needed, labels))
    possible = [one for one in needed if confirmations.is_possible(request, one)]
    safe_ones = [one for one in possible if not _needs_question(request, one)]
    if not safe_ones or len(workspaces) > confirmations.MAX_BULK_WORKSPACES:
        return await confirmations.offer_for_several(request, workspaces, is_named=True)
    result = _BulkResult()
    for one in safe_ones:
        caller = create_caller_of_several(request, one.id, len(safe_ones))
        await _do(request, caller, verb, one, result, request.consent)
    left = [one for one in workspaces if one not in possible]
    result.notes += await confirmations.describe_left_out(request, left)
    answer = await _answer_for_all(request, verb, result)
    asked = [one for one in possible if one not in safe_ones]
    if not asked:
        return answer
    question = await confirmations.offer_for_several(request, asked, is_named=True)
    return replace(
        kit.with_blocks(answer, (*answer.blocks, *question.blocks)), is_question=question.is_question
    )


def _needs_question(request: Request, workspace: Workspace) -> bool:
    verb = request.variant
    if confirmations.may_lose(request, workspace):
        return True
    if AGREED in request.flags:
        return False
    if request.at is not None:
        return confirmations.find_planned_final_mode(request, verb, workspace) is not None
    is_operation = verb in {*OperationVerb}
    return is_operation and confirmations.is_final_operation(request, workspace, OperationVerb(verb))


def create_caller_of_several(request: Request, key: str, count: int) -> Caller:
    """Return a caller for one of the workspaces that a request is about.

    Each workspace needs its own caller, so that it gets exactly one change and one audit entry.
    """
    once = request.caller.interaction and f"{request.caller.interaction}/{key}"
    return replace(request.caller, interaction=once, is_answered=True, is_about_several=count > 1)


async def _describe_current(request: Request, workspace: Workspace) -> str:
    operation = await request.services.store.read(operations.find_latest_operation, workspace.id)
    if operation is not None and operation.is_open:
        return fill(answers.JOINED, name=workspace.title, **VERB_FORMS[operation.verb])
    return lists.format_in_state(
        request.services.clock.now(), await request.find_zone(), workspace, talk.CHANGED
    )


async def _do(
    request: Request, caller: Caller, verb: str, workspace: Workspace, result: _BulkResult, agreed: Consent
) -> None:
    services, key = request.services, workspace.id
    try:
        timer = None
        if request.at is not None:
            mode = find_stop_mode(verb, workspace)
            timer = plan_timer(services.context, workspace, request.at, mode, agreed=bool(agreed))
        each = find_verb("workspace", verb).each
        if timer is None and each is not None:
            await caller.run(each, key)
        elif verb in {"keep", "stop", "suspend"} and timer is not None:
            await caller.run(set_timer, key, timer)
        else:
            await caller.run(begin_operation, key, OperationVerb(verb), agreed=agreed, timer=timer)
    except NotLinked:
        raise
    except UsherError as error:
        why = explain_refusal(error) if isinstance(error, Refused) else problems.explain_cause(error)
        result.notes.append(fill(talk.NOT_DONE, name=workspace.title, why=Markup(safe(why))))
    else:
        result.changed.append(workspace)


async def _answer_for_all(request: Request, verb: str, result: _BulkResult) -> Answer:
    at, head, back = request.at, talk.NOTHING_DONE, list[kit.Element]()
    if result.changed:
        *first, last = [f"*{line(one.title)}*" for one in result.changed]
        names = f"{', '.join(first)} and {last}" if first else last
        is_final = at is None and verb in {*OperationVerb}
        is_over = is_final and any(
            confirmations.is_final_operation(request, one, OperationVerb(verb)) for one in result.changed
        )
        back = [] if is_over else list_named_opposites(verb, result.changed, at)
        head = fill(find_verb("workspace", verb).bulk.done, names=Markup(names))
        if request.at is not None:
            said = await request.format_time(request.at)
            head = fill(find_verb("workspace", verb).bulk_at.done, names=Markup(names), at=said)
    facts = await request.services.gatherer.describe_workspaces(request.principal, result.changed)
    earlier = [said for one in facts for said in list_earlier_end(one, request.at, is_named=True)]
    notes = list(dict.fromkeys([*earlier, *result.notes]))
    return replies.hint(head, back, more=kit.join(notes, "\n"))


@routes.verb(
    Verb(
        usage="remove NAME",
        summary="permanently delete a workspace and everything stored only in it",
        more=("I'll ask you to type its name first. `forget NAME` only takes it off your list.",),
        order=250,
        needs=("removal",),
        effect=Effect.ENDS,
        flags=(AGREED,),
        accepts=("workspace",),
        also="delete destroy erase del rm purge drop discard",
        otherwise={"unlink": "account accounts me login"},
        has_choice_buttons=True,
        offer=Offer(button="Remove {name}"),
    )
)
async def remove(request: Request) -> Answer:
    """Open the form, or answer with a *Remove* button that opens it. With ``--yes``, no form is needed.

    A workspace must always be named, because Usher never guesses which one to remove.
    """
    workspace = await read_workspace(request)
    await require_account(request, workspace.connection)
    if workspace.state is State.GONE:
        await request.caller.run(request_status_read, workspace.id)
        return answer_gone(request, workspace)
    try:
        check_possible(request.services.context, workspace, OperationVerb.REMOVE)
    except Refused as refusal:
        facts = await request.services.gatherer.describe_workspace(workspace)
        return lists.status_answer(facts, workspace, remark=safe(explain_refusal(refusal)))
    is_confirmed_name = fold(request.name) in {fold(workspace.title), fold(workspace.name)}
    if AGREED in request.flags and is_confirmed_name:
        return await begin_for(request, workspace, OperationVerb.REMOVE)
    return ask_before_removing(
        request, workspace, is_form=request.target is not None or request.surface.trigger_id is not None
    )


def ask_before_removing(request: Request, workspace: Workspace, *, is_form: bool) -> Answer:
    """Ask for confirmation with a button.

    If ``is_form`` is true, ask in a form, provided that it can be opened.
    """
    title = request.services.title(workspace.connection)
    effect = request.fill(answers.REMOVE_EFFECT, workspace)
    answer = replies.ask(f"{effect} {answers.REMOVE_ASK}", [remove_button(workspace)])
    return replace(answer, view=replies.remove_view(workspace, title) if is_form else None)


@routes.view("remove")
async def name_typed(request: Request) -> Answer:
    """Request the removal, if the right name was typed. The card in the direct message shows the progress."""
    workspace = await request.caller.read(require_workspace, "remove", request.form_payload)
    if normalise(find_value(request.view, "name")) != normalise(workspace.title):
        raise InvalidFields({"name": answers.REMOVE_OTHER_NAME.format(name=line(workspace.title))})
    await request.caller.run(begin_operation, workspace.id, OperationVerb.REMOVE)
    return SILENT


@routes.action("refresh")
async def refresh(request: Request) -> Answer:
    """Request a read, and answer with the row as it is now. Any news appears on the card."""
    operation = await _read_operation(request)
    workspace = await request.caller.run(request_status_read, operation.workspace_id)
    facts = await request.services.gatherer.describe_workspace(workspace)
    return replies.answer(f"{lists.format_state_line(facts, workspace)}\n{answers.LOOKING}")


@routes.action("keep_waiting")
async def keep_waiting(request: Request) -> Answer:
    """Extend the wait for an operation. If the operation has ended, say how it ended."""
    operation = await request.caller.run(extend_deadline, request.target or "")
    if not operation.is_open:
        return answer_ended(request, operation)
    workspace = await request.caller.read(require_workspace, request.verb, operation.workspace_id)
    time = times.format_duration(DEADLINE_SECONDS)
    answer = fill(answers.KEPT_WAITING, name=workspace.title, time=Markup(time))
    if operation.run_seconds and workspace.stop_at is None:
        answer += f"\n{request.fill(answers.KEPT_WITHOUT_END, workspace)}"
    return replies.answer(answer)


async def _read_operation(request: Request) -> Operation:
    return await request.caller.read(require_operation, request.verb, request.target or "")


def answer_ended(request: Request, operation: Operation) -> Answer:
    """Answer a click that came too late for an operation, by saying how the operation ended."""
    template = answers.TOO_LATE[str(operation.outcome)]
    typed = Markup(answers.TYPED.get(operation.verb, operation.verb))
    return replies.hint(request.fill(template, None, typed=typed, **VERB_FORMS[operation.verb]))


@routes.action("try_again")
async def retry(request: Request) -> Answer:
    """Repeat the request of an operation that has ended without success."""
    ended = await _read_operation(request)
    workspace = await request.caller.read(require_workspace, request.verb, ended.workspace_id)
    if ended.is_open:
        return replies.answer(fill(answers.STILL_AT_IT, name=workspace.title, **VERB_FORMS[ended.verb]))
    if ended.outcome is Outcome.FULFILLED:
        return answer_ended(request, ended)
    newest = await request.services.store.read(operations.find_latest_operation, workspace.id)
    if newest is not None and newest.id != ended.id:
        return await show_current(request, workspace, request.outdated)
    lasts = (ended.run_seconds or None) if workspace.stop_at is None else None
    until = None if lasts is None else Moment(request.services.clock.now() + lasts, lasts)
    if ended.verb is OperationVerb.CREATE and workspace.is_provisional and until is None:
        return await make_replacement(request, workspace)
    if ended.verb is OperationVerb.CREATE:
        # The workspace has been created since, so it only has to be started.
        return await begin_for(request, workspace, OperationVerb.START, until)
    if ended.verb is OperationVerb.REMOVE:
        return ask_before_removing(request, workspace, is_form=True)  # The name has to be typed each time.
    # If this would end the workspace for good, ask again, because the earlier consent was for another state.
    return await begin_for(request, workspace, ended.verb, until)


@routes.action("again")
async def create_another(request: Request) -> Answer:
    """Create another workspace with the same settings. Its row takes the place of the old one."""
    return await make_replacement(request, await read_workspace(request))


@routes.action("look_again")
async def check_now(request: Request) -> Answer:
    """Check on the operation now, unless there is nothing left to find out."""
    operation = await request.caller.run(check_creation_now, request.target or "")
    workspace = await request.caller.read(require_workspace, request.verb, operation.workspace_id)
    template = answers.LOOKING_AGAIN if operation.is_asked else answers.NOT_ASKED
    return replies.answer(fill(template, name=workspace.title))


@routes.action("start_another")
async def start_another(request: Request) -> Answer:
    """Create another workspace, but only once. If the question has already been answered, do nothing."""
    operation, is_asked = await request.caller.run(repeat_creation, request.target or "")
    workspace = await request.caller.read(require_workspace, request.verb, operation.workspace_id)
    template = answers.STARTING_ANOTHER if is_asked else answers.NOT_ASKED
    return replies.answer(fill(template, name=workspace.title))


_CANCELLABLE_VERBS = frozenset({OperationVerb.START, OperationVerb.CREATE, OperationVerb.RESTART})


@routes.verb(
    Verb(
        usage="cancel NAME",
        summary="cancel a start, a run or a wait for room that's under way",
        more=(
            "If only one is under way, `cancel` is enough.",
            "What is already running keeps running: stop it with `stop NAME`.",
        ),
        order=90,
        effect=Effect.ENDS,
        accepts=("workspace",),
        also="abort",
        former={"unqueue [NAME]": "cancel"},
        has_choice_buttons=True,
        is_red=True,
        offer=Offer(
            text="This will cancel what's under way for *{name}* on {title}.", button="Cancel {name}"
        ),
    )
)
async def cancel(request: Request) -> Answer:
    """Cancel a start, a run or a place on the waitlist. Anything that is running already keeps running."""
    workspace = await read_workspace(request)
    if (left := await waitlist.leave(request, workspace.id)) is not None:
        return left
    latest = await request.services.store.read(operations.find_latest_operation, workspace.id)
    if latest is None or not latest.is_open or latest.verb not in _CANCELLABLE_VERBS:
        now, zone = request.services.clock.now(), await request.find_zone()
        return replies.hint(lists.format_in_state(now, zone, workspace, talk.NOTHING_TO_CANCEL))
    return await begin_for(request, workspace, OperationVerb.STOP)

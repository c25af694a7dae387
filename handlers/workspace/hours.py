"""Working hours: a verb sets and shows them, and buttons turn them off, resume them or change their times."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.domain import time_parsing
from bot.domain.hours import HoursRule
from bot.domain.notices import Answer
from bot.domain.stops import Consent, choose_planned_mode
from bot.domain.time_parsing import EVERY_DAY, Unread, Wanted, write_hours
from bot.domain.timers import SOONEST_SECONDS
from bot.domain.workspaces import NOT_UP_STATES, Workspace
from bot.messages.blocks import hours as drawn
from bot.messages.blocks import kit, replies
from bot.messages.blocks.button_values import AGREED, ButtonValue
from bot.messages.blocks.buttons import (
    format_cost,
    list_buttons,
    list_hours_button,
    list_opposite_button,
)
from bot.messages.blocks.kit import Markup, fill
from bot.messages.blocks.plans import format_rule
from bot.messages.texts import answers, cards
from bot.messages.texts import hours as words
from bot.messages.verb import Effect, Opposite, Verb
from bot.services import hours as use_cases
from bot.services import naming
from bot.services.feasibility import predict_stop_effects
from bot.services.workspaces import require_workspace
from bot.store import hours as hour_rows
from bot.store import workspaces as workspace_rows
from bot.support.errors import Refused
from handlers.requests import routes, vocabulary
from handlers.requests.command_line import Quoted
from handlers.requests.payload import find_value, parse_values
from handlers.requests.request import Answered, InvalidFields, Request, format_typed_name
from handlers.workspace.opposites import read_carried, read_former, write_former
from handlers.workspace.targets import (
    find_by_whole_name,
    read_workspace,
    require_by_name,
)

#: How far ahead people can skip a day of their working hours.
MAX_DAYS_AHEAD: Final = timedelta(days=90)
#: Time of day that Usher appends to a day that it can't read, so that ``time_parsing.read`` says what is
#: wrong with the day. The time is late, so that *today* isn't in the past.
_END_OF_DAY: Final = "23:59"


@routes.verb(
    Verb(
        usage="hours [NAME [DAYS TIMES | skip DAY | pause | on | off]]",
        summary="start and stop a workspace automatically, at the times when you work",
        more=(
            "`hours NAME weekdays 9:00-18:00` starts it at 9:00 and stops it at 18:00.",
            "`hours NAME mon,wed 8:30` only starts it.",
            "`hours NAME every day -20:00` only stops it.",
            "You can change or cancel a stop in the message that comes ten minutes before it.",
            "`hours NAME skip tomorrow` and `hours NAME pause until monday` leave days out.",
            "`hours NAME on` brings them back.",
            "`hours NAME off` turns its hours off; `hours` shows all of yours.",
        ),
        order=80,
        effect=Effect.STARTS,
        flags=(AGREED,),
        accepts=("workspace", "words"),
        alone="Show my hours",
        opposite=Opposite("Turn on again", "hours_back"),
    )
)
async def show(request: Request) -> Answer:
    """Show the hours of one workspace or of all, or set hours, or turn them off or on."""
    given = request.arguments
    if request.target is not None:
        return await _answer_hours(request, await read_workspace(request), words.CURRENT_HOURS)
    if not given or vocabulary.means_everything(given):
        return await _answer_all(request)
    given = given[1:] if given[0] in {"for", "of"} else given
    name, said = await _split(request, given)
    if not name:
        return _hint(request, words.FOR_WHICH, words.USAGE, answers.EXAMPLE)
    if not said and (unread := await _find_unread(request, given)) is not None:
        return _answer_unread(request, *unread)
    return await apply_order(request, await require_by_name(request, name, can_guess=not said), said)


def _is_order(text: str) -> bool:
    verb, _, rest = text.casefold().partition(" ")
    alone = vocabulary.HOURS_ORDERS | {"resume", "skip"}
    is_verb = verb in (vocabulary.HOURS_EXCEPTIONS if rest else alone)
    is_hours = time_parsing.read_hours(text) is not None or bool(time_parsing.list_zone_readings(text))
    return is_verb or is_hours


async def _find_unread(request: Request, given: Sequence[str]) -> tuple[str, str] | None:
    for end in range(len(given), 0, -1):
        name = " ".join(given[:end])
        if await find_by_whole_name(request, name) is not None:
            return (name, " ".join(given[end:])) if end < len(given) else None
    first = next(
        (at for at, word in enumerate(given) if time_parsing.days_of(word) or ":" in word or word[0] == "-"),
        None,
    )
    if first is None:
        return None
    return " ".join(given[:first]) or answers.EXAMPLE, " ".join(given[first:])


def _answer_unread(request: Request, name: str, said: str) -> Answer:
    """Say which words can't be read as hours. Days are left out, because they can be read."""
    wrong = [word for word in said.split() if not time_parsing.days_of(word.casefold())]
    sentence = words.ODD_OFFSET if time_parsing.has_odd_offset(said) else words.UNREADABLE
    return _hint(request, fill(sentence, said=" ".join(wrong) or said), words.USAGE, name)


def _is_about_days(word: str) -> bool:
    return bool(time_parsing.days_of(word)) or time_parsing.normalize_word(word) in time_parsing.SINGLE_WORDS


async def _split(request: Request, given: tuple[str, ...]) -> tuple[str, str]:
    """Split the words into a name and an instruction. Quoted words belong to the name.

    If there are several ways to split the words, the longest name of a workspace decides. Words for days
    belong to a name only if a workspace has that name.
    """
    begin = max((at + 1 for at, word in enumerate(given) if isinstance(word, Quoted)), default=0)
    ends = [at for at in range(begin, len(given)) if _is_order(" ".join(given[at:]))]
    days = [at for at, word in enumerate(given) if at >= begin and _is_about_days(word.casefold())]
    plain = [at for at in ends if at <= min(days, default=at)]
    if begin:
        ends = plain
    elif ends[1:] or plain != ends:
        rows = await request.services.store.perform(workspace_rows.read_workspaces, request.principal)
        names, connections = {at: " ".join(given[:at]) for at in ends}, request.services.connections
        ends = [at for at, name in names.items() if naming.find_whole(name, rows, connections)][-1:] or plain
    end = next(iter(ends), len(given))
    return " ".join(given[:end]), " ".join(given[end:])


async def apply_order(request: Request, workspace: Workspace, said: str, former: str = "") -> Answer:
    """Carry out an instruction about a workspace's hours. If there is no instruction, show the hours.

    ``former`` is the rule that the new hours replace.
    """
    about, (verb, _, rest) = replace(request, target=workspace.id), said.casefold().partition(" ")
    if not said:
        return await _answer_hours(request, workspace, words.CURRENT_HOURS)
    if not rest and verb in _ORDERS:
        return await _ORDERS[verb](about)
    if rest and verb in vocabulary.HOURS_EXCEPTIONS:
        return await _leave_out(about, workspace.id, await _read_days_off(about, verb, rest))
    if (wanted := time_parsing.read_hours(said)) is None:
        if options := time_parsing.list_zone_readings(said):
            problem = replies.explain_unread_time(Unread("ambiguous", options), said)
            return replies.hint(problem)
        return _answer_unread(request, workspace.title, said)
    wanted, agreed = wanted.on(await request.find_today()), AGREED in request.flags
    try:
        replaced = await request.caller.run(use_cases.add, workspace.id, wanted, former=former, agreed=agreed)
    except Refused as refusal:
        key = f"{workspace.id} {former} {write_hours(wanted)}"
        press = ButtonValue("hours_agree", key, agreed=Consent.GIVEN)
        match refusal.rule:
            case "workspace.ends":
                return _confirm_final_stop(request, workspace, press)
            case "hours.runs_on":
                return await _confirm_run_on(request, workspace, press, float(str(refusal.words["at"])))
        raise
    is_once = len(wanted.days) == 1 and not wanted.days & EVERY_DAY
    once = wanted._replace(zone="") if is_once else None
    workspace = await request.caller.read(require_workspace, "hours", workspace.id)
    return await _answer_hours(request, workspace, words.HOURS_SET, replaced, once)


async def _read_days_off(request: Request, verb: str, said: str) -> list[str]:
    """Return the days to skip. For a pause until a certain day, these are all days before that day.

    Raise Answered if the words don't name a day, or if the day is past or too far ahead.
    """
    today = await request.find_today()
    days = time_parsing.list_days(time_parsing.read_pause(verb, said, today))
    if days and today <= days[0] and days[-1] <= today + MAX_DAYS_AHEAD:
        return [day.isoformat() for day in days]
    found = Unread("far" if days else "unreadable")
    if days and days[-1] < today:
        found = Unread("past")
    elif not days:
        zone = await request.services.store.zone(request.principal)
        read = time_parsing.read(f"{said} {_END_OF_DAY}", zone, await request.services.store.now())
        if isinstance(read, Unread):
            found = read._replace(options=tuple(one.removesuffix(f" {_END_OF_DAY}") for one in read.options))
    raise Answered(
        replies.hint(
            replies.explain_unread_time(found, said, SOONEST_SECONDS, MAX_DAYS_AHEAD.total_seconds())
        )
    )


@routes.action("hours_form")
async def open_form(request: Request) -> Answer:
    """Open the form for working hours. If no form can be opened, say what to type."""
    rows = await request.services.store.perform(workspace_rows.read_workspaces, request.principal)
    every = await request.services.gatherer.describe_workspaces(request.principal, rows)
    able = [
        one
        for one in every
        if list_hours_button(one) and request.target in {None, one.workspace.id if one.workspace else None}
    ]
    if not able:
        return await show(request)
    typed = able[0].workspace.title if len(able) == 1 and able[0].workspace is not None else "NAME"
    return replace(_hint(request, words.FORM_TYPED, words.USAGE, typed), view=drawn.build_form(able))


@routes.view(drawn.HOURS_CALLBACK)
async def submit_form(request: Request) -> Answer:
    """Set a workspace's hours from the form. If there are problems, show them next to the form's fields."""
    key, _, former = request.form_payload.partition(" ")
    key = key or find_value(request.view, drawn.WORKSPACE_FIELD)
    days = parse_values(request.view).get(drawn.DAYS_FIELD, ())
    starts, stops = (find_value(request.view, name) for name in (drawn.FROM_FIELD, drawn.UNTIL_FIELD))
    said = f"{','.join(days)} {starts}{f'-{stops}' if stops else ''}"
    wrong = {
        drawn.WORKSPACE_FIELD: "" if key else "Choose one of your workspaces.",
        drawn.DAYS_FIELD: "" if days else "Choose at least one day.",
        drawn.FROM_FIELD: "" if starts or stops else "Choose a time to start, a time to stop, or both.",
    }
    wrong = {field: sentence for field, sentence in wrong.items() if sentence}
    if wrong or not _is_order(said):
        raise InvalidFields(wrong or {drawn.UNTIL_FIELD: words.FORM_SHORT})
    return await apply_order(
        request, await request.caller.read(require_workspace, "hours", key), said, former
    )


@routes.action("hours_rest")
async def leave_out(request: Request) -> Answer:
    """Skip the days named by the button."""
    key, _, days = (request.target or "").partition(" ")
    return await _leave_out(request, key, days.split(","))


async def _leave_out(request: Request, key: str, days: Sequence[str]) -> Answer:
    workspace = await request.caller.run(use_cases.leave_out_days, key, days)
    return await _answer_hours(request, workspace, words.CURRENT_HOURS)


def _confirm_final_stop(request: Request, workspace: Workspace, press: ButtonValue) -> Answer:
    """Ask the person to confirm hours whose stop ends the workspace for good. ``press`` sets the hours."""
    services = request.services
    what = predict_stop_effects(services.context, workspace)
    sentence = request.fill(
        "The first of these stops ends *{name}* on {title} for good: it can't be started again. {lost}",
        workspace,
        lost=format_cost(workspace, what[choose_planned_mode(what)]),
    )
    button = kit.button(cards.END_THEN, press, style=kit.DANGER, of=workspace.title)
    return replies.answer(sentence, [button])


async def _confirm_run_on(request: Request, workspace: Workspace, press: ButtonValue, at: float) -> Answer:
    """Ask whether a workspace may run on if one rule stops it at the time when another starts it."""
    sentence = request.fill(words.CONFIRM_RUN_ON, workspace, at=await request.format_time(at))
    return replies.answer(sentence, [kit.button("Set them and let it run on", press, of=workspace.title)])


@routes.action("hours_agree")
async def agree(request: Request) -> Answer:
    """Set the hours that the person has confirmed. If they edited a rule in the form, replace that rule."""
    key, _, rest = (request.target or "").partition(" ")
    former, _, said = rest.partition(" ")
    workspace = await request.caller.read(require_workspace, "hours", key)
    return await apply_order(request, workspace, said, former)


async def _answer_hours(
    request: Request,
    workspace: Workspace,
    template: str,
    replaced: Sequence[HoursRule] = (),
    once: Wanted | None = None,
) -> Answer:
    """Answer with a workspace's hours and their buttons.

    ``once`` are hours for a single date, which come first.
    """
    request.notes.note_workspaces([workspace])
    facts = await request.services.gatherer.describe_workspace(workspace)
    if not drawn.has_any(facts):
        none = fill(words.NO_HOURS, name=workspace.title, title=facts.connection_title)
        return _hint(request, none, words.NONE_NEXT, workspace.title)
    former = Markup("; ".join(format_rule(one, facts.now, facts.zone) for one in replaced))
    more = [fill("They replace {hours}.", hours=former)] if former else []
    return replies.answer(*drawn.describe_hours(template, facts, more, once, replaced))


async def _answer_all(request: Request) -> Answer:
    services = request.services
    workspaces = await services.store.perform(workspace_rows.read_workspaces, request.principal)
    every = await services.gatherer.describe_workspaces(request.principal, workspaces)
    rows = [drawn.describe_hours(words.CURRENT_HOURS, facts) for facts in every if drawn.has_any(facts)]
    kept = {
        one.workspace_id: one.connection
        for one in await services.store.read(hour_rows.list_rules_of_person, request.principal)
    }
    gone = services.describe_not_set_up(kept.values())
    if rows or gone:
        return drawn.answer_list(rows, gone)
    able = [drawn.form_button()] if any(map(list_hours_button, every)) else []
    return _hint(request, "None of your workspaces has working hours.", words.NONE_NEXT, "NAME", able)


def _hint(
    request: Request, sentence: str, more: str, name: str, buttons: Sequence[kit.Element] = ()
) -> Answer:
    typed = format_typed_name(name)
    return replies.hint(sentence, buttons, more=request.fill(more, typed=typed))


@routes.action("hours_off")
async def turn_off(request: Request) -> Answer:
    """Turn off a workspace's hours."""
    former = await request.services.store.read(hour_rows.list_rules, request.target or "")
    workspace = await request.caller.run(use_cases.end, request.target or "")
    facts = await request.services.gatherer.describe_workspace(workspace)
    ending, buttons = drawn.describe_run_end(facts, former)
    if not ending and facts.state in NOT_UP_STATES:
        ending, buttons = [fill(words.OFF_DOWN, state=facts.state.value)], list_buttons(facts)
    said = [request.fill(words.OFF, workspace), *(ending or ["I won't start or stop it automatically."])]
    back = list_opposite_button("hours", workspace, carried) if (carried := write_former(former)) else []
    return replies.answer(kit.join(said), [*back, *buttons], replaces=True)


@routes.action("hours_back")
async def turn_on_again(request: Request) -> Answer:
    """Restore hours that were turned off, unless the workspace has other hours by now."""
    key, former = read_carried(request, read_former)
    workspace, is_new = await request.caller.run(use_cases.restore, key, former)
    template = words.HOURS_SET if is_new else words.CURRENT_HOURS
    return replace(await _answer_hours(request, workspace, template), replaces=True)


async def pause(request: Request) -> Answer:
    """Pause a workspace's hours until they are resumed."""
    workspace = await request.caller.run(use_cases.pause, request.target or "")
    return await _answer_hours(request, workspace, words.CURRENT_HOURS)


@routes.action("hours_on")
async def resume(request: Request) -> Answer:
    """Resume a workspace's hours."""
    return await _answer_hours(
        request, await request.caller.run(use_cases.leave_out_days, request.target or ""), words.HOURS_SET
    )


_ORDERS: Final = {"off": turn_off, "on": resume, "resume": resume, "pause": pause}

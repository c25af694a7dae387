"""Working hours: the lines that show them, the form that sets them, and the messages about them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

from bot.domain.begun_hours import DAY_SECONDS
from bot.domain.hours import (
    HoursRule,
    Occurrence,
    Side,
    find_hours_stop,
    group_days,
    is_planned,
    list_dates,
)
from bot.domain.message_context import Facts, WorkspaceFacts
from bot.domain.notices import Answer, NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.stops import choose_planned_mode
from bot.domain.time_parsing import DAYS, EVERY_DAY, WEEKDAYS, Wanted, clock, load_zone, resolve_instant
from bot.domain.timers import SOONEST_SECONDS, find_next_stop
from bot.domain.workspaces import NOT_UP_STATES, State
from bot.messages.blocks import kit, limits, timers, waitlist
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.buttons import (
    describe_obstacle,
    format_stop_risk,
    list_buttons,
    list_earlier_end,
    list_extend_button,
    list_hours_button,
    make_change,
    start_button,
    stop_button,
    suspend_button,
)
from bot.messages.blocks.cards import VERB_FORMS, fill_notice, link_again_button
from bot.messages.blocks.kit import Block, Element, Markup, fill
from bot.messages.blocks.plans import format_rule, format_zones, list_lesson_buttons, list_lessons
from bot.messages.blocks.renderers import renders
from bot.messages.texts import cards, holds, problems, times
from bot.messages.texts import hours as words

HOURS_CALLBACK: Final = "hours"
#: Names of the fields in the hours form. ``PROPOSED_HOURS`` are the hours that the form suggests.
WORKSPACE_FIELD, DAYS_FIELD, FROM_FIELD, UNTIL_FIELD = "workspace", "days", "from", "until"
PROPOSED_HOURS: Final = Wanted(WEEKDAYS, 9 * 60, 18 * 60)
#: Maximum number of starts and stops of a working-hours rule to go through when looking for the next start,
#: or for the next stop that has an effect. If the rule applies every day, this covers two weeks.
MAX_LOOKED_AT: Final = 28
#: Buttons left out of the form: the one that opens it, and those that affect only today.
_NOT_IN_FORM: Final = frozenset({"hours_form", "keep_running", "stop", "suspend"})


def _sort_key(rule: HoursRule) -> tuple[bool, int, list[str], int | None]:
    weekly = [number for number, day in enumerate(DAYS) if day in rule.days]
    first = rule.stops if rule.starts is None else rule.starts
    return not weekly, min(weekly, default=0), sorted(rule.days - EVERY_DAY), first


def _format_rules(rules: Iterable[HoursRule], facts: WorkspaceFacts) -> Markup:
    every = sorted(rules, key=_sort_key)
    said_of = [one.wanted._replace(zone=one.zone) for one in every]
    left = [(one, said.without(said_of).days) for one, said in zip(every, said_of, strict=True)]
    ordered = [replace(one, days=days) for one, days in left if days]
    said = "; ".join(format_rule(one, facts.now, facts.zone) for one in ordered)
    return Markup(said + format_zones((one.zone for one in ordered), facts.zone))


def format_lines(facts: WorkspaceFacts) -> list[str]:
    """Return the line that shows a workspace's own working hours, or [] if it has none."""
    active = [one for one in facts.rules if not one.paused]
    if not active:
        return ["Hours: paused."] if facts.rules else []
    return [fill("Hours: {hours}.", hours=_format_rules(active, facts))]


def has_any(facts: WorkspaceFacts) -> bool:
    """Return whether a workspace has working hours or lessons."""
    return bool(facts.rules or list_lessons(facts))


def describe_hours(
    template: str,
    facts: WorkspaceFacts,
    more: Sequence[str] = (),
    once: Wanted | None = None,
    former: Iterable[HoursRule] = (),
) -> tuple[str, list[Element]]:
    """Describe a workspace's hours and when they next apply, or why they are paused, with buttons.

    ``once`` contains the hours just requested. If they are for a single day, they come first. ``former``
    contains the rules that they replaced.
    """
    rules, workspace, title = facts.rules, facts.workspace, facts.connection_title
    assert workspace is not None, "hours are a workspace's"
    ending, in_time = describe_run_end(facts, former)
    if not rules:
        sentences = [fill("*{name}* · {title}", name=workspace.title, title=title), *list_lessons(facts)]
        buttons = [*in_time, *list_lesson_buttons(facts), *list_hours_button(facts)]
        return kit.join([kit.join(sentences, " · "), *ending]), kit.add_labels(buttons, facts.objects)
    # Hours that only have a stop may have been given the start of the hours that they replaced.
    # If another stop is planned, the hours' own stop may not happen.
    new = [one for one in rules if once in {one.wanted, one.wanted._replace(starts=None)}]
    new = new if workspace.stop_at is None else []
    if once is not None and new:
        sentences = [*_format_single_day(facts, once, new[0]), *more]
    else:
        sentences = [
            fill(template, name=workspace.title, title=title, hours=_format_rules(rules, facts)),
            *more,
        ]
    paused = [one for one in rules if one.paused]
    causes = dict.fromkeys(one.paused for one in paused)
    if causes:
        # Hours for a single day come first, so the last sentence may be only about the others.
        is_all = all(one.paused for one in rules if one not in new[:1])
        some = fill("Paused: {hours}.", hours=_format_rules(paused, facts))
        sentences.append("They're paused." if is_all else some)
    sentences += [*(_format_cause(cause, title) for cause in causes), *ending]
    sentences += _format_next(facts) if not new else []
    earlier = list_earlier_end(facts, find_hours_stop(rules, facts.now))
    sentences += earlier
    sentences += ["I won't stop it after that."] if _starts_without_stop(facts) and not ending else []
    buttons = [*_list_rest_buttons(facts), kit.button(words.TURN_OFF, "hours_off", workspace.id)]
    buttons = [*buttons, *(list_extend_button(facts) if earlier else [])]
    buttons = [*buttons, *list_lesson_buttons(facts), *list_hours_button(facts)]
    if workspace.stop_at is not None:
        buttons = [*in_time, *buttons]
    else:
        # People are more likely to skip a day than to stop a workspace that keeps running. So the skip button
        # comes first, and the buttons that stop the workspace have no colour.
        buttons = [*buttons[:1], *map(kit.without_colour, in_time), *buttons[1:]]
    sentences += list_lessons(facts)
    off = _list_days_off(rules, facts.now)
    if causes or off:
        days = [times.format_weekday(day, rules[0].day(facts.now)) for day in off]
        label = "Don't skip any day" if len(off) > 1 else "Don't skip {day}".format(day="".join(days))
        until = None if causes else _get_day_end(off[-1], rules[0].zone)
        resume = ButtonValue("hours_on", workspace.id, at=until)
        buttons.insert(0, kit.button(words.RESUME if causes else label, resume, style=kit.PRIMARY))
    return kit.join(sentences), kit.add_labels(buttons, facts.objects)


def _get_day_end(day: str, zone: str) -> float:
    return resolve_instant(date.fromisoformat(day) + timedelta(days=1), 0, load_zone(zone))


def describe_run_end(
    facts: WorkspaceFacts, former: Iterable[HoursRule] = (), name: str = ""
) -> tuple[list[str], list[Element]]:
    """Return sentences that say when a running workspace will stop, and the buttons that go with them.

    The sentences may also say that no stop is planned within a day. Return nothing if the description of the
    workspace's hours says the same. ``former`` contains rules that the workspace no longer has. Pass a
    ``name`` if the message mentions several workspaces.
    """
    workspace, now = facts.workspace, facts.now
    if workspace is None:
        return [], []
    it = Markup(f"*{kit.safe(name)}*" if name else "it")
    it_is = Markup(f"{it} is" if name else "It's")
    mode = workspace.stop_mode or choose_planned_mode(facts.effects)
    do = VERB_FORMS[OperationVerb(mode)]
    if workspace.stop_at is not None:
        said = _announce_stop(facts, words.STILL, workspace.stop_at, it=it, **do)
        return [said], timers.keep_buttons(workspace)[:1]
    next_ = facts.next_stop
    if not facts.is_up or workspace.expires_at is not None:
        return [], []
    if next_ is not None and next_ <= now + DAY_SECONDS:
        return [_announce_stop(facts, words.STILL, next_, it=it, **do)] if name else [], []
    names = {"it": it_is, "state": facts.state.value, **do}
    said = kit.announce("nothing", workspace.id, fill("{it} {state}, and no stop is planned.", **names))
    if next_ is not None:
        until = kit.moment(next_, now, facts.zone)
        later = "{it} {state}, and I won't {do} it before {until}." if name else "Next {verb}: {until}."
        said = kit.announce("stop", workspace.id, fill(later, until=until, **names))
    stop = suspend_button(workspace) if mode == "suspend" else stop_button(workspace, facts.effects)
    offered = _offer_stop(facts, [*former, *facts.rules])
    buttons = [*(later for _, later in offered), *([stop] if facts.may(mode) else [])]
    return [kit.join([said, *(can_stop for can_stop, _ in offered)])], buttons


def _announce_stop(facts: WorkspaceFacts, template: str, at: float, **names: object) -> str:
    assert facts.workspace is not None, "it is stopped"
    said = fill(template, at=kit.moment_at(at, facts.now, facts.zone), **names)
    return kit.announce("stop", facts.workspace.id, said)


def _offer_stop(facts: WorkspaceFacts, rules: Sequence[HoursRule]) -> list[tuple[str, Element]]:
    """Offer the stop that would come within a day if the hours weren't skipped, paused or removed."""
    workspace = facts.workspace
    assert workspace is not None, "it runs"
    every = [replace(one, off=frozenset(), paused="") for one in rules]
    at = find_next_stop(workspace, find_hours_stop(every, facts.now), facts.now)
    if at is None or at > facts.now + DAY_SECONDS:
        return []
    return [offer_at(choose_planned_mode(facts.effects), facts, at, number=1)]


def _starts_without_stop(facts: WorkspaceFacts) -> bool:
    rules = facts.rules
    starts = any(one.starts is not None and not one.paused for one in rules)
    return starts and find_hours_stop(rules, facts.now) is None


def _format_single_day(facts: WorkspaceFacts, once: Wanted, rule: HoursRule) -> list[str]:
    assert facts.workspace is not None, "hours are a workspace's"
    day, down = date.fromisoformat(min(once.days)), OperationVerb(choose_planned_mode(facts.effects))
    # If the hours were set after their start, only the stop is still to come.
    coming = [one for one in rule.on(day) if one.at > rule.processed_until]
    (verb, first), *then = [(OperationVerb.START if one.side == "start" else down, one.at) for one in coming]
    names = {
        "name": facts.workspace.title,
        "title": facts.connection_title,
        "at": kit.moment_at(first, facts.now, facts.zone),
    }
    stop = [
        fill(
            ", and {do} it {until}",
            until=kit.moment(at, first, facts.zone, alone="at {time}"),
            **VERB_FORMS[verb],
        )
        for verb, at in then
    ]
    others = [one for one in facts.rules if one is not rule]
    once_said = fill(words.ONCE, then=Markup(kit.join(stop, "")), **names, **VERB_FORMS[verb])
    said = [kit.announce(coming[0].side, facts.workspace.id, once_said)]
    return [*said, fill(words.BESIDES, hours=_format_rules(others, facts))] if others else said


def _list_rest_buttons(facts: WorkspaceFacts) -> list[Element]:
    """Return the buttons that skip the next day with hours, or pause the hours until Monday."""
    found = []
    for rule in facts.rules:
        coming = _find_next(facts, rule, "stop" if rule.starts is None else "start")
        if coming is not None and not rule.paused and rule.days & EVERY_DAY:
            found.append((coming.at, date.fromisoformat(coming.local[:10]), load_zone(rule.zone)))
    if not found:
        return []
    assert facts.workspace is not None, "hours are a workspace's"
    at, day, zone = min(found, key=lambda one: one[0])
    today = datetime.fromtimestamp(facts.now, zone).date()
    monday = today + timedelta(days=7 - today.weekday())
    label, until = (times.format_weekday(one.isoformat(), today) for one in (day, monday))
    left_out = {"skip": (f"Skip {label}", list_dates(day, day + timedelta(days=1)))}
    if day < monday - timedelta(days=1):
        left_out["pause"] = (f"Pause until {until}", list_dates(today, monday))
    key = facts.workspace.id
    return [
        kit.button(label, ButtonValue("hours_rest", f"{key} {','.join(days)}", mark=mark, at=at))
        for mark, (label, days) in left_out.items()
    ]


def _find_next(facts: WorkspaceFacts, rule: HoursRule, side: Side | Literal[""]) -> Occurrence | None:
    """Return a rule's next start or stop, depending on ``side``, or the earlier of the two if that is "".

    A stop is ignored if another rule starts the workspace at the same time, because the stop then has no
    effect.
    """
    at, rules = max(facts.now, rule.processed_until), facts.rules
    for _ in range(MAX_LOOKED_AT):
        if (coming := rule.after(at)) is None:
            break
        runs_on = coming.side == "stop" and is_planned(rules, "start", coming.at)
        if side in {"", coming.side} and not runs_on:
            return coming
        at = coming.at
    return None


def _list_days_off(rules: Collection[HoursRule], now: float, of: HoursRule | None = None) -> list[str]:
    """Return the coming days that the rules skip, or, given ``of``, those that this rule skips.

    Days with hours of their own are left out.
    """
    dates = frozenset[str]().union(*(one.days - one.off for one in rules))
    coming = ((one, one.off - dates - one.list_days_over(now)) for one in rules if of in {None, one})
    return sorted({day for one, days in coming for day in days if day >= one.day(now).isoformat()})


def format_left_out(rules: Collection[HoursRule], now: float) -> list[str]:
    """Return a line that lists the days skipped by working hours, or [] if there are none."""
    every = {span for one in rules for span in group_days(one, _list_days_off(rules, now, one))}
    today = max((one.day(now) for one in rules), default=date.min)
    return [fill("No working hours {days}.", days=times.format_dates(sorted(every), today))] if every else []


def _format_next(facts: WorkspaceFacts) -> list[str]:
    # A workspace that is down, or will be stopped anyway, only needs its next start.
    workspace, rules = facts.workspace, [one for one in facts.rules if not one.paused]
    is_ending = workspace is not None and workspace.stop_at is not None
    is_down = workspace is None or workspace.current_state in NOT_UP_STATES or is_ending
    starts = [rule for rule in rules if rule.starts is not None and is_down]
    stops = [rule for rule in rules if rule.stops is not None and not is_down]
    side: Side | Literal[""] = "start" if starts else "stop" if stops else ""
    every = [_find_next(facts, rule, side) for rule in starts or stops or ([] if is_ending else rules)]
    coming = [one for one in every if one is not None]
    if stops and coming and min(coming).at > facts.now + DAY_SECONDS and facts.is_up:
        coming = []  # Another sentence says how long the workspace runs.
    left_out = format_left_out(rules, facts.now)
    if not coming:
        return left_out
    if facts.obstacle and facts.obstacle != "not_allowed_now":
        return [fill(words.HOURS_BLOCKED, why=describe_obstacle(facts.obstacle, facts)), *left_out]
    first = min(coming)
    how = "start" if first.side == "start" else choose_planned_mode(facts.effects)
    at = kit.moment(first.at, facts.now, facts.zone)
    said = fill("Next {verb}: {at}.", at=at, **VERB_FORMS[OperationVerb(how)])
    return [said if workspace is None else kit.announce(first.side, workspace.id, said), *left_out]


def _format_cause(cause: str, title: str) -> str:
    if cause in words.BECAUSE:
        return fill(words.BECAUSE[cause], title=title)
    return kit.safe(problems.explain_cause(cause, title))


def build_form(every: Sequence[WorkspaceFacts]) -> dict[str, Any]:
    """Return the form that sets hours for one of these workspaces.

    If there is only one workspace and it has a single weekly rule, the form changes that rule.
    """
    blocks: list[Block] = []
    rule, key = None, ""
    if len(every) == 1:
        (facts,) = every
        assert facts.workspace is not None, "hours are a workspace's"
        names = {"name": facts.workspace.title, "title": facts.connection_title}
        key, said, buttons = facts.workspace.id, fill(words.NO_HOURS, **names), list[Element]()
        rules = facts.rules
        if rules:
            said, buttons = describe_hours(words.CURRENT_HOURS, facts)
            buttons = [one for one in buttons if one["action_id"].partition(":")[0] not in _NOT_IN_FORM]
        rule = rules[0] if len(rules) == 1 and rules[0].days <= EVERY_DAY else None
        note = words.FORM_ADDS if rules and rule is None else words.FORM_NOTE
        blocks = [*kit.row(said, buttons), kit.context(note)]
    else:
        choices = [
            kit.option(one.workspace.id, f"{one.workspace.title} · {one.connection_title}")
            for one in every
            if one.workspace is not None
        ]
        menu = kit.select(WORKSPACE_FIELD, "Workspace", choices[: limits.MAX_SELECT_OPTIONS])
        blocks = [menu, kit.context(words.FORM_ADDS)]
    days = {day: kit.option(day, f"{date(2024, 1, number):%A}") for number, day in enumerate(DAYS, 1)}
    wanted = rule.wanted if rule is not None else PROPOSED_HOURS
    ticked = [option for day, option in days.items() if day in wanted.days]
    blocks += [
        kit.boxes(DAYS_FIELD, "Days", list(days.values()), ticked) | {"optional": False},
        kit.time_field(FROM_FIELD, "Start it at", clock(wanted.starts)),
        kit.time_field(UNTIL_FIELD, "Stop it at", clock(wanted.stops)),
    ]
    return kit.modal(
        "Hours",
        blocks,
        submit="Save",
        callback_id=HOURS_CALLBACK,
        private_metadata=f"{key} {rule.id if rule is not None else ''}",
    )


def answer_list(rows: Sequence[tuple[str, list[Element]]], remark: str = "") -> Answer:
    """List the working hours of several workspaces, followed by ``remark``."""
    blocks = [kit.section("*Your workspaces' working hours*")]
    for text, buttons in rows:
        blocks += kit.row(text, buttons)
    blocks += [kit.context(remark)] if remark else []
    return kit.answer([*blocks, *kit.actions([form_button()])])


def form_button() -> Element:
    """Return the button that opens a form for setting the hours of any workspace."""
    return kit.button(cards.HOURS, "hours_form")


@renders(
    NoticeKind.HOURS_MISSED,
    is_true=lambda facts: facts.state in NOT_UP_STATES or facts.word("cause") == "given_up",
)
def render_missed(facts: WorkspaceFacts) -> Answer:
    """Report a missed start or stop, or explain why it failed."""
    side: Side = "stop" if facts.word("side") == "stop" else "start"
    forms = {
        **VERB_FORMS[OperationVerb(side)],
        "at": kit.moment_at(facts.time("planned_at"), facts.now, facts.zone),
    }
    cause, count = facts.word("cause"), int(facts.body.get("more") or 0)
    if cause:
        because = Markup(kit.safe(problems.explain_cause(cause, facts.connection_title)))
        said = [fill_notice(words.OCCURRENCE_FAILED, facts, cause=because, **forms)]
    else:
        said = [fill_notice(words.MISSED, facts, **forms), *_format_missed_reason(facts)]
    more = fill(words.MISSED_MORE, count=times.format_count(count, "start or stop", "starts and stops"))
    can_start, buttons = _offer_start(facts) if side == "start" else ([], [])
    return kit.message(
        kit.join([*said, *([more] if count else []), "Its hours continue as planned.", *can_start]),
        [],
        buttons,
    )


def _format_missed_reason(facts: WorkspaceFacts) -> list[str]:
    if facts.is_refused:
        cause = "another_account" if facts.is_resting else "credential_refused"
        return [kit.safe(problems.explain_cause(cause, facts.connection_title))]
    # Notices written by release 0.4.1 contain the whole sentence as ``because``.
    because = holds.explain_missed(facts.word("missed"), facts.connection_title) or facts.word("because")
    return [kit.format_reason(because, facts.now, facts.zone)] if because else []


def _offer_start(facts: WorkspaceFacts) -> tuple[list[str], list[Element]]:
    workspace, until = facts.workspace, facts.body.get("until")
    if workspace is None or facts.state not in NOT_UP_STATES:
        return [], []
    if facts.is_refused and facts.linking & {"token", "admin"}:
        return [], [link_again_button(facts)]
    if until is None:
        return [], [start_button(workspace)]
    if until - facts.now < SOONEST_SECONDS:
        return [], []
    can_start, start = offer_at("start", facts, until, style=kit.PRIMARY)
    return [can_start], [start]


def _are_paused(facts: Facts) -> bool:
    cause = facts.word("cause")
    if cause in {"unlinked", "refused"}:
        return facts.is_linked is not True or facts.is_refused
    if not isinstance(facts, WorkspaceFacts) or facts.workspace is None:
        return True
    return any(one.paused == cause for one in facts.rules)


@renders(NoticeKind.HOURS_PAUSED, is_true=_are_paused)
def render_paused(facts: Facts) -> Answer:
    """Tell a person that their hours are paused and why, with buttons that help."""
    cause = facts.word("cause")
    is_known = isinstance(facts, WorkspaceFacts) and facts.workspace is not None
    names = {} if is_known or not facts.word("name") else {"name": facts.word("name")}
    because = Markup(_format_cause(cause, facts.connection_title))
    sentence = fill_notice(words.PAUSED, facts, because=because, **names)
    end = kit.button(words.TURN_OFF, "hours_off", facts.word("workspace"))
    resume = kit.button(words.RESUME, "hours_on", facts.word("workspace"), style=kit.PRIMARY)
    buttons = [] if cause == "withheld" else [end] if cause == "gone" else [resume, end]
    if cause in words.BECAUSE:
        buttons = [link_again_button(facts)] if facts.linking & {"token", "admin"} else []
    return kit.message(sentence, [], buttons)


def _is_still_idle(facts: WorkspaceFacts) -> bool:
    """Return whether a workspace is still idle, and its planned stop is the same as when Usher asked."""
    workspace, planned = facts.workspace, facts.body.get("stop_at") or facts.body.get("planned")
    if workspace is None or workspace.current_state is not State.RUNNING:
        return False
    return workspace.stop_at == planned and (workspace.used_at or 0.0) <= facts.written_at


@renders(NoticeKind.IDLE_PROMPT, is_true=_is_still_idle)
def render_idle_prompt(facts: WorkspaceFacts) -> Answer:
    """Ask whether an idle workspace is still needed, and say what happens if nobody answers."""
    names, stop_at = timers.get_names(facts), facts.body.get("stop_at")
    since = kit.since(facts.time("since"), facts.now, facts.zone)
    sentences = [fill(words.STILL_NEEDED[bool(facts.body.get("is_unused"))], since=since, **names)]
    if stop_at is None and facts.body.get("next_stop") is not None:
        sentences.append(
            fill(words.NEEDED_UNTIL, until=kit.moment(facts.time("next_stop"), facts.now, facts.zone))
        )
    buttons, workspace = [], facts.workspace
    if workspace is not None:
        keep = ButtonValue("needed", workspace.id, at=stop_at)
        buttons = [
            kit.button("Keep", keep, style=kit.PRIMARY),
            *list_buttons(facts, State.RUNNING),
        ]
        if stop_at is not None:
            sentences.append(
                fill(
                    words.NEEDED_STOPS[workspace.stop_mode or "stop"],
                    at=kit.moment_at(stop_at, facts.now, facts.zone),
                )
            )
            sentences += [format_stop_risk(workspace)] if format_stop_risk(workspace) else []
        elif facts.body.get("evening") is not None:
            mode = choose_planned_mode(facts.effects)
            can_stop, later = offer_at(mode, facts, facts.time("evening"), number=1)
            sentences, buttons = [*sentences, can_stop], [*buttons, later]
    return waitlist.add_waiting(facts, kit.message(kit.join(sentences), [], buttons))


def offer_at(
    verb: str, facts: WorkspaceFacts, at: float, number: int | None = None, style: str | None = None
) -> tuple[str, Element]:
    """Return a sentence that offers to do something at a given time, and the button that does it."""
    assert facts.workspace is not None, "it is offered for a workspace"
    press = make_change(verb, facts.workspace, number=number, at=at)
    write = kit.moment if verb == "start" else kit.moment_at
    sentence = fill(words.DONE_THEN[verb], at=write(at, facts.now, facts.zone))
    return sentence, kit.button(words.DO_THEN[verb], press, style=style)

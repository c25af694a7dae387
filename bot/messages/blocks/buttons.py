"""The buttons that a workspace's provider and state allow, and lines about its upcoming stop or removal."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.domain.message_context import Facts, RunFacts, WorkspaceFacts
from bot.domain.stops import Consent, StopEffect, StopEffects, StopMode, choose_gentlest_mode, is_final
from bot.domain.time_parsing import Moment
from bot.domain.timers import list_coming_ends
from bot.domain.waitlist import WaitlistEntry
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks import kit, limits
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.kit import Block, Element, Markup, fill, line
from bot.messages.texts import cards, waitlist
from bot.messages.verb import Opposite, find_verb, to_present_name
from bot.support.cleaning import natural_key


def make_change(
    verb: str,
    workspace: Workspace,
    *,
    agreed: Consent = Consent.NONE,
    number: int | None = None,
    at: float | None = None,
) -> ButtonValue:
    """Return the value of a button that changes a workspace's state.

    The button has no effect if the workspace has been started again since the button was rendered.
    """
    return ButtonValue(verb, workspace.id, workspace.generation, agreed, number, at=at)


def can_be_made_again(facts: WorkspaceFacts) -> bool:
    """Return whether another workspace like this one can be created.

    This requires that Usher created this one, and that its provider can create more.
    """
    workspace = facts.workspace
    return workspace is not None and workspace.spec is not None and "creation" in facts.capabilities


def get_wait(facts: WorkspaceFacts) -> WaitlistEntry | None:
    """Return a workspace's entry on the waitlist, or None if it isn't waiting or an operation is open."""
    is_tried = facts.operation is not None and facts.operation.is_open
    return None if is_tried else facts.waitlist_entry


def get_mark(facts: WorkspaceFacts) -> Markup:
    """Return the symbol shown before a workspace's name: for its operation, wait, problem or state."""
    workspace, operation = facts.workspace, facts.operation
    if (operation is not None and operation.is_open) or get_wait(facts) is not None:
        return Markup(cards.MARKS[State.STARTING])
    if workspace is None or workspace.is_provisional:
        return Markup(cards.MARKS[State.GONE if workspace is None else State.STARTING])
    return Markup(cards.MARKS[State.FAILED if facts.is_unusable else workspace.current_state])


def start_button(workspace: Workspace) -> Element:
    """Return the *Start* button for a workspace, or *Resume* for a suspended workspace."""
    label = cards.RESUME if workspace.state is State.SUSPENDED else cards.START
    return kit.button(label, make_change("start", workspace), style=kit.PRIMARY, of=workspace.title)


def stop_button(workspace: Workspace, effects: StopEffects) -> Element:
    """Return the *Stop* button. It asks first if the stop is irreversible or puts anything at risk."""
    question = final = _end_question(workspace, effects, "stop", cards.CONFIRM_END)
    if format_stop_risk(workspace) and not final:
        question = kit.confirm(cards.CONFIRM_STOP, name=workspace.title, lost=format_cost(workspace, None))
    press = make_change("stop", workspace, agreed=get_consent(workspace) if final else Consent.NONE)
    return kit.button(cards.STOP, press, style=kit.DANGER, confirm=question, of=workspace.title)


#: Marks a *Stop waiting* button in a message that shows more than the wait for capacity, such as a list of
#: workspaces. The answer to a marked button doesn't replace the message.
IN_ROW: Final = "row"
BACK: Final = "back"
_CANCEL_PLAN: Final = Opposite("Cancel it", "keep_running", "Keep {name} running")


def _find_opposite(verb: str, at: float | None) -> Opposite | None:
    opposite = find_verb("workspace", verb).opposite
    return opposite if at is None or opposite is None else _CANCEL_PLAN


def list_opposite_button(
    verb: str, workspace: Workspace, carried: str = "", *, at: float | None = None
) -> list[Element]:
    """Return the button that undoes what a verb has just changed or scheduled, or [] if there is none.

    ``carried`` is data that the button needs besides the workspace. There is no button if its value would
    become too long.
    """
    opposite = _find_opposite(verb, at)
    key = f"{workspace.id} {carried}".rstrip()
    if opposite is None or len(key) > limits.MAX_BUTTON_VALUE_LENGTH:
        return []
    press = ButtonValue(opposite.action, key, at=at)
    if find_verb("workspace", opposite.action).is_operation:
        press = make_change(opposite.action, workspace)._replace(mark=BACK)
    return [kit.button(opposite.label, press, of=workspace.title)]


def list_named_opposites(verb: str, workspaces: Sequence[Workspace], at: float | None) -> list[Element]:
    """Return buttons that undo a verb's changes to several workspaces. Each is labelled with a name."""
    opposite = _find_opposite(verb, at)
    named = [
        kit.add_number(button, number, fill(opposite.named, name=Markup(line(one.title))))
        for number, one in enumerate(workspaces[:MAX_CHOICES])
        if opposite is not None and opposite.named
        for button in list_opposite_button(verb, one, at=at)
    ]
    return named if len(workspaces) <= MAX_CHOICES else []


def suspend_button(workspace: Workspace) -> Element:
    """Return the *Suspend* button, which asks for confirmation only if something is at risk."""
    said = format_stop_risk(workspace)
    if not said:
        return kit.button(cards.SUSPEND, make_change("suspend", workspace), of=workspace.title)
    asked = kit.confirm(cards.CONFIRM_SUSPEND, style=None, name=workspace.title, at_stake=said)
    change = make_change("suspend", workspace, agreed=get_consent(workspace))
    return kit.button(cards.SUSPEND, change, confirm=asked, of=workspace.title)


def format_stop_risk(workspace: Workspace) -> Markup:
    """Say what a stop would put at risk right now, as far as Usher knows, or return ""."""
    return Markup(cards.AT_STAKE.get(workspace.stakes, ""))


def format_cost(workspace: Workspace, effect: StopEffect | None, mode: StopMode = "stop") -> Markup:
    """Say what stopping would put at risk now, then what a stop with this effect always loses.

    Every question and warning about the end of a workspace uses this wording.
    """
    is_final = effect is not None and effect.is_final
    cost = cards.FORCED if mode == "force" and not is_final else cards.LOST[effect or StopEffect.RETURNS]
    return Markup(f"{format_stop_risk(workspace)} {cost}".strip())


def get_consent(workspace: Workspace) -> Consent:
    """Return the consent given by pressing a stop button.

    The consent is informed if the button said what is at risk.
    """
    return Consent.KNOWING if format_stop_risk(workspace) else Consent.GIVEN


def force_button(workspace: Workspace, effects: StopEffects) -> Element:
    """Return the *Force quit* button, which asks for confirmation."""
    final = _end_question(workspace, effects, "force", cards.CONFIRM_FORCE_END)
    said = format_cost(workspace, None, "force")
    question = final or kit.confirm(cards.CONFIRM_FORCE, name=workspace.title, lost=said)
    press = make_change("force", workspace, agreed=get_consent(workspace) if final else Consent.NONE)
    return kit.button(cards.FORCE, press, style=kit.DANGER, confirm=question, of=workspace.title)


def _end_question(
    workspace: Workspace, effects: StopEffects, mode: StopMode, asked: tuple[str, str, str, str]
) -> Block | None:
    if workspace.is_provisional or not is_final(effects, mode):
        return None
    return kit.confirm(asked, name=workspace.title, lost=format_cost(workspace, effects[mode]))


def agreed_button(label: str, verb: str, workspace: Workspace) -> Element:
    """Return the button with which the owner accepts the losses named in a question."""
    change = make_change(verb, workspace, agreed=get_consent(workspace))
    return kit.button(label, change, style=kit.DANGER, of=workspace.title)


def remove_button(workspace: Workspace) -> Element:
    """Return the *Remove* button. It opens a form into which the workspace's name has to be typed."""
    return kit.button(cards.REMOVE, "remove", workspace.id, style=kit.DANGER, of=workspace.title)


def again_button(workspace: Workspace) -> Element:
    """Return the *Start a new one* button, which creates another workspace from the same source."""
    return kit.button(cards.START_NEW, "again", workspace.id, style=kit.PRIMARY, of=workspace.title)


def list_buttons(
    facts: WorkspaceFacts, state: State | None = None, opening: Sequence[Element] = ()
) -> list[Element]:
    """Return the buttons for a workspace's state, most important first.

    The state is ``state`` if given, otherwise the current one. ``opening`` contains the buttons that open a
    running workspace. *Stop* moves into the menu if a gentler button is offered.
    """
    workspace = facts.workspace
    if workspace is None:
        return []
    if state is None and get_wait(facts) is not None:
        press = ButtonValue("stop_waiting", workspace.id, mark=IN_ROW)
        return [kit.button(waitlist.STOP_WAITING, press, of=workspace.title)]
    stop = [stop_button(workspace, facts.effects)]
    if state is None:
        state = State.STARTING if workspace.is_provisional else workspace.state
    match state:
        case State.RUNNING:
            stop = stop if facts.may("stop") else []
            if not facts.may("suspend"):
                return [*opening, *stop]
            return [*opening, suspend_button(workspace), *([kit.menu(stop)] if stop else [])]
        case State.STARTING:
            return stop
        case State.STOPPING:
            return stop if facts.can_still_run else []
        case State.GONE:
            again = [again_button(workspace)] if can_be_made_again(facts) else []
            forget = kit.button(cards.FORGET, "forget", workspace.id, of=workspace.title)
            return again if workspace.hidden else [*again, forget]
        case _:
            start = [start_button(workspace)] if facts.may("start") else []
            can_end = workspace.state is State.SUSPENDED and is_final(facts.effects, "stop")
            if start and can_end and facts.may("stop"):
                return [*start, kit.menu(stop)]
            return [*start, *stop] if facts.can_still_run or (can_end and facts.may("stop")) else start


def open_buttons(facts: WorkspaceFacts) -> list[Element]:
    """Return the *Open* button with the URL or, without a URL, a link to the provider's page.

    Only the workspace's owner may see either of them.
    """
    return [open_button(facts)] if facts.ide_url else list_page_button(facts)


def open_button(facts: WorkspaceFacts) -> Element:
    """Return the *Open* button. Pressing it counts as use of the workspace."""
    key, name = (facts.workspace.id, facts.workspace.title) if facts.workspace is not None else ("", "")
    return kit.button(cards.OPEN, "open_url", key, style=kit.PRIMARY, url=facts.ide_url, of=name)


def list_page_button(facts: WorkspaceFacts | RunFacts) -> list[Element]:
    """Return a link to the workspace's page at the provider, if there is one."""
    if not facts.page_url:
        return []
    return [kit.button(fill(cards.SEE_PAGE, title=facts.connection_title), "page_url", url=facts.page_url)]


def still_applies(button: Element, facts: WorkspaceFacts | RunFacts | None) -> bool:
    """Return whether a button would still do what it says. ``facts`` is None if the row is gone."""
    press = ButtonValue.from_button(button)
    if isinstance(facts, RunFacts):
        return facts.run.is_open or press.name not in RUN_STOPS
    if facts is None or facts.workspace is None:
        return press.name == "page_url"
    if press.name == "open_url":
        return facts.state is State.RUNNING and button.get("url") == facts.ide_url
    if press.name in WARNING_ANSWERS:
        return facts.workspace.stops_at(press.at or 0.0)
    if press.name == "hours_rest" and press.at is not None:
        return any(facts.plans((side, press.key.split()[0]), {int(press.at)}) for side in ("start", "stop"))
    is_up, is_it = facts.is_up, not facts.workspace.hidden and facts.workspace.generation == press.seen
    if press.mark == BACK:
        return is_it
    does = {
        "extend": is_up,
        "start": not is_up,
        "stop": is_up or facts.can_still_run,
        "suspend": is_up,
        "restart": is_up,
    }
    return press.seen is None or (is_it and does.get(to_present_name("workspace", press.name), True))


#: Buttons in the warning before a stop. They do nothing once the stop has been moved or cancelled.
WARNING_ANSWERS: Final = frozenset({"keep_running", "hour_more"})
RUN_STOPS: Final = frozenset({"job_stop", "job_force"})
#: Maximum number of buttons in a question, so that people can take them in at a glance.
MAX_CHOICES: Final = 5


def list_end_lines(facts: WorkspaceFacts) -> list[str]:
    """Return the lines that say when a workspace will be stopped or ended permanently.

    While an operation is open, leave out any end that the provider reported earlier.
    """
    workspace, operation = facts.workspace, facts.operation
    if workspace is None or (workspace.stop_at is None and workspace.expires_at is None):
        return []
    coming = list_coming_ends(workspace, facts.effects, facts.now)
    if operation is not None and operation.is_open:
        coming = [(how, at) for how, at in coming if at == workspace.stop_at]
    said = [
        format_obstacle(
            cards.STOP_BLOCKED if at > facts.now else cards.BLOCKED_PASSED, facts, facts.obstacle, at
        )
        if facts.obstacle and at == workspace.stop_at
        else kit.announce(
            "stop",
            workspace.id,
            fill(
                cards.LINE[how],
                title=facts.connection_title,
                at=kit.moment_at(at, facts.now, facts.zone),
            ),
        )
        for how, at in coming
    ]
    if len(coming) > 1 and coming[0][0] == "stops" and not facts.obstacle:
        at = kit.moment_at(coming[0][1], facts.now, facts.zone)
        planned = kit.moment_at(coming[1][1], facts.now, facts.zone)
        do = Markup("suspend" if workspace.stop_mode == "suspend" else "stop")
        said = [kit.announce("stop", workspace.id, fill(cards.LINE_UNUSED, do=do, planned=planned, at=at))]
    return said


def list_extend_button(facts: WorkspaceFacts) -> list[Element]:
    """Return the *Keep 2 h more* button if the provider will stop the workspace but can postpone the stop."""
    workspace = facts.workspace
    if workspace is None or workspace.expiry_mode != "stops" or "extension" not in facts.capabilities:
        return []
    return [
        kit.button(
            cards.EXTEND, ButtonValue("extend", workspace.id, seen=workspace.generation), of=workspace.title
        )
    ]


def list_earlier_end(facts: WorkspaceFacts, planned: float | None, *, is_named: bool = False) -> list[str]:
    """Return lines that say that the provider will end a running workspace before its ``planned`` stop."""
    if facts.workspace is None or planned is None or not facts.is_up:
        return []
    workspace = replace(facts.workspace, stop_at=planned)
    return [
        fill(
            cards.EARLIER[how],
            title=facts.connection_title,
            it=Markup(f"*{line(workspace.title)}*" if is_named else "it"),
            at=kit.moment_at(at, facts.now, facts.zone),
        )
        for how, at in list_coming_ends(workspace, facts.effects, facts.now)[:-1]
    ]


def format_obstacle(
    template: str, facts: WorkspaceFacts, obstacle: str, at: float, mode: StopMode | None = None
) -> str:
    """Explain why a planned stop can't be carried out, or why it couldn't be."""
    workspace = facts.workspace
    titles = [workspace.title if workspace is not None else facts.word("name") or "your workspace"]
    titles += [one.workspace.title for one in facts.others if one.workspace is not None]
    *first, last = [f"*{line(title)}*" for title in sorted(titles, key=natural_key)]
    said = {"names": Markup(f"{', '.join(first)} and {last}" if first else last)}
    said["still"] = Markup(("it's still", "they're still")[bool(first)])
    mode = mode or (workspace.stop_mode if workspace is not None else None) or "stop"
    said |= {"done": Markup(cards.DONE[mode]), "do": Markup(mode), "why": describe_obstacle(obstacle, facts)}
    return fill(template, at=kit.moment_at(at, facts.now, facts.zone), **said)


def describe_obstacle(obstacle: str, facts: Facts) -> Markup:
    """Describe what prevents a stop, as a clause that fits into a sentence."""
    return Markup(fill(cards.OBSTACLES[obstacle], title=facts.connection_title))


def list_later_button(facts: WorkspaceFacts) -> list[Element]:
    """Return the *Stop later…* button, which opens a form, if the workspace can be stopped."""
    workspace = facts.workspace
    if workspace is None or not (facts.may("stop") or facts.may("suspend")):
        return []
    return [kit.button("Stop later…", "stop_later", workspace.id, of=workspace.title)]


def list_hours_button(facts: WorkspaceFacts) -> list[Element]:
    """Return the *Hours…* button if the workspace's state and provider allow working hours."""
    workspace, effects = facts.workspace, facts.effects
    if workspace is None or workspace.is_provisional or workspace.state is State.GONE or facts.is_unusable:
        return []
    if not facts.may("stop") and not facts.may("start"):
        return []
    is_made = is_final(effects, choose_gentlest_mode(effects))
    hours = kit.button(cards.HOURS, "hours_form", workspace.id, of=workspace.title)
    return [] if is_made else [hours]


def format_day_note(moment: Moment) -> list[str]:
    """Point out that a time is tomorrow, or that clocks skip it, so that a time an hour later is used."""
    return [
        *([cards.TOMORROW] if moment.is_next_day and moment.seconds is None else []),
        *(["The clocks go forward that night, so I've set it an hour later."] if moment.is_shifted else []),
    ]


def list_timed_buttons(
    verb: str, workspaces: Sequence[Workspace], labels: Sequence[str], times: Sequence[float | None]
) -> list[Element]:
    """Return a button for each workspace that the user may have meant, with the given time filled in."""
    offered = zip(workspaces[:MAX_CHOICES], labels, times, strict=False)
    return [
        kit.button(line(label, limits.MAX_BUTTON_LENGTH), make_change(verb, one, number=number, at=at))
        for number, (one, label, at) in enumerate(offered)
    ]


def format_timer(workspace: Workspace, title: str, at: Markup) -> str:
    """Say when a workspace will be stopped. ``at`` is that time, formatted for the reader."""
    do = Markup("suspend" if workspace.stop_mode == "suspend" else "stop")
    said = fill(cards.SET, name=workspace.title, title=title, at=at, do=do)
    return kit.announce("stop", workspace.id, said)

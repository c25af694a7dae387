"""A workspace's buttons, shown by what its provider supports and what is possible with it now."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.facts import RunFacts, WorkspaceFacts
from bot.domain.workspaces import Effects, State, StopMode, Workspace, is_final
from bot.messages.blocks import kit
from bot.messages.blocks.kit import Block, Element, Press
from bot.messages.blocks.limits import Markup, fill
from bot.messages.texts import cards as words


def changing(
    verb: str,
    workspace: Workspace,
    *,
    agreed: bool = False,
    number: int | None = None,
    at: float | None = None,
) -> Press:
    """Return what a button carries that changes what a workspace does.

    A press is done only while the workspace hasn't been brought up again since.
    """
    return Press(verb, workspace.id, workspace.episode, agreed, number, at=at)


def can_be_made_again(facts: WorkspaceFacts) -> bool:
    """Return whether another like it can be made: it was made through us, and its provider supports that."""
    workspace = facts.workspace
    return workspace is not None and workspace.spec is not None and "making" in facts.capabilities


def start_button(workspace: Workspace) -> Element:
    """Return *Start* for a workspace, *Resume* for a suspended one."""
    label = words.RESUME if workspace.state is State.SUSPENDED else words.START
    return kit.button(label, changing("start", workspace), style=kit.PRIMARY)


def stop_button(workspace: Workspace, effects: Effects) -> Element:
    """Return *Stop*, which asks first; if it ends the workspace for good, it says what is lost."""
    final = _end_question(workspace, effects, "stop", words.CONFIRM_END)
    question = final or kit.confirm(words.CONFIRM_STOP, name=workspace.title)
    press = changing("stop", workspace, agreed=final is not None)
    return kit.button(words.STOP, press, style=kit.DANGER, confirm=question)


def suspend_button(workspace: Workspace) -> Element:
    """Return *Suspend*, which loses nothing and so asks only if it was busy or had unsaved changes."""
    said = at_stake(workspace)
    if not said:
        return kit.button(words.SUSPEND, changing("suspend", workspace))
    asked = kit.confirm(words.CONFIRM_SUSPEND, style=None, name=workspace.title, at_stake=said)
    return kit.button(words.SUSPEND, changing("suspend", workspace, agreed=True), confirm=asked)


def at_stake(workspace: Workspace) -> Markup:
    """Return what a stop would interrupt or lose as it was last read, as a sentence; empty for nothing."""
    if workspace.state is not State.RUNNING or workspace.at_stake is None:
        return Markup("")
    return Markup(words.AT_STAKE.get(workspace.at_stake, ""))


def lost(workspace: Workspace, effects: Effects, mode: StopMode) -> Markup:
    """Return what is at stake now, and what a stop that ends the workspace for good costs in any case."""
    return Markup(f"{at_stake(workspace)} {words.LOST[effects[mode]]}".strip())


def force_button(workspace: Workspace, effects: Effects) -> Element:
    """Return *Force quit*, which asks first."""
    final = _end_question(workspace, effects, "force", words.CONFIRM_FORCE_END)
    question = final or kit.confirm(words.CONFIRM_FORCE, name=workspace.title)
    press = changing("force", workspace, agreed=final is not None)
    return kit.button(words.FORCE, press, style=kit.DANGER, confirm=question)


def _end_question(
    workspace: Workspace, effects: Effects, mode: StopMode, asked: tuple[str, str, str, str]
) -> Block | None:
    """Return the confirmation of a stop that ends a workspace for good; None if it doesn't."""
    if workspace.is_provisional or not is_final(effects, mode):
        return None
    return kit.confirm(asked, name=workspace.title, lost=lost(workspace, effects, mode))


def agreed_button(label: str, verb: str, workspace: Workspace) -> Element:
    """Return the button of a question that said what is lost: pressing it is the consent."""
    return kit.button(label, changing(verb, workspace, agreed=True), style=kit.DANGER)


def remove_button(workspace: Workspace) -> Element:
    """Return *Remove*: its click opens the form that asks, in which the name is typed."""
    return kit.button(words.REMOVE, "remove", workspace.id, style=kit.DANGER)


def again_button(workspace: Workspace) -> Element:
    """Return *Start a new one*, which makes another from what this one was made from."""
    return kit.button(words.START_NEW, "again", workspace.id, style=kit.PRIMARY)


def offered(
    facts: WorkspaceFacts, state: State | None = None, opening: Sequence[Element] = ()
) -> list[Element]:
    """Return what can be done with a workspace in its state, or in the one that a message tells.

    ``opening`` opens one that runs.
    """
    workspace = facts.workspace
    if workspace is None:
        return []
    stop = [stop_button(workspace, facts.effects)]
    if state is None:
        state = State.STARTING if workspace.is_provisional else workspace.state
    match state:
        case State.RUNNING:
            suspend = [suspend_button(workspace)] if facts.may("suspend") else []
            return [*opening, *suspend, *(stop if facts.may("stop") else [])]
        case State.STARTING:
            return stop
        case State.STOPPING:
            return []
        case State.GONE:
            again = [again_button(workspace)] if can_be_made_again(facts) else []
            return again if workspace.hidden else [*again, kit.button(words.FORGET, "forget", workspace.id)]
        case _:
            start = [start_button(workspace)] if facts.may("start") else []
            # A suspended one can still be ended for good.
            can_end = workspace.state is State.SUSPENDED and is_final(facts.effects, "stop")
            return [*start, *stop] if can_end and facts.may("stop") else start


def open_buttons(facts: WorkspaceFacts) -> list[Element]:
    """Return *Open* with the address itself: only for messages that nobody but the owner sees."""
    if not facts.ide_url:
        return page_button(facts)
    return [kit.button(words.OPEN, "open_url", style=kit.PRIMARY, url=facts.ide_url)]


def page_button(facts: WorkspaceFacts | RunFacts) -> list[Element]:
    """Return a link to the workspace's page at the provider, if there is one."""
    if not facts.page_url:
        return []
    return [kit.button(fill(words.SEE_PAGE, title=facts.connection_title), "page_url", url=facts.page_url)]

"""What is offered instead of done: one button that says what it will do, for one thing or for several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.domain.notices import Answer, Spoken
from bot.domain.runs import Run
from bot.domain.workspaces import StopEffect, Workspace
from bot.messages.blocks import kit, limits, replies
from bot.messages.blocks.buttons import changing
from bot.messages.blocks.kit import Element, Press
from bot.messages.blocks.limits import Markup, fill
from bot.messages.blocks.lists import state_words
from bot.messages.texts import cards
from bot.messages.texts import talk as words

#: The action that runs a command as if it had been typed; its value is the command.
SAY: Final = "say"
#: The action that does something to several workspaces; its value names each.
SEVERAL: Final = "several"
_RED: Final = frozenset({"stop", "restart", "force", "cancel", "stop_run"})
_IN_A_SECTION: Final = 8


@dataclass(frozen=True, slots=True)
class Row:
    """Hold one of several: what stopping does to it is given only if it ends it for good."""

    workspace: Workspace
    title: str
    ends: StopEffect | None = None


def command_buttons(commands: Sequence[str]) -> list[Element]:
    """Return a button for each command, which says what it does; none for one that is too long."""
    return [
        kit.button(limits.line(_doing(command), limits.BUTTON), Press(SAY, command, number=number))
        for number, command in enumerate(commands)
        if len(command) <= limits.VALUE
    ]


def _doing(command: str) -> str:
    """Return what a command does, in words for a button."""
    verb, _, rest = command.removeprefix("job ").partition(" ")
    said = words.COMMANDS.get(command) or f"{words.COMMANDS.get(verb, verb.capitalize())} {rest}"
    return said.replace('"', "").strip()


def one(verb: str, workspace: Workspace, title: str) -> Answer:
    """Offer to do something to a workspace, as it is now: *yes* means the same as the press."""
    press = changing(verb, workspace)
    offered = _one(verb, workspace.title, title, press)
    return replace(offered, about=Spoken((workspace.id,), what=verb, ask=press.text))


def stop_run(run: Run, title: str, *, force: bool) -> Answer:
    """Offer to stop a run."""
    press = Press("job_force" if force else "job_stop", run.id)
    offered = _one("stop_run", run.name, title, press)
    return replace(offered, about=Spoken(runs=(run.id,), what="stop", ask=press.text))


def run_again(run: Run, title: str) -> Answer:
    """Offer to run something once more; it may cost money, so that it takes the press."""
    offered = _one("run", run.name, title, Press("job_again", run.id))
    return replace(offered, about=Spoken(runs=(run.id,), what="run", takes_press=True))


def _one(verb: str, name: str, title: str, press: Press) -> Answer:
    style = kit.DANGER if verb in _RED else kit.PRIMARY
    label = fill(words.DO_ONE[verb], name=Markup(limits.line(name)))
    button = kit.button(limits.cut(label, limits.BUTTON), press, style=style)
    return replies.answer(fill(words.OFFERS[verb], name=name, title=title), [button])


def several(
    verb: str, rows: Sequence[Row], stamps: Sequence[str], remarks: Sequence[str], at: float | None = None
) -> Answer:
    """Offer to do something to several: all of them are named, and what ends for good says so."""
    count = Markup(str(len(rows)))
    head, label = fill(words.SEVERAL[verb], count=count), words.DO_SEVERAL[verb]
    if at is not None:
        head = fill(words.SEVERAL_AT[verb], count=count, at=kit.day_moment(at))
        label = words.DO_SEVERAL_AT[verb]
    lines = [
        fill(words.SEVERAL_ROW, name=row.workspace.title, title=row.title)
        if row.ends is None
        else fill(
            words.SEVERAL_FINAL,
            name=row.workspace.title,
            title=row.title,
            lost=Markup(cards.LOST[row.ends]),
        )
        for row in rows
    ]
    style = kit.DANGER if verb in _RED else kit.PRIMARY
    press = Press(SEVERAL, " ".join([verb, *stamps]), at=at)
    button = kit.button(fill(label, count=count), press, style=style)
    parts = [lines[at : at + _IN_A_SECTION] for at in range(0, len(lines), _IN_A_SECTION)]
    blocks = [kit.section("\n".join([head, *parts[0]])), *(kit.section("\n".join(one)) for one in parts[1:])]
    small = [kit.context(*remarks)] if remarks else []
    keys = tuple(row.workspace.id for row in rows)
    asked = Spoken(keys, what=verb, ask="" if any(row.ends for row in rows) else press.text)
    asked = replace(asked, takes_press=not asked.ask)
    return kit.answer(kit.bare(head), [*blocks, *small, *kit.actions([button])], about=asked)


def in_its_state(now: float, workspace: Workspace, template: str) -> str:
    """Fill a sentence with a workspace's name, its state and when it was seen."""
    state, as_of = state_words(now, workspace)
    state = Markup(f"{state[0].lower()}{state[1:]}")
    return fill(template, name=workspace.title, state=state, as_of=as_of)

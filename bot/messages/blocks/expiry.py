"""The warning that a workspace will soon end by itself, with a way to keep it."""

from __future__ import annotations

from bot.domain.facts import Facts
from bot.domain.models import Answer, Ending, State
from bot.domain.models.stopping import is_final
from bot.messages.blocks import kit
from bot.messages.blocks.buttons import down_buttons, open_buttons, remove_button
from bot.messages.blocks.cards import name_of
from bot.messages.blocks.limits import fill
from bot.messages.texts import notices, times


def ending(facts: Facts) -> Answer:
    """Draw it by the current row: a workspace used in the meantime ends later, and the warning says so."""
    workspace = facts.workspace
    names = {"name": name_of(facts), "title": facts.connection_title}
    if workspace is None or workspace.ends_at is None or workspace.ends_how is None:
        sentence = fill(notices.ENDED_SHORT, **names)
        return kit.message(sentence, sentence)
    # A workspace stopped for good is lost like one that is removed.
    ends_how: Ending = "removed" if is_final(facts.effects, "stop") else workspace.ends_how
    names |= {"left": times.duration(_whole(workspace.ends_at - facts.now))}
    at = kit.moment_at(workspace.ends_at, facts.now)
    if workspace.state is State.RUNNING:
        sentence = notices.ENDING_STOPS if ends_how == "stops" else notices.ENDING_ANYHOW
        buttons = open_buttons(facts)
    else:
        sentence, buttons = notices.ENDING_REMOVED, down_buttons(facts)
    if facts.may("remove"):
        buttons.append(remove_button(workspace))
    text = fill(notices.ENDING_SHORT[ends_how], **names)
    return kit.message(text, fill(sentence, at=at, **names), buttons=buttons)


def _whole(seconds: float) -> float:
    """Round to whole minutes if there are any: nobody needs the seconds."""
    return seconds if seconds < 60 else round(seconds / 60) * 60

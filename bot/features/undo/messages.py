"""Lines of people's requests: in answers and in their Homes."""

from collections.abc import Sequence
from typing import Final

from bot.domain.message_context import ActionFacts
from bot.features.undo import texts as words
from bot.messages.blocks import kit
from bot.messages.blocks.home_sections import HomeContent, add_section
from bot.messages.blocks.kit import Markup, fill
from bot.messages.texts.talk import DONE_BY
from bot.messages.verb import find_action

#: How many actions of today a Home shows.
MAX_HOME_ACTIONS: Final = 5


def describe_action(one: ActionFacts) -> Markup:
    """Describe an action; an undone one is struck through."""
    action = one.action
    is_planned = action.kind == "workspace.timer" and action.until is not None
    plain = words.DID_PLAIN if action.name else words.OTHER_ACTION
    template = words.DID_PLANNED if is_planned else find_action(action.kind).did or plain
    verb, at = Markup(action.kind.rpartition(".")[2]), kit.day_moment(action.until or 0.0)
    said = fill(template, verb=verb, name=action.name, title=one.connection_title, at=at)
    if by := action.initiator or action.via:
        said = fill(words.DID_BY, did=Markup(said), by=DONE_BY.get(by, ""))
    return Markup(said if action.undone_at is None else fill(words.TAKEN_BACK, did=Markup(said)))


def list_actions(actions: Sequence[ActionFacts], now: float, most: int) -> list[str]:
    """List actions with their times, the newest first, and the number of further ones."""
    said = [
        fill(words.ACTION_LINE, at=kit.moment(one.action.done_at, now), did=describe_action(one))
        for one in actions[:most]
    ]
    more = len(actions) - most
    return [*said, fill(words.MORE_ACTIONS, count=Markup(str(more)))] if more > 0 else said


@add_section(70)
def _render_home(facts: HomeContent) -> list[kit.Block]:
    said = "\n".join(list_actions(facts.parts.get("today", ()), facts.now, MAX_HOME_ACTIONS))
    return [kit.header(words.TODAY_HEADING), kit.section(said)] if said else []

"""Lines of people's requests: in answers and in their Homes."""

from collections.abc import Sequence
from typing import Final

from bot.domain.message_context import ActFacts
from bot.features.undo import texts as words
from bot.messages.blocks import kit
from bot.messages.blocks.home_sections import HomeContent, add_section
from bot.messages.blocks.kit import Markup, fill
from bot.messages.texts.talk import DONE_BY

#: How many acts of today a Home shows.
MAX_HOME_ACTIONS: Final = 5


def describe_action(one: ActFacts) -> Markup:
    """Describe an action; an undone one is struck through."""
    act = one.act
    is_planned = act.action == "workspace.timer" and act.until is not None
    plain = words.DID_PLAIN if act.name else words.OTHER_ACTION
    template = words.DID_PLANNED if is_planned else words.DID.get(act.action, plain)
    verb, at = Markup(act.action.rpartition(".")[2]), kit.day_moment(act.until or 0.0)
    said = fill(template, verb=verb, name=act.name, title=one.connection_title, at=at)
    if by := act.initiator or act.via:
        said = fill(words.DID_BY, did=Markup(said), by=DONE_BY.get(by, ""))
    return Markup(said if act.undone_at is None else fill(words.TAKEN_BACK, did=Markup(said)))


def list_actions(acts: Sequence[ActFacts], now: float, most: int) -> list[str]:
    """List actions with their times, the newest first, and the number of further ones."""
    said = [
        fill(words.ACTION_LINE, at=kit.moment(one.act.done_at, now), did=describe_action(one))
        for one in acts[:most]
    ]
    more = len(acts) - most
    return [*said, fill(words.MORE_ACTIONS, count=Markup(str(more)))] if more > 0 else said


@add_section(70)
def _render_home(facts: HomeContent) -> list[kit.Block]:
    said = "\n".join(list_actions(facts.parts.get("today", ()), facts.now, MAX_HOME_ACTIONS))
    return [kit.header(words.TODAY_HEADING), kit.section(said)] if said else []

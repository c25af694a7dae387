"""What people asked for, as lines: in answers and in their Homes."""

from collections.abc import Sequence
from typing import Final

from bot.domain.message_context import ActFacts
from bot.features.undo import texts as words
from bot.messages.blocks import kit
from bot.messages.blocks.home_sections import HomeContent, part
from bot.messages.blocks.kit import Markup, fill
from bot.messages.texts.talk import DONE_BY

#: How many acts of today a Home shows.
SHOWN: Final = 5


def did(one: ActFacts) -> Markup:
    """Say what an act was; what was taken back is struck."""
    act = one.act
    is_planned = act.action == "workspace.timer" and act.until is not None
    plain = words.DID_PLAIN if act.name else words.OTHER
    template = words.DID_PLANNED if is_planned else words.DID.get(act.action, plain)
    verb, at = Markup(act.action.rpartition(".")[2]), kit.day_moment(act.until or 0.0)
    said = fill(template, verb=verb, name=act.name, title=one.connection_title, at=at)
    if by := act.asker or act.via:
        said = fill(words.DID_BY, did=Markup(said), by=DONE_BY.get(by, ""))
    return Markup(said if act.undone_at is None else fill(words.TAKEN_BACK, did=Markup(said)))


def lines(acts: Sequence[ActFacts], now: float, most: int) -> list[str]:
    """Say what acts were and when, the newest first, and how many more there are."""
    said = [fill(words.LINE, at=kit.moment(one.act.done_at, now), did=did(one)) for one in acts[:most]]
    more = len(acts) - most
    return [*said, fill(words.MORE, count=Markup(str(more)))] if more > 0 else said


@part(70)
def _of_home(facts: HomeContent) -> list[kit.Block]:
    said = "\n".join(lines(facts.parts.get("today", ()), facts.now, SHOWN))
    return [kit.header(words.HEADING), kit.section(said)] if said else []

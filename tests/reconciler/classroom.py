"""A class in the tests of the engine: a trainer, people with workspaces, and their presses."""

from typing import Any

from bot.domain.courses import ClassCard
from bot.domain.people import Principal
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks import kit
from bot.services import courses as courses_use_cases
from bot.services.caller import Caller
from bot.services.courses import JoinResult
from tests.reconciler.world import World

TRAINER = Principal(None, "T1", "UTRAINER")
CHANNEL = "C1"


def people(count: int) -> list[Principal]:
    return [Principal(None, "T1", f"U{number:03}") for number in range(count)]


def person(number: int) -> Principal:
    return Principal(None, "T1", f"U{number:04d}")


def ask(world: World, principal: Principal = TRAINER, key: str = "") -> Caller:
    key = key or world.ids.reference()
    return Caller(world.asking, principal, key, key)


async def post(world: World, **keys: Any) -> ClassCard:
    """Post a card for workspaces called name-…, or for a template."""
    await world.know(TRAINER)
    draft = ClassCard(TRAINER, CHANNEL, "cloud", "Statistics", **({"pattern": "name-*"} | keys))
    card = await ask(world).run(courses_use_cases.post, draft)
    await world.work()
    return card


async def seat(world: World, principal: Principal, state: State = State.STOPPED) -> Workspace:
    """Give a person an account with a token of their own, and a workspace, which is returned."""
    await world.link(principal, token=f"token-{principal.user_id}")
    return await world.own(principal, f"r-{principal.user_id}", state)


async def press(world: World, card: ClassCard, principal: Principal) -> JoinResult:
    """Press the card as its handler does once the list has been read."""
    return await ask(world, principal).run(courses_use_cases.enroll, card.id, is_list_fresh=True)


def told(world: World, principal: Principal, *, has_gone: bool = False) -> list[str]:
    """Return the texts of a person's direct messages; with ``has_gone``, also of those deleted since."""
    place, gone = f"D{principal.user_id}", world.slack.deleted if has_gone else []
    arrived = sorted([*world.slack.messages, *gone], key=lambda one: float(one["ts"]))
    return [_said(one["blocks"]) for one in arrived if one["channel"] == place]


def _said(blocks: list[dict[str, Any]]) -> str:
    texts = [text for block in blocks for text in (block.get("text"), *block.get("elements", ())) if text]
    return "\n".join(kit.strip_markup(text["text"]) for text in texts if text["type"] == "mrkdwn")


def shown(world: World) -> dict[str, Any]:
    """Return the card as it is shown in its channel."""
    (found,) = [one for one in world.slack.messages if one["channel"] == CHANNEL]
    return found

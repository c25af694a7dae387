"""A class on the engine's stage: a trainer, people with workspaces, and what they press."""

from __future__ import annotations

from typing import Any

from bot.domain.models import ClassCard, Joined, Principal, State
from bot.services.classes import Classes, Draft
from tests.reconciler.world import World

TRAINER = Principal(None, "T1", "UTRAINER")
CHANNEL = "C1"


def people(count: int) -> list[Principal]:
    return [Principal(None, "T1", f"U{number:03}") for number in range(count)]


def classes_of(world: World) -> Classes:
    return Classes(world.asking)


async def post(world: World, **keys: Any) -> ClassCard:
    """Post a card for workspaces called name-…, or for a recipe."""
    await world.know(TRAINER)
    draft = Draft(CHANNEL, "cloud", "Statistics", **({"pattern": "name-*"} | keys))
    card = await classes_of(world).post(
        TRAINER, draft, interaction=world.ids.reference(), reference=world.ids.reference()
    )
    await world.work()
    return card


async def seat(world: World, principal: Principal, state: State = State.STOPPED) -> None:
    """Give a person a linked account with a workspace of their own."""
    await world.link(principal, token=f"token-{principal.user_id}")
    await world.own(principal, f"r-{principal.user_id}", state)


async def press(world: World, card: ClassCard, principal: Principal) -> Joined:
    """Press as the handler does."""
    classes = classes_of(world)
    account = await classes.account(principal, card)
    meant = await classes.target_of(principal, card, account)
    key = world.ids.reference()
    return await classes.press(principal, card, meant, interaction=key, reference=key)


def told(world: World, principal: Principal) -> list[str]:
    """Return the texts that a person's direct messages have."""
    return [one["text"] for one in world.slack.messages if one["channel"] == f"D{principal.user_id}"]


def shown(world: World) -> dict[str, Any]:
    """Return the card as it stands in its channel."""
    (found,) = [one for one in world.slack.messages if one["channel"] == CHANNEL]
    return found

"""A credential that the provider refuses."""

from bot.domain.people import Principal


def token_of(principal: Principal) -> str:
    return f"token-{principal.user_id}"


def refuse(world, *people):
    world.provider.refused_tokens |= {token_of(who) for who in people}

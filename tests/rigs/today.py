"""A person's requests of today, in the words of their Home."""

from bot.domain.people import Principal
from bot.features.undo.messages import describe_action
from bot.features.undo.use_cases import list_today
from bot.services.context import Context


async def list_requests(context: Context, principal: Principal) -> list[str]:
    """Return what a person asked for today, the newest first."""
    return [str(describe_action(one)) for one in await list_today(context, principal)]

"""People's use of their Homes, as rows."""

from bot.domain.homes import HomeUse
from bot.domain.people import Principal
from bot.store import homes
from bot.store.store import Store


async def use_home(store: Store, principal: Principal, used: HomeUse) -> None:
    """Have somebody wait for their Home."""
    await store.carry_out(lambda tx: homes.use_home(tx, principal, used))


async def want_home(store: Store, principal: Principal) -> None:
    """Have somebody's open Home drawn again."""
    await store.carry_out(lambda tx: homes.want(tx, principal))

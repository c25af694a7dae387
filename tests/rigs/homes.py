"""People's use of their Homes, as rows."""

from bot.domain.people import Principal
from bot.features.home import store as home_store
from bot.features.home.model import HomeUse
from bot.store.store import Store


async def use_home(store: Store, principal: Principal, used: HomeUse) -> None:
    """Have somebody wait for their Home."""
    await store.carry_out(lambda tx: home_store.use_home(tx, principal, used))


async def want_home(store: Store, principal: Principal) -> None:
    """Have somebody's open Home drawn again."""
    await store.carry_out(lambda tx: home_store.request_redraw(tx, principal))

"""A ``Context`` for tests that assemble only some parts of a process."""

from typing import Any

from cryptography.fernet import Fernet

from bot.domain.installations import Installation
from bot.services.context import Context
from bot.store.store import Store
from bot.support.clock import Clock, Ids
from bot.support.vault import Vault
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.installed import Token
from tests.rigs.people import Colleagues

KEY = Fernet.generate_key().decode()


def context(
    store: Store, connections: Any = None, clock: Clock | None = None, ids: Ids | None = None, **more: Any
) -> Context:
    """Return a context in which everybody is a member of team T1. ``more`` replaces any of its fields."""
    usual = {"people": Colleagues(store), "installation": Installation("T1"), "vault": Vault([KEY])}
    usual |= {"tenants": Token()}
    return Context(
        store=store,
        connections=connections or {},
        clock=clock or FakeClock(),
        ids=ids or CountingIds(),
        **{**usual, **more},
    )

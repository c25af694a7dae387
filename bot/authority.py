"""The one door to the policy: what is known of a person is read, a refusal is remembered and raised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import policy
from bot.errors import Refused
from bot.models import AuditEntry

if TYPE_CHECKING:
    from bot.models import Principal
    from bot.policy import Decision, Installation, Target
    from bot.store.base import Store


class Authority:
    """Ask ``policy.decide`` with the facts of the store. ``administrators`` as in ``USHER_ADMINS``."""

    def __init__(
        self, *, store: Store, installation: Installation, administrators: frozenset[str] = frozenset()
    ) -> None:
        self._store = store
        self.installation = installation
        self.administrators = administrators

    async def decide(self, principal: Principal, verb: str, target: Target | None = None) -> Decision:
        """Return the decision without remembering it."""
        context = policy.Context(
            installation=self.installation,
            person=await self._store.person(principal),
            administrators=self.administrators,
        )
        return policy.decide(principal, verb, target, context)

    async def check(self, principal: Principal, verb: str, target: Target | None = None) -> None:
        """Return when it is allowed; otherwise write the refusal into the audit and raise Refused."""
        decision = await self.decide(principal, verb, target)
        if decision.allowed:
            return
        aimed_at = f"{target.kind}/{target.id}" if target is not None else "usher"
        await self._store.append_audit(
            [AuditEntry(principal.key, verb, aimed_at, "refused", {"rule": decision.rule})]
        )
        raise Refused(decision.rule, decision.reason)

    def is_administrator(self, principal: Principal) -> bool:
        """Say whether an operator named this person."""
        return policy.is_administrator(principal, self.administrators)

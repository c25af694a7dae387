"""The only way to the policy: look up the person in Slack, and audit and raise each refusal."""

from __future__ import annotations

import asyncio
from typing import Final

from bot.domain import policy
from bot.domain.people import AuditEntry, Person, Principal
from bot.domain.policy import Decision, Target
from bot.messages.texts import problems
from bot.services.context import Context
from bot.support.errors import NotIdentified, Refused, SlackFailed

#: How long Slack may take to identify somebody, within the 3 s for an ack.
LOOK_UP_SECONDS: Final = 1.0


async def decided(
    context: Context, principal: Principal, verb: str, target: Target | None, person: Person | None
) -> Decision:
    """Ask the policy; where a Slack workspace isn't known, after looking whether Usher was installed there.

    Another process may have written that a moment ago.
    """
    decision = policy.decide(principal, verb, target, context.installation, person)
    if decision.rule == policy.FOREIGN_TEAM and context.removals is not None:
        await context.removals.installation(principal.enterprise_id, principal.team_id)
        decision = policy.decide(principal, verb, target, context.installation, person)
    return decision


class Authority:
    """Ask ``policy.decide`` with the facts of the store."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._people = context.people
        self.installation = context.installation

    async def decide(self, principal: Principal, verb: str, target: Target | None = None) -> Decision:
        """Return the decision without auditing it; look up anybody not known well enough first."""
        person = await self._store.person(principal)
        known = await decided(self._context, principal, verb, target, person)
        if known.rule == policy.FOREIGN_TEAM or policy.is_current(person, verb, await self._store.now()):
            return known
        return policy.decide(principal, verb, target, self.installation, await self._asked(principal))

    async def _asked(self, principal: Principal) -> Person | None:
        try:
            async with asyncio.timeout(LOOK_UP_SECONDS):
                return await self._people.look_up(principal)
        except (SlackFailed, TimeoutError):
            return None

    async def check(self, principal: Principal, verb: str, target: Target | None = None) -> None:
        """Return if it is allowed; otherwise write the refusal to the audit and raise Refused.

        Raises NotIdentified for somebody whom Slack can't identify right now.
        """
        decision = await self.decide(principal, verb, target)
        if decision.allowed:
            return
        aimed_at = f"{target.kind}/{target.id}" if target is not None else "usher"
        await self._store.append_audit(
            [AuditEntry(principal.key, verb, aimed_at, "refused", {"rule": decision.rule})]
        )
        kind = NotIdentified if decision.rule == "policy.unknown_person" else Refused
        raise kind(decision.rule, problems.sentence(decision.rule))

"""Who may do what: one pure function, asked before everything (design §3.5, and "Every authorisation").

The first rule that matches decides. The same rules hold at a click, when a worker starts, and when a wish
that waited is continued; only who is *unknown* is let through here, because the worker looks them up before
it makes the first call to a provider.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.words import problems

if TYPE_CHECKING:
    from bot.models import Person, Principal

#: What only administrators may do; none of it acts through another's account.
ADMINISTRATORS_VERBS: Final = frozenset({"about", "unlink_other", "approve"})


@dataclass(frozen=True, slots=True)
class Installation:
    """Say where Usher is installed: one workspace, or a whole enterprise (then the team may be None)."""

    team_id: str | None
    enterprise_id: str | None = None
    is_org_wide: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Name what a verb is aimed at and whose it is."""

    kind: str
    id: str
    owner: Principal


@dataclass(frozen=True, slots=True)
class Context:
    """Hold what a decision is made from; ``person`` is None for somebody who was not looked up yet.

    ``administrators`` holds ``T…:U…`` or ``U…`` (``USHER_ADMINS``).
    """

    installation: Installation
    person: Person | None = None
    administrators: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """Hold the answer: ``rule`` for the audit, ``reason`` for the person (empty when allowed)."""

    allowed: bool
    rule: str
    reason: str = ""


def decide(principal: Principal, verb: str, target: Target | None, context: Context) -> Decision:
    """Decide whether a principal may do this; pure, total, fails closed."""
    if not _belongs(principal, context.installation):
        return _refuse("foreign_team")
    flaw = _flaw(context.person)
    if flaw is not None:
        return _refuse(flaw)
    if verb in ADMINISTRATORS_VERBS:
        if not context.administrators:
            return _refuse("no_administrators")
        if not is_administrator(principal, context.administrators):
            return _refuse("not_administrator")
        return Decision(allowed=True, rule="policy.administrator")
    if target is not None and target.owner != principal:
        return _refuse("not_owner")
    return Decision(allowed=True, rule="policy.unknown_person" if context.person is None else "policy.member")


def is_administrator(principal: Principal, administrators: frozenset[str]) -> bool:
    """Say whether an operator named this person in ``USHER_ADMINS``."""
    return bool({principal.user_id, f"{principal.team_id}:{principal.user_id}"} & administrators)


def _belongs(principal: Principal, installation: Installation) -> bool:
    """Say yes to the installed team, and to others of its enterprise where the install covers all of it."""
    if principal.team_id == installation.team_id:
        return True
    return (
        installation.is_org_wide
        and installation.enterprise_id is not None
        and principal.enterprise_id == installation.enterprise_id
    )


def _flaw(person: Person | None) -> str | None:
    if person is None:
        return None
    if person.is_deleted:
        return "left"
    if person.is_bot:
        return "bot"
    if person.is_stranger:
        return "stranger"
    return "guest" if person.is_guest else None


def _refuse(word: str) -> Decision:
    return Decision(allowed=False, rule=f"policy.{word}", reason=problems.sentence(word))

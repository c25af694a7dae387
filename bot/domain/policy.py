"""Who may do what: one pure function, asked before everything.

The first rule that matches decides. The same rules hold at a click, when a worker starts, and when an
operation that waited is continued. Nobody is let through of whom Slack has not said who they are; whoever
asks sees to it with ``is_current`` that it was asked, and not too long ago.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.domain.models import Principal

if TYPE_CHECKING:
    from bot.domain.models import Person

#: What anybody who may use Usher may put into a channel: it acts for nobody but who presses it.
POST_VERBS: Final = frozenset({"card"})
#: What only the trainer whose card it is may do with it, or an administrator.
TRAINERS_VERBS: Final = frozenset({"class_post", "class_problems", "class_stop"})
#: What a recorded consent permits with another's workspace; nothing else ever is (ADR 12).
CONSENTED_VERBS: Final = frozenset({"class_stop"})
#: What shows things that are known, and changes nothing: what Slack said of a person long ago will do for it.
SHOWING_VERBS: Final = frozenset({"help", "list", "logs", "open", "search", "status", "whoami"})
#: So old may Slack's word on a person be for everything else, in seconds; and so far ahead, by another clock.
CURRENT_SECONDS: Final = 86_400.0
_AHEAD_SECONDS: Final = 60.0
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
    """Name what a verb is aimed at and whose it is.

    ``consented_to`` is whom its owner allowed to stop it, by a consent that is recorded and not taken back:
    the kind is ``consent`` then.
    """

    kind: str
    id: str
    owner: Principal
    consented_to: Principal | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """Hold what a decision is made from; ``person`` is None for somebody whom Slack was not asked about.

    ``administrators`` holds ``T…:U…`` or ``U…`` (``USHER_ADMINS``).
    """

    installation: Installation
    person: Person | None = None
    administrators: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """Hold the answer, and the rule that gave it: for the audit, and for the words of a refusal."""

    allowed: bool
    rule: str


def decide(principal: Principal, verb: str, target: Target | None, context: Context) -> Decision:
    """Decide whether a principal may do this; pure, total, fails closed."""
    if not _belongs(principal, context.installation):
        return _refuse("foreign_team")
    if context.person is None and (target is None or target.kind != "consent"):
        # What people consented to, and were told the time of, is done whoever is there by then.
        return _refuse("unknown_person")
    flaw = _flaw(context.person)
    if flaw is not None:
        return _refuse(flaw)
    if verb in ADMINISTRATORS_VERBS:
        if not context.administrators:
            return _refuse("no_administrators")
        if not is_administrator(principal, context.administrators):
            return _refuse("not_administrator")
        return Decision(allowed=True, rule="policy.administrator")
    if verb in POST_VERBS:
        return Decision(allowed=True, rule="policy.card")
    if target is not None and target.owner != principal:
        return _of_another(principal, verb, target, context)
    return Decision(allowed=True, rule="policy.member")


def _of_another(principal: Principal, verb: str, target: Target, context: Context) -> Decision:
    """Decide about what is somebody else's: a trainer's card, or what its owner consented to."""
    is_admin = is_administrator(principal, context.administrators)
    if target.kind == "class" and verb in TRAINERS_VERBS:
        return Decision(allowed=True, rule="policy.administrator") if is_admin else _refuse("not_trainer")
    is_consented = target.kind == "consent" and verb in CONSENTED_VERBS and target.consented_to is not None
    if is_consented and (principal == target.consented_to or is_admin):
        return Decision(allowed=True, rule="policy.consent")
    return _refuse("not_owner")


def is_current(person: Person | None, verb: str, now: float) -> bool:
    """Say whether what is known of a person will do for a verb, or Slack is to be asked about them first."""
    if person is None:
        return False
    return verb in SHOWING_VERBS or -_AHEAD_SECONDS <= now - person.seen_at <= CURRENT_SECONDS


def is_administrator(principal: Principal, administrators: frozenset[str]) -> bool:
    """Say whether an operator named this person in ``USHER_ADMINS``."""
    return bool({principal.user_id, f"{principal.team_id}:{principal.user_id}"} & administrators)


def administrators(installation: Installation, names: frozenset[str]) -> list[Principal]:
    """Return whom the names of ``USHER_ADMINS`` stand for in an installation, in the order of the names."""
    named = [name.rpartition(":") for name in sorted(names)]
    return [
        Principal(installation.enterprise_id, team or installation.team_id or "", user)
        for team, _, user in named
    ]


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
    return Decision(allowed=False, rule=f"policy.{word}")

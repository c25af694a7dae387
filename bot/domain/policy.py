"""Who may do what: one pure function, asked before everything.

The first rule that matches decides. The same rules hold at a click, when a worker starts, and when an
operation that waited is continued. Nobody is let through of whom Slack has not said who they are; whoever
asks sees to it with ``is_current`` that it was asked, and not too long ago.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from bot.domain.models import Principal

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    """Say where Usher is installed, who its bot is there, and whom its operator made an administrator.

    It is one Slack workspace, or a whole enterprise (then the team may be None). ``administrators`` holds
    ``T…:U…`` or ``U…`` (``USHER_ADMINS``). Who belongs to it is decided here and nowhere else.
    """

    team_id: str | None
    enterprise_id: str | None = None
    is_org_wide: bool = False
    administrators: frozenset[str] = frozenset()
    team_name: str = ""
    bot_user_id: str | None = None
    bot_id: str | None = None

    @classmethod
    def from_auth_test(cls, answer: Mapping[str, Any], administrators: frozenset[str] = frozenset()) -> Self:
        """Read what Slack's ``auth.test`` answers to the bot's token."""
        return cls(
            team_id=str(answer.get("team_id") or "") or None,
            enterprise_id=answer.get("enterprise_id") or None,
            is_org_wide=bool(answer.get("is_enterprise_install")),
            administrators=administrators,
            team_name=str(answer.get("team") or ""),
            bot_user_id=answer.get("user_id"),
            bot_id=answer.get("bot_id"),
        )

    def includes(self, enterprise_id: str | None, team_id: str | None) -> bool:
        """Say whether a team, of an enterprise or of none, belongs here; missing ones don't.

        It is the installed team, or any team of its enterprise where the install covers all of it.
        """
        return self._are_one((enterprise_id, team_id), (self.enterprise_id, self.team_id))

    def is_same_person(self, one: Principal, other: Principal) -> bool:
        """Say whether two principals are one person: a user has one id in all teams of an enterprise.

        Team and user must agree, or enterprise and user where the install covers all of it
        (``docs/slack.md``, "Sign in with Slack").
        """
        homes = [(each.enterprise_id, each.team_id) for each in (one, other)]
        return one.user_id == other.user_id and self._are_one(*homes)

    def is_administrator(self, principal: Principal) -> bool:
        """Say whether an operator named this person in ``USHER_ADMINS``."""
        named = {principal.user_id, f"{principal.team_id}:{principal.user_id}"}
        return bool(named & self.administrators)

    def administrating(self) -> list[Principal]:
        """Return whom the names in ``USHER_ADMINS`` stand for, in the order of the names."""
        return [self.named(name) for name in sorted(self.administrators)]

    def named(self, name: str) -> Principal:
        """Return whom an operator means by ``U…``, who is of the installed team, or by ``T…:U…``."""
        team, _, user = name.rpartition(":")
        return Principal(self.enterprise_id, team or self.team_id or "", user)

    def _are_one(self, one: tuple[str | None, str | None], other: tuple[str | None, str | None]) -> bool:
        (enterprise, team), (other_enterprise, other_team) = one, other
        if team and team == other_team:
            return True
        return self.is_org_wide and bool(enterprise) and enterprise == other_enterprise


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
class Decision:
    """Hold the answer, and the rule that gave it: for the audit, and for the words of a refusal."""

    allowed: bool
    rule: str


def decide(
    principal: Principal,
    verb: str,
    target: Target | None,
    installation: Installation,
    person: Person | None = None,
) -> Decision:
    """Decide whether a principal may do this; pure, total, fails closed.

    ``person`` is None for somebody whom Slack was not asked about.
    """
    if not installation.includes(principal.enterprise_id, principal.team_id):
        return _refuse("foreign_team")
    if person is None and (target is None or target.kind != "consent"):
        # What people consented to, and were told the time of, is done whoever is there by then.
        return _refuse("unknown_person")
    flaw = _flaw(person)
    if flaw is not None:
        return _refuse(flaw)
    if verb in ADMINISTRATORS_VERBS:
        if not installation.administrators:
            return _refuse("no_administrators")
        if not installation.is_administrator(principal):
            return _refuse("not_administrator")
        return Decision(allowed=True, rule="policy.administrator")
    if verb in POST_VERBS:
        return Decision(allowed=True, rule="policy.card")
    if target is not None and target.owner != principal:
        return _of_another(principal, verb, target, installation)
    return Decision(allowed=True, rule="policy.member")


def _of_another(principal: Principal, verb: str, target: Target, installation: Installation) -> Decision:
    """Decide about what is somebody else's: a trainer's card, or what its owner consented to."""
    is_admin = installation.is_administrator(principal)
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

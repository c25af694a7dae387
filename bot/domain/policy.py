"""Who may do what: one pure function, asked before everything.

The first matching rule decides. The same rules apply to a click, when a step begins, and when a waiting
operation resumes. People about whom Slack hasn't answered are refused; callers use ``is_current`` to check
that Slack was asked, and recently enough.
"""

from dataclasses import dataclass
from typing import Final, Literal

from bot.domain.installations import AnyInstallation
from bot.domain.people import Person, Principal

#: Besides whom its target belongs to, a verb is for nobody; for anybody, as it acts only for whoever presses;
#: for whom a target of its kind names; for these and administrators; or for administrators alone.
Whose = Literal["", "anybody", "named", "delegates", "administrators"]


@dataclass(frozen=True, slots=True)
class AccessRule:
    """The people who may use a verb beside its target's owner, and the age of their facts that suffices.

    ``kind`` is of the targets that name others. What ``shows`` changes nothing: what Slack said about a
    person long ago is recent enough. What ``is_consented`` may be done to another person's workspace after a
    recorded consent; nothing else ever may (ADR 91).
    """

    whose: Whose = ""
    kind: str = ""
    shows: bool = False
    is_consented: bool = False


#: The rules of verbs that need more than their person's own; features declare theirs.
RULES: Final[dict[str, AccessRule]] = {}
_OWN: Final = AccessRule()


def declare(rule: AccessRule, *verbs: str) -> None:
    """Set the rule of some verbs; raises ValueError if one has another already."""
    for verb in verbs:
        if RULES.setdefault(verb, rule) is not rule:
            raise ValueError(f"{verb} has two rules")


# None of what only administrators may do acts through another person's account.
declare(AccessRule("administrators"), "overview", "unlink_other")
declare(
    AccessRule(shows=True),
    *("about", "help", "list", "logs", "open", "search", "status", "words"),
)
#: For everything that shows nothing, how old what Slack said about a person may be, and how far in the future
#: it may lie by another machine's clock; in seconds.
CURRENT_SECONDS: Final = 86_400.0
_AHEAD_SECONDS: Final = 60.0
#: The same of somebody who is refused for what they are: Slack may say otherwise by now.
REFUSED_SECONDS: Final = 10.0
#: The rule that refuses people of Slack workspaces in which Usher isn't installed.
FOREIGN_TEAM: Final = "policy.foreign_team"


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a verb, and its owner.

    ``consented_to`` is the person whom the owner allowed to stop it, by a recorded consent that wasn't
    withdrawn; ``kind`` is then ``consent``. ``delegates`` are the keys of others whom a card's owner named.
    """

    kind: str
    id: str
    owner: Principal
    consented_to: Principal | None = None
    delegates: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """Hold the decision and the rule behind it, for the audit and the wording of a refusal."""

    allowed: bool
    rule: str


def decide(
    principal: Principal,
    verb: str,
    target: Target | None,
    installation: AnyInstallation,
    person: Person | None = None,
) -> Decision:
    """Decide whether a principal may do this; pure, total, fails closed.

    ``person`` is None if Slack hasn't been asked about them.
    """
    if not installation.has_team(principal.enterprise_id, principal.team_id):
        return Decision(allowed=False, rule=FOREIGN_TEAM)
    if person is None and (target is None or target.kind != "consent"):
        # People consented to this and know when it happens, so it doesn't depend on who is there by then.
        return _refuse("unknown_person")
    word = find_flaw(person)
    if word is not None:
        return _refuse(word)
    whose = RULES.get(verb, _OWN).whose
    if whose == "administrators":
        return _administration(principal, target, installation)
    if whose == "anybody":
        return Decision(allowed=True, rule="policy.card")
    if target is not None and target.owner != principal:
        return _of_another(principal, verb, target, installation)
    return Decision(allowed=True, rule="policy.member")


def _administration(principal: Principal, target: Target | None, installation: AnyInstallation) -> Decision:
    """Decide about a verb of administrators, for people of their own Slack workspace or for everybody."""
    if not installation.filter_administrators(lambda one: installation.are_together(one, principal)):
        return _refuse("no_administrators")
    if not installation.is_administrator(principal):
        return _refuse("not_administrator")
    if target is not None and not installation.administers(principal, target.owner):
        return _refuse("other_workspace")
    if target is not None and target.kind == "approval" and not installation.decides(principal, target.owner):
        return _refuse("own_request")
    return Decision(allowed=True, rule="policy.administrator")


def _of_another(principal: Principal, verb: str, target: Target, installation: AnyInstallation) -> Decision:
    """Decide about somebody else's target: a card they may change, or a consented workspace."""
    is_admin, rule = installation.administers(principal, target.owner), RULES.get(verb, _OWN)
    if rule.whose == "delegates" and target.kind == rule.kind:
        if is_admin:
            return Decision(allowed=True, rule="policy.administrator")
        if principal.key in target.delegates:
            return Decision(allowed=True, rule="policy.teacher")
        return _refuse("other_workspace" if installation.is_administrator(principal) else "not_teacher")
    if rule.whose == "named" and target.kind == rule.kind and principal.key in target.delegates:
        return Decision(allowed=True, rule=f"policy.{target.kind}")
    is_consented = target.kind == "consent" and rule.is_consented and target.consented_to is not None
    if is_consented and (principal == target.consented_to or is_admin):
        return Decision(allowed=True, rule="policy.consent")
    return _refuse("not_owner")


def is_current(person: Person | None, verb: str, now: float) -> bool:
    """Return whether the facts about a person suffice for a verb; if not, ask Slack first.

    Whoever would be refused may be let in by now: that is asked more often than who may do something.
    """
    if person is None:
        return False
    if find_flaw(person) is not None:
        return -_AHEAD_SECONDS <= now - person.seen_at <= REFUSED_SECONDS
    return RULES.get(verb, _OWN).shows or -_AHEAD_SECONDS <= now - person.seen_at <= CURRENT_SECONDS


def find_flaw(person: Person | None) -> str | None:
    """Return the reason that keeps a person from Usher, as far as Slack says: left, bot, stranger, guest."""
    if person is None:
        return None
    if person.is_deleted:
        return "left"
    if person.is_bot:
        return "bot"
    if person.is_stranger:
        return "stranger"
    return "guest" if person.is_guest else None


#: The refusals of people who left or became guests: what is being stopped for them goes down all the same.
LEAVER_RULES: Final = frozenset({"policy.left", "policy.guest"})


def _refuse(word: str) -> Decision:
    return Decision(allowed=False, rule=f"policy.{word}")

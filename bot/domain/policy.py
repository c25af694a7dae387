"""The access policy: one pure function decides whether a person may use a verb on a target.

It is asked when a request arrives, again before each step of the work, and when waiting work resumes. The
first rule that matches decides. A person whom Slack hasn't described yet is refused, so callers first check
with ``is_current`` that Slack was asked recently enough.
"""

from dataclasses import dataclass
from typing import Final

from bot.domain.installations import AnyInstallation
from bot.domain.people import Person, Principal

#: Verbs that only show something, for which Slack's facts about a person may be of any age.
SHOWING: Final = frozenset(
    {
        "about",
        "help",
        "list",
        "logs",
        "open",
        "search",
        "settings",
        "settings_form",
        "status",
        "usage",
        "words",
    }
)
#: Verbs of administrators alone: being the owner isn't enough. None acts through another person's account.
ADMINISTRATORS: Final = frozenset({"approvals", "approve", "overview", "unlink_other", "usage_team"})
#: Verbs on a class that are also for the people whom its card names, and for administrators.
TEACHERS: Final = frozenset({"class_change", "class_post", "class_problems", "class_stop", "class_usage"})
#: The one verb for another person's workspace, if that person's consent is recorded (ADR 91).
CONSENTED: Final = "class_stop"
#: Seconds for which Slack's facts about a person allow verbs that change something.
CURRENT_SECONDS: Final = 86_400.0
#: Seconds by which those facts may lie in the future, because another machine's clock is ahead.
_AHEAD_SECONDS: Final = 60.0
#: Seconds for which those facts refuse somebody, such as a guest. Few, as that may have changed in Slack.
REFUSED_SECONDS: Final = 10.0
#: The rule that refuses people from Slack workspaces in which Usher isn't installed.
FOREIGN_TEAM: Final = "policy.foreign_team"


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a verb, and its owner.

    ``consented_to`` is the person whom the owner has allowed to stop it, by a consent that is recorded and
    not withdrawn; ``kind`` is then ``consent``. ``delegates`` are the keys of the people whom a card's owner
    named.
    """

    kind: str
    id: str
    owner: Principal
    consented_to: Principal | None = None
    delegates: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision, and the rule that made it: the audit records the rule, and a refusal is worded by it."""

    allowed: bool
    rule: str


def decide(
    principal: Principal,
    verb: str,
    target: Target | None,
    installation: AnyInstallation,
    person: Person | None = None,
) -> Decision:
    """Decide whether a principal may use a verb on a target. When in doubt, the answer is no.

    ``person`` is what Slack says about the principal; None if Slack hasn't been asked.
    """
    if not installation.has_team(principal.enterprise_id, principal.team_id):
        return Decision(allowed=False, rule=FOREIGN_TEAM)
    if person is None and (target is None or target.kind != "consent"):
        # The owner consented and knows when it will happen, so it happens even if the teacher has left.
        return _refuse("unknown_person")
    word = find_flaw(person)
    if word is not None:
        return _refuse(word)
    if verb in ADMINISTRATORS:
        return _administration(principal, target, installation)
    if target is not None and target.owner != principal:
        return _of_another(principal, verb, target, installation)
    return Decision(allowed=True, rule="policy.member")


def _administration(principal: Principal, target: Target | None, installation: AnyInstallation) -> Decision:
    """Decide about an administrators' verb: they administer their own Slack workspace, or all of them."""
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
    """Decide about another person's target: a card that names them, or a workspace with a consent."""
    is_admin = installation.administers(principal, target.owner)
    if verb in TEACHERS and target.kind == "class":
        if is_admin:
            return Decision(allowed=True, rule="policy.administrator")
        if principal.key in target.delegates:
            return Decision(allowed=True, rule="policy.teacher")
        return _refuse("other_workspace" if installation.is_administrator(principal) else "not_teacher")
    is_consented = target.kind == "consent" and verb == CONSENTED and target.consented_to is not None
    if is_consented and (principal == target.consented_to or is_admin):
        return Decision(allowed=True, rule="policy.consent")
    return _refuse("not_owner")


def is_current(person: Person | None, verb: str, now: float) -> bool:
    """Return whether Slack's facts about a person are fresh enough to decide; if not, ask Slack first.

    Facts that refuse a person go stale much sooner than facts that allow something.
    """
    if person is None:
        return False
    if find_flaw(person) is not None:
        return -_AHEAD_SECONDS <= now - person.seen_at <= REFUSED_SECONDS
    return verb in SHOWING or -_AHEAD_SECONDS <= now - person.seen_at <= CURRENT_SECONDS


def find_flaw(person: Person | None) -> str | None:
    """Return why a person may not use Usher at all (left, bot, stranger, guest); None if they may."""
    if person is None:
        return None
    if person.is_deleted:
        return "left"
    if person.is_bot:
        return "bot"
    if person.is_stranger:
        return "stranger"
    return "guest" if person.is_guest else None


#: Refusals of people who left the team or became guests. A stop already begun for them is still carried out.
LEAVER_RULES: Final = frozenset({"policy.left", "policy.guest"})


def _refuse(word: str) -> Decision:
    return Decision(allowed=False, rule=f"policy.{word}")

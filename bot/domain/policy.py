"""The access policy. A single pure function decides whether a person may use a verb on a target.

The policy is checked when a request arrives, before each step of the work, and when waiting work resumes. The
first matching rule decides. A person who hasn't been looked up in Slack is refused. So callers first use
``is_current`` to check that the person's Slack details are recent enough.
"""

from typing import Final, NamedTuple

from bot.domain.installations import AnyInstallation
from bot.domain.people import Person, Principal

#: Verbs that change nothing. They are allowed however old the person's stored Slack details are.
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
#: Verbs that only administrators may use, whoever owns the target. None of these verbs uses another person's
#: account.
ADMINISTRATORS: Final = frozenset({"approvals", "approve", "overview", "unlink_other", "usage_team"})
#: Verbs on a class that are open to its owner, to the co-teachers named on its card, and to administrators.
TEACHERS: Final = frozenset({"class_change", "class_post", "class_problems", "class_stop", "class_usage"})
#: The only verb that may be used on another person's workspace, provided that they have consented (ADR 91).
CONSENTED: Final = "class_stop"
#: Maximum age, in seconds, of Slack details that allow a person to change something.
CURRENT_SECONDS: Final = 86_400.0
#: How far in the future, in seconds, Slack details may be dated. They may come from a machine whose clock is
#: ahead.
_AHEAD_SECONDS: Final = 60.0
#: Maximum age, in seconds, of Slack details that would lead to a refusal. It is short, because the details
#: may have changed: the person may no longer be a guest, for example.
REFUSED_SECONDS: Final = 10.0
#: Name of the rule that refuses people whose Slack workspace hasn't installed Usher.
FOREIGN_TEAM: Final = "policy.foreign_team"


class Target(NamedTuple):
    """What a verb acts on, and who owns it.

    If the owner currently allows another person to stop the target, ``kind`` is ``consent`` and
    ``consented_to`` is that person. For a class, ``delegates`` contains the keys of its co-teachers.
    """

    kind: str
    id: str
    owner: Principal
    consented_to: Principal | None = None
    delegates: frozenset[str] = frozenset()


class Decision(NamedTuple):
    """A decision and the rule behind it. The audit log records the rule, and a refusal explains it."""

    allowed: bool
    rule: str


def decide(
    principal: Principal,
    verb: str,
    target: Target | None,
    installation: AnyInstallation,
    person: Person | None = None,
) -> Decision:
    """Decide whether a person may use a verb on a target. When in doubt, refuse.

    ``person`` is what Slack says about the principal, or None if they haven't been looked up in Slack.
    """
    if not installation.has_team(principal.enterprise_id, principal.team_id):
        return Decision(allowed=False, rule=FOREIGN_TEAM)
    if person is None and (target is None or target.kind != "consent"):
        # Refuse a person who hasn't been looked up in Slack, unless the owner consented to the stop. The
        # owner knows when the stop will happen, so it happens even if the teacher has left.
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
    """Decide whether a person may use a verb that only administrators may use."""
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
    """Decide whether a person may use a verb on a target that belongs to someone else."""
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
    """Return whether a person's Slack details are recent enough to decide without asking Slack again.

    Details that would lead to a refusal expire much sooner than details that allow something.
    """
    if person is None:
        return False
    if find_flaw(person) is not None:
        return -_AHEAD_SECONDS <= now - person.seen_at <= REFUSED_SECONDS
    return verb in SHOWING or -_AHEAD_SECONDS <= now - person.seen_at <= CURRENT_SECONDS


def find_flaw(person: Person | None) -> str | None:
    """Return why a person may not use Usher: "left", "bot", "stranger" or "guest".

    Return None if they may, or if they haven't been looked up in Slack.
    """
    if person is None:
        return None
    if person.is_deleted:
        return "left"
    if person.is_bot:
        return "bot"
    if person.is_stranger:
        return "stranger"
    return "guest" if person.is_guest else None


#: Rules that refuse people who have left the team or become guests. If a stop on their behalf is already in
#: progress, it is still carried out.
LEAVER_RULES: Final = frozenset({"policy.left", "policy.guest"})


def _refuse(word: str) -> Decision:
    return Decision(allowed=False, rule=f"policy.{word}")

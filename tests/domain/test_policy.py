"""The specification of who may do what, as a table. See ``docs/internals/security.md``, rows 4, 5 and 6."""

from dataclasses import replace

import pytest

from bot.domain.installations import Installation, Installations
from bot.domain.people import Person, Principal
from bot.domain.policy import Target, decide, is_current
from bot.messages.texts import problems
from bot.services import approvals as approvals_use_cases  # noqa: F401 - they declare the rules of their verbs
from bot.services import courses as courses_use_cases  # noqa: F401 - they declare the rules of their verbs

TEAM = Installation("T1")
GRID = Installation("T1", "E1", is_org_wide=True)
GRID_OF_ONE_TEAM = Installation("T1", "E1")
ORG = Installation(None, "E1", is_org_wide=True)

MEMBER = Principal(None, "T1", "U1")
GRID_MEMBER = Principal("E1", "T1", "U1")
OTHER_TEAM = Principal("E1", "T2", "U1")
OTHER_ENTERPRISE = Principal("E2", "T2", "U1")
STRANGER = Principal(None, "T2", "U1")


def administered_by(*names: str) -> Installation:
    return replace(TEAM, administrators=frozenset(names))


def known(principal: Principal, **flags: bool) -> Person:
    return Person(principal, "Alice", **flags)


@pytest.mark.parametrize(
    ("principal", "installation", "person", "rule"),
    [
        (MEMBER, TEAM, known(MEMBER), "policy.member"),
        (GRID_MEMBER, TEAM, known(GRID_MEMBER), "policy.member"),
        (MEMBER, TEAM, None, "policy.unknown_person"),
        (MEMBER, TEAM, known(MEMBER, is_guest=True), "policy.guest"),
        (MEMBER, TEAM, known(MEMBER, is_bot=True), "policy.bot"),
        (MEMBER, TEAM, known(MEMBER, is_deleted=True), "policy.left"),
        (MEMBER, TEAM, known(MEMBER, is_stranger=True), "policy.stranger"),
        (MEMBER, TEAM, known(MEMBER, is_deleted=True, is_guest=True), "policy.left"),
        (STRANGER, TEAM, None, "policy.foreign_team"),
        (STRANGER, TEAM, known(STRANGER), "policy.foreign_team"),
        (STRANGER, GRID, None, "policy.foreign_team"),
        (STRANGER, ORG, None, "policy.foreign_team"),
        (OTHER_TEAM, TEAM, None, "policy.foreign_team"),
        (OTHER_TEAM, GRID_OF_ONE_TEAM, None, "policy.foreign_team"),
        (OTHER_TEAM, GRID, known(OTHER_TEAM), "policy.member"),
        (OTHER_TEAM, ORG, known(OTHER_TEAM), "policy.member"),
        (OTHER_TEAM, GRID, known(OTHER_TEAM, is_guest=True), "policy.guest"),
        (OTHER_ENTERPRISE, GRID, None, "policy.foreign_team"),
        (OTHER_ENTERPRISE, ORG, known(OTHER_ENTERPRISE), "policy.foreign_team"),
        (STRANGER, Installation(None), None, "policy.foreign_team"),
        (STRANGER, Installation(None, None, is_org_wide=True), None, "policy.foreign_team"),
    ],
)
def test_who_may_do_anything_at_all(principal, installation, person, rule):
    decision = decide(principal, "start", None, installation, person)
    assert decision.rule == rule
    assert decision.allowed == (rule == "policy.member")


@pytest.mark.parametrize(
    ("owner", "allowed"),
    [
        (MEMBER, True),
        (Principal(None, "T1", "U2"), False),
        (Principal("E1", "T1", "U1"), False),
        (Principal(None, "T2", "U1"), False),
    ],
)
def test_only_the_owner_reaches_what_is_theirs(owner, allowed):
    target = Target("workspace", "w1", owner)
    decision = decide(MEMBER, "stop", target, TEAM, known(MEMBER))
    assert decision.allowed is allowed
    if not allowed:
        assert decision.rule == "policy.not_owner"
        # The answer is the same as for a workspace that doesn't exist, so it gives nothing away.
        said = problems.explain_cause(decision.rule)
        assert said == "I can't find that workspace on your list. Type `list` to see what you have."


def test_an_administrator_does_not_reach_what_is_another_persons():
    target = Target("workspace", "w1", Principal(None, "T1", "U2"))
    assert not decide(MEMBER, "stop", target, administered_by("U1"), known(MEMBER)).allowed


@pytest.mark.parametrize(
    ("administrators", "rule"),
    [
        (frozenset(), "policy.no_administrators"),
        (frozenset({"U2"}), "policy.not_administrator"),
        (frozenset({"T2:U1"}), "policy.no_administrators"),
        (frozenset({"T2:U1", "U2"}), "policy.not_administrator"),
        (frozenset({"U1"}), "policy.administrator"),
        (frozenset({"T1:U1"}), "policy.administrator"),
    ],
)
def test_what_only_administrators_may_do(administrators, rule):
    decision = decide(MEMBER, "unlink_other", None, administered_by(*administrators), known(MEMBER))
    assert decision.rule == rule
    assert decision.allowed == (rule == "policy.administrator")


def test_a_guest_is_refused_even_as_an_administrator():
    guest = known(MEMBER, is_guest=True)
    assert decide(MEMBER, "unlink_other", None, administered_by("U1"), guest).rule == "policy.guest"


def test_administrators_are_named_with_or_without_their_team():
    assert administered_by("T1:U1").is_administrator(MEMBER)
    assert administered_by("U1").is_administrator(MEMBER)
    assert not administered_by("T1:U2", "U2", "T2:U1").is_administrator(MEMBER)


@pytest.mark.parametrize(
    ("age", "showing", "changing"),
    [(None, False, False), (0, True, True), (86_400, True, True), (86_401, True, False), (-61, True, False)],
)
def test_slack_is_asked_about_who_is_not_known_or_was_asked_about_long_ago(age, showing, changing):
    person = None if age is None else Person(MEMBER, "Alice", seen_at=1e9 - age)
    for verb in ("list", "status", "logs", "open", "search", "about", "help"):
        assert is_current(person, verb, 1e9) is showing
    for verb in ("start", "stop", "create", "run", "link", "invite", "approve", "view.code", "schedule", "x"):
        assert is_current(person, verb, 1e9) is changing


def test_what_somebody_consented_to_is_done_though_the_trainer_is_not_known():
    target = Target("consent", "w1", GRID_MEMBER, consented_to=MEMBER)
    assert decide(MEMBER, "class_stop", target, TEAM).rule == "policy.consent"


#: Amir administers T1, Bea administers T2, and Cleo of T1 administers everybody. U1 is a user of either.
AMIR, BEA, CLEO = (
    Principal(None, "T1", "UAMIR"),
    Principal(None, "T2", "UBEA"),
    Principal(None, "T1", "UCLEO"),
)


def test_one_installation_alone_is_not_several(two):
    one = Installations(frozenset(), frozenset())
    one.replace([Installation("T1")])
    assert (one.is_several, two.is_several) == (False, True)


@pytest.fixture
def two():
    made = Installations(frozenset({"T1:UAMIR", "T2:UBEA"}), frozenset({"T1:UCLEO"}))
    made.replace([Installation("T1"), Installation("T2")])
    return made


@pytest.mark.parametrize(
    ("who", "of_t1", "of_t2"),
    [
        (AMIR, "policy.administrator", "policy.other_workspace"),
        (BEA, "policy.other_workspace", "policy.administrator"),
        (CLEO, "policy.administrator", "policy.administrator"),
        (MEMBER, "policy.not_administrator", "policy.not_administrator"),
    ],
)
def test_an_administrator_administers_their_own_workspace_and_few_administer_all(two, who, of_t1, of_t2):
    for team, rule in (("T1", of_t1), ("T2", of_t2)):
        owner = Principal(None, team, "UOWNER")
        for verb, kind in (("approve", "approval"), ("unlink_other", "account"), ("class_stop", "class")):
            expected = rule
            if kind == "class" and rule == "policy.not_administrator":
                expected = "policy.not_teacher"
            assert decide(who, verb, Target(kind, "x", owner), two, known(who)).rule == expected
        trainer = Principal(None, team, "UTRAINER")
        consented = Target("consent", "w1", owner, consented_to=trainer)
        assert decide(who, "class_stop", consented, two, known(who)).allowed is (
            rule == "policy.administrator"
        )
        assert decide(trainer, "class_stop", consented, two).rule == "policy.consent"


def test_who_is_told_administers_whom_it_is_about(two):
    def told(team):
        return two.filter_administrators(lambda one: one.team_id == team)

    assert [told("T1"), told("T2"), told("T3")] == [[AMIR, CLEO], [CLEO, BEA], [CLEO]]
    assert [two.reach(one) for one in (AMIR, CLEO, MEMBER)] == ["-:T1:", "", None]
    # A team whose id merely begins with T1 isn't T1.
    assert not two.administers(AMIR, Principal(None, "T11", "U1"))
    # If a Slack workspace has no administrators, its members are told so.
    two.replace([Installation("T1"), Installation("T3")])
    lonely = Principal(None, "T3", "U1")
    few = Installations(frozenset({"T1:UAMIR"}))
    few.replace([Installation("T1"), Installation("T3")])
    assert decide(lonely, "approvals", None, few, known(lonely)).rule == "policy.no_administrators"


def test_an_administrator_of_one_installation_administers_all_of_it():
    grid = replace(ORG, administrators=frozenset({"U1", "T9:U2", "E1:U1"}))
    # Administrators may be given by user id alone, with a team, or with the organisation. In an organisation,
    # each is still one person.
    named = [Principal("E1", "E1", "U1"), Principal("E1", "E1", "U2")]
    assert grid.list_administrators() == grid.filter_administrators(lambda _: False) == named
    assert all(grid.administers(one, OTHER_TEAM) for one in named)
    assert not grid.administers(Principal("E1", "E1", "U3"), OTHER_TEAM)


def test_an_id_alone_names_nobody_among_several_installations():
    several = Installations(frozenset({"U1", "T1:U2", "E1:U3", "T9:U4"}))
    several.replace(
        [Installation("T1"), Installation(None, "E1", is_org_wide=True), Installation("T2", "E2")]
    )
    one, other = Principal(None, "T1", "U1"), Principal("E2", "T2", "U1")
    assert not several.is_same_person(one, other)
    assert not several.is_administrator(one)
    assert several.is_administrator(Principal(None, "T1", "U2"))
    assert not several.is_administrator(Principal("E2", "T2", "U2"))
    # Within an organisation a person is the same in all teams, and is stored under the organisation.
    assert several.resolve_principal(Principal("E1", "T5", "U3")) == several.resolve_principal(
        Principal("E1", "T6", "U3")
    )
    assert several.resolve_principal(Principal("E1", "T5", "U3")) == Principal("E1", "E1", "U3")
    # Outside of it, a person is stored under their installation, whatever enterprise the payload says.
    assert several.resolve_principal(Principal(None, "T2", "U1")) == other
    assert several.resolve_principal(Principal("E7", "T7", "U1")) == Principal("E7", "T7", "U1")
    # Only administrators who belong to an installation are notified.
    assert several.list_administrators() == [Principal(None, "T1", "U2"), Principal("E1", "E1", "U3")]
    assert [one.id for one in several] == ["E1", "T1", "T2"]
    several.replace([])
    assert not several.has_team(None, "T1")


# -- class cards: anybody posts one, only its teacher ends it, a consent permits one verb --------------------


TRAINER = Principal(None, "T1", "UTRAINER")
OWNER = Principal(None, "T1", "UOWNER")
OTHER = Principal(None, "T1", "UOTHER")
ADMIN = Principal(None, "T1", "UADMIN")
FOREIGNER = Principal(None, "T9", "UTRAINER")
CARD = Target("class", "class_1", TRAINER)
CONSENT = Target("consent", "workspace_1", OWNER, consented_to=TRAINER)


def decision(principal, verb, target, **flaws):
    person = Person(principal, "somebody", **flaws)
    installation = Installation("T1", administrators=frozenset({"UADMIN"}))
    made = decide(principal, verb, target, installation, person)
    return made.allowed, made.rule


@pytest.mark.parametrize(
    ("principal", "flaws", "expected"),
    [
        (OTHER, {}, (True, "policy.member")),
        (OTHER, {"is_guest": True}, (False, "policy.guest")),
        (OTHER, {"is_deleted": True}, (False, "policy.left")),
        (FOREIGNER, {}, (False, "policy.foreign_team")),
    ],
)
def test_any_member_posts_a_card(principal, flaws, expected):
    assert decision(principal, "card", None, **flaws) == expected


@pytest.mark.parametrize("verb", ["class_stop", "class_problems", "class_post"])
def test_a_card_is_its_trainers_and_administrators(verb):
    assert decision(TRAINER, verb, CARD) == (True, "policy.member")
    assert decision(ADMIN, verb, CARD) == (True, "policy.administrator")
    assert decision(OTHER, verb, CARD) == (False, "policy.not_teacher")
    assert decision(TRAINER, verb, CARD, is_guest=True) == (False, "policy.guest")
    named = CARD._replace(delegates=frozenset({OTHER.key}))
    assert decision(OTHER, verb, named) == (True, "policy.teacher")


def test_a_consent_permits_its_trainer_and_administrators_to_stop():
    assert decision(TRAINER, "class_stop", CONSENT) == (True, "policy.consent")
    assert decision(ADMIN, "class_stop", CONSENT) == (True, "policy.consent")
    assert decision(OTHER, "class_stop", CONSENT) == (False, "policy.not_owner")
    assert decision(TRAINER, "class_stop", CONSENT, is_deleted=True) == (False, "policy.left")
    assert decision(FOREIGNER, "class_stop", CONSENT) == (False, "policy.foreign_team")


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "open", "remove", "force", "status", "unlink"])
def test_a_consent_permits_nothing_else(verb):
    for principal in (TRAINER, ADMIN, OTHER):
        assert decision(principal, verb, CONSENT) == (False, "policy.not_owner")


def test_without_a_recorded_consent_nothing_is_permitted():
    for kind in ("consent", "workspace"):
        target = Target(kind, "workspace_1", OWNER)
        assert decision(TRAINER, "class_stop", target) == (False, "policy.not_owner")
        assert decision(ADMIN, "class_stop", target) == (False, "policy.not_owner")
    unkind = Target("workspace", "workspace_1", OWNER, consented_to=TRAINER)
    assert decision(TRAINER, "class_stop", unkind) == (False, "policy.not_owner")

"""What the policy says of class cards: anybody posts one, its trainer ends it, a consent permits one verb."""

import pytest

from bot.domain.people import Person, Principal
from bot.domain.policy import Installation, Target, decide

TRAINER = Principal(None, "T1", "UTRAINER")
OWNER = Principal(None, "T1", "UOWNER")
OTHER = Principal(None, "T1", "UOTHER")
ADMIN = Principal(None, "T1", "UADMIN")
STRANGER = Principal(None, "T9", "UTRAINER")
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
        (OTHER, {}, (True, "policy.card")),
        (OTHER, {"is_guest": True}, (False, "policy.guest")),
        (OTHER, {"is_deleted": True}, (False, "policy.left")),
        (STRANGER, {}, (False, "policy.foreign_team")),
    ],
)
def test_any_member_posts_a_card(principal, flaws, expected):
    assert decision(principal, "card", None, **flaws) == expected


@pytest.mark.parametrize("verb", ["class_stop", "class_problems", "class_post"])
def test_a_card_is_its_trainers_and_administrators(verb):
    assert decision(TRAINER, verb, CARD) == (True, "policy.member")
    assert decision(ADMIN, verb, CARD) == (True, "policy.administrator")
    assert decision(OTHER, verb, CARD) == (False, "policy.not_trainer")
    assert decision(TRAINER, verb, CARD, is_guest=True) == (False, "policy.guest")


def test_a_consent_permits_its_trainer_and_administrators_to_stop():
    assert decision(TRAINER, "class_stop", CONSENT) == (True, "policy.consent")
    assert decision(ADMIN, "class_stop", CONSENT) == (True, "policy.consent")
    assert decision(OTHER, "class_stop", CONSENT) == (False, "policy.not_owner")
    assert decision(TRAINER, "class_stop", CONSENT, is_deleted=True) == (False, "policy.left")
    assert decision(STRANGER, "class_stop", CONSENT) == (False, "policy.foreign_team")


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

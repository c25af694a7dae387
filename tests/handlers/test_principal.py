"""The acting person is read from the payload, and if anything is missing, the request is refused.

``docs/internals/security.md``, rows 4 and 5.
"""

import pytest
from structlog.testing import capture_logs

from bot.domain.installations import Installation
from bot.domain.people import Principal
from bot.domain.policy import decide
from bot.messages.texts.refusals import explain_refusal
from bot.support.errors import Refused
from handlers.requests.payload import parse_installation_ids, parse_principal, parse_team

COMMAND = {"command": "/workspace", "team_id": "T1", "user_id": "U1"}
BUTTON = {
    "type": "block_actions",
    "user": {"id": "U1", "team_id": "T1"},
    "team": {"id": "T1", "domain": "acme"},
    "enterprise": None,
    "is_enterprise_install": False,
}
EVENT = {
    "type": "event_callback",
    "team_id": "T1",
    "enterprise_id": None,
    "authorizations": [{"team_id": "T1", "enterprise_id": None, "user_id": "UBOT"}],
    "is_ext_shared_channel": False,
    "event": {"type": "message", "user": "U1", "team": "T1"},
}
GRID = {"id": "E1", "name": "Grid"}
SHORTCUT = BUTTON | {"type": "message_action", "user": {"id": "U1"}}
HOME = {key: value for key, value in EVENT.items() if key != "is_ext_shared_channel"} | {
    "event": {"type": "app_home_opened", "user": "U1", "view": {"team_id": "T1"}}
}


def event(outer=None, **inner):
    return EVENT | {"event": EVENT["event"] | inner} | (outer or {})


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (COMMAND, Principal(None, "T1", "U1")),
        (COMMAND | {"enterprise_id": "E1"}, Principal("E1", "T1", "U1")),
        (COMMAND | {"enterprise_id": None}, Principal(None, "T1", "U1")),
        (COMMAND | {"enterprise_id": ""}, Principal(None, "T1", "U1")),
        (COMMAND | {"user_id": "W1"}, Principal(None, "T1", "W1")),
        (BUTTON, Principal(None, "T1", "U1")),
        (BUTTON | {"enterprise": GRID}, Principal("E1", "T1", "U1")),
        (
            BUTTON | {"team": {"id": "T1", "enterprise_id": "E1"}},
            Principal("E1", "T1", "U1"),
        ),
        # A person from another organisation has their own team, and never our enterprise.
        (BUTTON | {"user": {"id": "U9", "team_id": "T9"}}, Principal(None, "T9", "U9")),
        (BUTTON | {"user": {"id": "U9", "team_id": "T9"}, "enterprise": GRID}, Principal(None, "T9", "U9")),
        # In an enterprise, a person's home may be named instead of their team.
        (BUTTON | {"user": {"id": "U1", "team_id": "E1"}, "enterprise": GRID}, Principal("E1", "T1", "U1")),
        (BUTTON | {"team": None, "enterprise": GRID}, Principal("E1", "T1", "U1")),
        (event(), Principal(None, "T1", "U1")),
        (event(user_team="T9", team="T1"), Principal(None, "T9", "U1")),
        (event(team="T9"), Principal(None, "T9", "U1")),
        (event(team=None), Principal(None, "T1", "U1")),
        (event({"authorizations": []}), Principal(None, "T1", "U1")),
        (event({"enterprise_id": "E1", "authorizations": []}), Principal("E1", "T1", "U1")),
        (
            event({"authorizations": [{"team_id": "T1", "enterprise_id": "E1"}]}, user_team="E1"),
            Principal("E1", "T1", "U1"),
        ),
        (
            event({"authorizations": [{"team_id": "T1", "enterprise_id": "E1"}]}, user_team="T9"),
            Principal(None, "T9", "U1"),
        ),
        # In a shared channel, the outer team may be that of the other side.
        (
            event({"team_id": "T9", "is_ext_shared_channel": True}, user_team="T9"),
            Principal(None, "T9", "U1"),
        ),
        # Only these two kinds may leave out the person's team.
        (SHORTCUT, Principal(None, "T1", "U1")),
        (SHORTCUT | {"enterprise": GRID}, Principal("E1", "T1", "U1")),
        (SHORTCUT | {"team": None, "enterprise": GRID}, Principal("E1", "E1", "U1")),
        (HOME, Principal(None, "T1", "U1")),
        (HOME | {"event": HOME["event"] | {"view": {"team_id": "T9"}}}, Principal(None, "T9", "U1")),
        (HOME | {"event": {"type": "app_home_opened", "user": "U1"}}, Principal(None, "T1", "U1")),
    ],
)
def test_who_acts(payload, expected):
    assert parse_principal(payload) == expected


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"type": "block_actions"},
        COMMAND | {"team_id": None},
        COMMAND | {"team_id": ""},
        COMMAND | {"user_id": None},
        COMMAND | {"user_id": 7},
        COMMAND | {"user_id": "U1:x"},
        COMMAND | {"team_id": "-:T1"},
        COMMAND | {"user_id": "alice"},
        COMMAND | {"enterprise_id": "T1:E1"},
        {key: value for key, value in COMMAND.items() if key != "user_id"},
        BUTTON | {"user": None},
        BUTTON | {"user": {"id": "U1"}},
        BUTTON | {"user": {"team_id": "T1"}},
        BUTTON | {"user": "U1"},
        BUTTON | {"type": "view_submission", "user": {"id": "U1"}},
        BUTTON | {"type": "shortcut", "user": {"id": "U1"}},
        SHORTCUT | {"team": None},
        SHORTCUT | {"user": {}},
        HOME | {"is_ext_shared_channel": True, "event": {"type": "app_home_opened", "user": "U1"}},
        HOME | {"event": {"type": "app_home_opened"}},
        BUTTON | {"team": None},
        BUTTON | {"user": {"id": "U1", "team_id": None}, "team": None},
        {key: value for key, value in BUTTON.items() if key != "team"},
        event(user=None),
        event(user={"id": "U1"}),
        event({"event": None}),
        event({"is_ext_shared_channel": True}, team=None),
        event({"is_ext_shared_channel": None}, team=None),
        event({"team_id": None, "authorizations": None}, team=None),
    ],
)
def test_anything_missing_refuses(payload):
    with pytest.raises(Refused) as refused, capture_logs() as logged:
        parse_principal(payload)
    assert logged[-1]["event"] == "field missing"
    assert logged[-1]["field"]
    assert refused.value.rule == "principal.missing"
    assert "Try again" in explain_refusal(refused.value)


@pytest.mark.parametrize("key", ["block_actions", "view_submission", "block_suggestion"])
def test_an_external_person_is_refused_whatever_they_press(key):
    clicker = parse_principal(
        BUTTON | {"type": key, "user": {"id": "U9", "team_id": "T9"}, "enterprise": GRID}
    )
    for installation in (Installation("T1"), Installation("T1", "E1", is_org_wide=True)):
        assert decide(clicker, "stop", None, installation).rule == "policy.foreign_team"


def test_for_which_installation_an_event_is():
    assert parse_installation_ids(EVENT) == ("T1", None)
    assert parse_installation_ids(
        {"team_id": "T9", "authorizations": [{"team_id": "T1", "enterprise_id": "E1"}]}
    ) == (
        "T1",
        "E1",
    )
    assert parse_installation_ids({"team_id": "T9", "enterprise_id": "E9"}) == ("T9", "E9")
    assert parse_installation_ids({}) == (None, None)


def test_place_of_a_payload_without_a_team_is_nobodys():
    assert parse_team({}) == Principal(None, "", "")
